// Says of a key that is not known which known one was probably meant.
import { printableName, type RawEntry, type RawFile, type Remark } from "./raw-file.ts";
import { knownKeys, sectionTitles } from "./schema.ts";
import { nearest } from "./words.ts";

/** One remark for every section, and for every key of a known section, that means nothing to us. */
export function remarkUnknown(file: RawFile, unknown: readonly RawEntry[]): Remark[] {
  const sections = [...file.sections]
    .filter(([section]) => !sectionTitles.has(section))
    .map(([section, line]) => ({ line, text: aboutSection(section) }));
  const keys = unknown
    .filter((entry) => sectionTitles.has(entry.section))
    .map((entry) => ({ line: entry.line, text: aboutKey(file, entry) }));
  return [...sections, ...keys];
}

function aboutSection(section: string): string {
  const meant = nearest(section, sectionTitles.keys());
  return `section ${printableName(section)} is not known and ignored${meant ? `; did you mean ${meant}?` : ""}`;
}

function aboutKey(file: RawFile, { section, key }: RawEntry): string {
  const said = `${section}.${printableName(key)} is not known and ignored`;
  const elsewhere = [...knownKeys.values()]
    .filter((known) => known.key === key)
    .map((known) => known.section);
  if (elsewhere.includes("mqtt") && section === "fcm" && !file.sections.has("mqtt")) {
    return `${said}; it belongs to section mqtt, whose header is missing (as in the file shipped with 3.2)`;
  }
  if (elsewhere.length > 0)
    return `${said}; ${printableName(key)} belongs to section ${elsewhere.join(" or ")}`;
  const own = [...knownKeys.values()].filter((known) => known.section === section).map((known) => known.key);
  const near = nearest(key, own);
  if (near !== null) return `${said}; did you mean ${section}.${near}?`;
  const far = nearest(
    key,
    [...knownKeys.values()].map((known) => known.key),
  );
  const home = [...knownKeys.values()].find((known) => known.key === far);
  return home ? `${said}; did you mean ${home.path}?` : said;
}
