// Where the phones are written down, and whether zmes uses that file or a copy of it.
import path from "node:path";
import { readTextFile } from "../../config/config-file.ts";
import type { Config } from "../../config/schema.ts";
import { parseTokenFile, type TokenEntry } from "../../store/token-file.ts";
import { listChanges } from "./list-changes.ts";
import { isFile, isFirstPlace, type Places } from "./places.ts";
import type { Row } from "./survey.ts";

export interface TokenPlan {
  /** What fcm.token_file shall say; null: what it says already. */
  readonly file: string | null;
  readonly why: string;
  /** The copy that is made: from a file as it can be opened, to a path inside the root. */
  readonly copy: { readonly from: string; readonly to: string } | null;
  readonly entries: ReadonlyMap<string, TokenEntry>;
  readonly rows: readonly Row[];
  /** Why phones of the file are not known any more; null where all are. */
  readonly lost: string | null;
}

export interface TokenQuestion {
  readonly places: Places;
  readonly config: Config;
  /** Of the original's file of settings. */
  readonly configPath: string;
  /** Whether that file names the token file. */
  readonly isSet: boolean;
  /** What the zmes.yml of an earlier import names; null: there is none. */
  readonly before: string | null;
}

/** Never throws. The original's file is never written: zmes brings an old form to the present one when it starts. */
export function planTokens({ places, config, configPath, isSet, before }: TokenQuestion): TokenPlan {
  const named = config.fcm.token_file;
  const wanted = isSet || !isFirstPlace(configPath) ? named : FIRST_TOKEN_FILE;
  const inPlace = places.inRoot(wanted);
  const home = path.posix.join(config.general.base_data_path, "push/tokens.txt");
  // Phones have registered there since an earlier import made the copy.
  const isImported = before === home && home !== wanted && hasPhones(places.inRoot(home));
  const isThere = isFile(inPlace) && (places.namedTokens.length === 0 || hasPhones(inPlace));
  const elsewhere = [...places.namedTokens, ...places.tokens, places.find(wanted)];
  const source = isThere
    ? inPlace
    : (elsewhere.find((file) => file !== null && !(isImported && file === places.inRoot(home))) ?? null);
  const found = isImported ? places.inRoot(home) : source;
  if (found === null) return { ...NOTHING, rows: [] };
  const read = parsed(found);
  const others = places.tokens
    .filter((file) => file !== found)
    .map(
      (file): Row => ({
        outcome: "not used",
        what: "phones",
        where: places.named(file),
        why: `${places.named(found)} is in use`,
      }),
    );
  if (typeof read === "string") {
    const row: Row = { outcome: "not used", what: "phones", where: places.named(found), why: read };
    return { ...NOTHING, rows: [row, ...others], lost: `No phone of ${row.where} is known: ${read}` };
  }
  const isAtHome =
    isImported || (found === places.inRoot(named) && !OLD_FOLDERS.some((folder) => named.startsWith(folder)));
  const target =
    isAtHome || (hasPhones(places.inRoot(home)) && !isSame(places.inRoot(home), found))
      ? places.named(found)
      : home;
  const isCopied = target !== places.named(found);
  const why = [
    ...(isCopied ? [`${places.named(found)} stays as it is; zmes uses a copy`] : []),
    ...(read.isOld && !isCopied ? [OLD_FORM] : []),
    ...listChanges(read.entries, read.isOld),
    ...(read.unreadable > 0 ? [`${lines(read.unreadable)} cannot be read as a phone and left out`] : []),
  ].join("; ");
  const row: Row = {
    outcome: why === "" ? "taken" : "changed",
    what: `phones (${read.entries.size})`,
    where: places.named(found),
    why,
  };
  return {
    file: target === named ? null : target,
    why:
      isCopied || isImported
        ? `${places.named(source ?? inPlace)} stays as it is; this is a copy of it`
        : "the phones are there",
    copy: isCopied ? { from: found, to: target } : null,
    entries: read.entries,
    rows: [row, ...others],
    lost:
      read.unreadable === 0 ? null : `${lines(read.unreadable)} of ${row.where} cannot be read as a phone`,
  };
}

const FIRST_TOKEN_FILE = "/etc/private/tokens.txt";
/** Folders of root's in which no program should write; and one that exists by a slip of the pen only. */
const OLD_FOLDERS = ["/etc/", "/var/lib/zmeeventnotification/"];
const OLD_FORM =
  "zmes brings it to the form of version 6 and later when it starts, and keeps the old one beside it as tokens.txt.colon";
const NOTHING = { file: null, why: "", copy: null, entries: new Map<string, TokenEntry>(), lost: null };

function lines(count: number): string {
  return count === 1 ? "1 line" : `${count} lines`;
}

/** A copy that an import made before it was cut short. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [readTextFile(one), readTextFile(other)];
  return first.ok && second.ok && first.text === second.text;
}

/** False for a file without phones: it is no loss when a copy takes its place. */
export function hasPhones(file: string): boolean {
  if (!isFile(file)) return false;
  const read = parsed(file);
  return typeof read === "string" || read.entries.size > 0;
}

function parsed(file: string) {
  const content = readTextFile(file);
  if (!content.ok) return `it cannot be read: ${content.why}`;
  const read = parseTokenFile(content.text);
  if (read.format === "damaged") return `it is damaged: ${read.problem}`;
  return { entries: read.entries, isOld: read.format === "colon", unreadable: read.unreadable };
}
