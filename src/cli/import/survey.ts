// What becomes of each line of an original's configuration: taken, changed or not used, and why.
import { findDangers } from "../../config/checks.ts";
import { parseConfigFile, readTextFile } from "../../config/config-file.ts";
import { isOldDialect } from "../../config/dialect.ts";
import { type LoadedConfig, loadConfig } from "../../config/load.ts";
import { oldHomes } from "../../config/old-homes.ts";
import { printableName, type RawEntry } from "../../config/raw-file.ts";
import { type KnownKey, knownKeys, valueAt } from "../../config/schema.ts";
import type { Places } from "./places.ts";

export type Outcome = "taken" | "changed" | "not used";

/** One line of the table. Never holds a value: it may be a secret. */
export interface Row {
  readonly outcome: Outcome;
  /** "section.key", or what else was found. */
  readonly what: string;
  /** "FILE:LINE", or the file. */
  readonly where: string;
  /** Empty for what is taken as it is. */
  readonly why: string;
}

/** An entry whose value is in use; `row` says whether it means the same as before. */
export interface UsedEntry {
  readonly known: KnownKey;
  readonly entry: RawEntry;
  readonly row: Row;
}

/** A row of a key that would have been used. */
interface Unusable {
  readonly known: KnownKey;
  readonly row: Row;
}

export interface Survey {
  /** The path by which programs know the file. */
  readonly path: string;
  readonly loaded: LoadedConfig;
  readonly used: readonly UsedEntry[];
  readonly unused: readonly Row[];
  /** Those of them whose value could not be used, so that what is there without them holds. */
  readonly unusable: readonly Unusable[];
  /** Why nothing of the file can be used; null otherwise. */
  readonly unreadable: string | null;
  /** What a start with this file would say, without what the rows say. */
  readonly dangers: readonly { readonly path: string; readonly text: string }[];
}

/** Reads the file with everything it names. Never throws. */
export function surveyFile(file: string, places: Places): Survey {
  const loaded = loadConfig({ path: file, locate: locateIn(places) });
  const content = readTextFile(file);
  const raw = content.ok ? parseConfigFile(file, content.text) : null;
  const path = places.named(file);
  const isSet = (key: string): boolean => loaded.origins.has(key);
  const dangers = findDangers(loaded.config, isSet, isOldDialect(loaded.dialect));
  const isDanger = (text: string): boolean =>
    dangers.some((danger) => text === `${danger.path}: ${danger.text}`);
  const lines = [...loaded.problems, ...loaded.warnings];
  const remarks = remarksByLine(file, lines, { isDanger, root: places.root });
  const { used, unused, unusable } = sortEntries(raw?.entries ?? [], { path, loaded, remarks });
  const leftOver = [...remarks].flatMap(([line, texts]) =>
    texts.map((why): Row => ({ outcome: "not used", what: nameIn(why), where: `${path}:${line}`, why })),
  );
  const unreadable =
    raw?.complete === true ? null : loaded.problems.join("\n").replace(" named by --config", "");
  const byLine = [...unused, ...leftOver].toSorted((one, other) => lineOf(one) - lineOf(other));
  return { path, loaded, used, unused: byLine, unusable, unreadable, dangers };
}

interface Sorting {
  readonly path: string;
  readonly loaded: LoadedConfig;
  /** By line; what an entry's row says is taken out. */
  readonly remarks: Map<number, string[]>;
}

