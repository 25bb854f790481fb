// Splits a command as somebody wrote it for a shell, without being one: nothing is expanded, replaced or redirected.

export interface CommandLine {
  /** The program and its arguments; at least one word. */
  readonly words: readonly string[];
  /** True when the text holds something only a shell would act on, such as `|`, `>` or `$HOME`. */
  readonly wantsShell: boolean;
}

/** The command in words, by the quoting rules of POSIX (2.2); null when it is empty or a quote is not closed. */
export function splitCommand(text: string): CommandLine | null {
  const words: string[] = [];
  let word: string | null = null;
  let wantsShell = false;
  for (let rest = text; rest !== ""; ) {
    const piece = PIECE.exec(rest);
    if (piece?.groups === undefined) return null;
    const { blank, single, double, escaped, plain } = piece.groups;
    rest = rest.slice(piece[0].length);
    if (blank !== undefined) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    const part = single ?? double?.replace(/\\([$`"\\])/g, "$1") ?? escaped ?? plain ?? "";
    if (plain !== undefined && SHELL.test(plain)) wantsShell = true;
    if (double !== undefined && /(?<!\\)[$`]/.test(double)) wantsShell = true;
    word = (word ?? "") + part;
  }
  if (word !== null) words.push(word);
  return words.length === 0 ? null : { words, wantsShell };
}

/** One word for a POSIX shell (2.2.2), whatever is in it: for commands that people copy. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Blanks, 'single quotes', "double quotes", \x, or a run of anything else. */
const PIECE = new RegExp(
  [
    String.raw`^(?:(?<blank>[ \t\r\n]+)`,
    `'(?<single>[^']*)'`,
    String.raw`"(?<double>(?:[^"\\]|\\[\s\S])*)"`,
    String.raw`\\(?<escaped>[\s\S])`,
    String.raw`(?<plain>[^ \t\r\n'"\\]+))`,
  ].join("|"),
);

/** Pipes, lists, redirections, substitutions, variables, patterns. */
const SHELL = /[|&;<>()$`*?]/;
