// The token file's two formats: the colon lines of versions 1.0 to 5.x and the JSON of version 6 and later.

/** What the file says of one token, every field as it stands there, known or not. */
export type TokenEntry = Readonly<Record<string, unknown>>;

export interface TokenFile {
  readonly format: "empty" | "json" | "colon";
  readonly entries: ReadonlyMap<string, TokenEntry>;
  /** What stands beside `tokens` in a JSON file; kept. */
  readonly rest: TokenEntry;
  /** Lines or entries that cannot be read as a token. */
  readonly unreadable: number;
}

/** A file that is neither: it must not be written over. */
export interface DamagedTokenFile {
  readonly format: "damaged";
  readonly problem: string;
}

/** Reads either format; no text makes it throw. */
export function parseTokenFile(text: string): TokenFile | DamagedTokenFile {
  // An editor may have put a byte order mark there.
  const content = text.replace(/^\uFEFF/, "").trim();
  if (content === "") return { format: "empty", entries: new Map(), rest: {}, unreadable: 0 };
  const parsed = parsedJson(content);
  if (parsed !== undefined) return fromJson(parsed);
  if (/^[{["]/.test(content))
    return { format: "damaged", problem: "it is JSON that ends or breaks in the middle" };
  return fromLines(content);
}

/** One token of the JSON format. */
export function formatToken(token: string, entry: TokenEntry): string {
  return `${JSON.stringify(token)}: ${JSON.stringify(entry)}`;
}

/** The JSON format out of its tokens, each on a line of its own, so that people can edit it too. */
export function formatTokenFile(tokens: readonly string[], rest: TokenEntry): string {
  const others = Object.entries(rest).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  const lines = tokens.length === 0 ? "" : `\n${tokens.join(",\n")}\n`;
  return `{${others.join("")}"tokens": {${lines}}}\n`;
}

function fromJson(parsed: unknown): TokenFile | DamagedTokenFile {
  const top = objectOf(parsed);
  if (top === null) return { format: "damaged", problem: "it is JSON, but no object" };
  const { tokens, ...rest } = top;
  // Perl writes an empty hash of a list origin as [].
  const isEmptyList = Array.isArray(tokens) && tokens.length === 0;
  const listed = tokens === undefined || tokens === null || isEmptyList ? {} : objectOf(tokens);
  if (listed === null) return { format: "damaged", problem: "its `tokens` is no object" };
  const entries = new Map<string, TokenEntry>();
  let unreadable = 0;
  for (const [token, value] of Object.entries(listed)) {
    const entry = objectOf(value);
    if (entry === null || token === "") unreadable += 1;
    // Versions 6 and 7 write a token that Google refused back with nothing but its counter: that one is dead.
    else if (Object.keys(entry).join() !== "invocations") entries.set(token, entry);
  }
  return { format: "json", entries, rest, unreadable };
}

/** `token:monlist:intlist:platform:pushstate`; a token may hold colons itself, so the line is read from its end. */
const LINE = /^(.*):([^:]*):([^:]*):([^:]*):([^:]*)$/;
const LIST = /^[-\d,.\s]*$/;
const TOKEN = /^[!-~]*$/;

function fromLines(content: string): TokenFile | DamagedTokenFile {
  const entries = new Map<string, TokenEntry>();
  let unreadable = 0;
  for (const line of content.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, token = "", monlist = "", intlist = "", platform = "", state = ""] =
      LINE.exec(line.trim()) ?? [];
    if (!LINE.test(line.trim()) || !TOKEN.test(token) || !LIST.test(monlist) || !LIST.test(intlist))
      unreadable += 1;
    // The last line of a token is the one that counts, also for its place.
    else if (token !== "") {
      entries.delete(token);
      entries.set(token, { monlist, intlist, platform, pushstate: state });
    }
  }
  if (entries.size === 0 && unreadable > 0)
    return { format: "damaged", problem: "it is neither JSON nor lines of tokens" };
  return { format: "colon", entries, rest: {}, unreadable };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): TokenEntry | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as TokenEntry) : null;
}