function sortEntries(entries: readonly RawEntry[], { path, loaded, remarks }: Sorting) {
  const used: UsedEntry[] = [];
  const unused: Row[] = [];
  const unusable: Unusable[] = [];
  const lastLines = new Map(entries.map(({ section, key, line }) => [`${section}.${key}`, line]));
  const seen = new Set<string>();
  for (const entry of entries) {
    const what = `${printableName(entry.section)}.${printableName(entry.key)}`;
    const where = `${path}:${entry.line}`;
    const said = (remarks.get(entry.line) ?? []).map((text) => withoutName(text, what));
    remarks.delete(entry.line);
    const known = knownKeys.get(oldHomes.get(what) ?? what);
    const last = lastLines.get(`${entry.section}.${entry.key}`) ?? entry.line;
    // Of a section that is given twice in YAML.
    if (last !== entry.line) {
      unused.push({
        outcome: "not used",
        what,
        where,
        why: `it is given again in line ${last}, which counts`,
      });
      continue;
    }
    if (known !== undefined && isGarbled(valueAt(loaded.config, known.path))) said.push(GARBLED);
    const isTaken =
      known !== undefined &&
      loaded.origins.has(known.path) &&
      !seen.has(known.path) &&
      !said.includes(GARBLED);
    if (isTaken && !isOutvoted(said) && known.status !== "no longer needed") {
      seen.add(known.path);
      used.push({
        known,
        entry,
        row: { outcome: said.length > 0 ? "changed" : "taken", what, where, why: said.join("; ") },
      });
    } else {
      const row: Row = { outcome: "not used", what, where, why: whyUnused(known, said, entry) };
      unused.push(row);
      const isUnset = known !== undefined && (!loaded.origins.has(known.path) || said.includes(GARBLED));
      if (isUnset && known.status === "used") unusable.push({ known, row });
    }
  }
  return { used, unused, unusable };
}

function whyUnused(known: KnownKey | undefined, said: readonly string[], { section }: RawEntry): string {
  if (known === undefined) return said[0] ?? `section ${printableName(section)} is not known`;
  return known.status === "no longer needed" ? known.reason : said.join("; ");
}

/** What became of bytes that are no UTF-8: files of the old days may be in Latin-1. */
function isGarbled(value: unknown): boolean {
  return typeof value === "string" && value.includes("\uFFFD");
}

const GARBLED =
  "a character in it is not UTF-8; write it into the new file by hand, or save the old one as UTF-8 first";

/** Where a file that a configuration names is opened. */
export function locateIn(places: Places): (named: string) => string {
  return (named) => {
    // A relative path has been completed with the folder of the file as it was opened.
    const inside = places.named(named);
    return places.find(inside) ?? places.inRoot(inside);
  };
}

function lineOf({ where }: Row): number {
  return Number(/:(\d+)$/.exec(where)?.[1] ?? 0);
}

/** What is said of each line, without the place in front. */
function remarksByLine(
  file: string,
  lines: readonly string[],
  { isDanger, root }: { readonly isDanger: (text: string) => boolean; readonly root: string },
): Map<number, string[]> {
  const remarks = new Map<number, string[]>();
  for (const line of lines) {
    if (!line.startsWith(`${file}:`)) continue;
    const [, number, text] = /^(\d+) ([\s\S]*)$/.exec(line.slice(file.length + 1)) ?? [];
    if (number === undefined || text === undefined || isDanger(text) || isAboutTheWhole(text)) continue;
    const told = isDoubled(text) ? `${text}; the first one is taken, but version 7 went by the last` : text;
    // What is in the root is known to programs by its path without it.
    const named = root === "/" ? told : told.replaceAll(`${root}/`, "/");
    remarks.set(Number(number), [...(remarks.get(Number(number)) ?? []), named]);
  }
  return remarks;
}

/** A key of YAML; INI has its own words. */
export function isDoubled(text: string): boolean {
  return / is given twice; keep one of them/.test(text);
}

/** Found by looking at several keys; told where the new file is looked at. */
function isAboutTheWhole(text: string): boolean {
  return /^ssl\.enable: TLS is on/.test(text);
}

function isOutvoted(said: readonly string[]): boolean {
  return said.some((text) => text.endsWith("which is set as well and counts"));
}

function withoutName(text: string, name: string): string {
  return text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text;
}

function nameIn(text: string): string {
  return /^(\w+\.\w+)\b/.exec(text)?.[1] ?? /^section (\w+)/.exec(text)?.[1] ?? "(a line)";
}
