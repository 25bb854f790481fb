// Reads the text of a Darknet .cfg file into sections; what a section means, darknet-network.ts knows.

/** `[name]` and the lines below it. */
export interface DarknetSection {
  readonly name: string;
  /** Where its heading is, from 1. */
  readonly line: number;
  /** What has a value, with where it is; of a key that occurs twice the first counts, as in Darknet. */
  readonly entries: ReadonlyMap<string, { readonly text: string; readonly line: number }>;
}

/** A file whose size or shape no network has; its line is in the message. */
export class DarknetError extends Error {
  override readonly name = "DarknetError";
}

/** The largest published one, of YOLOv4-P7, has 110 kB. */
const CONFIG_CHARACTERS = 1_000_000;

/** Splits a file into its sections. Throws a DarknetError that names the line. */
export function parseDarknetConfig(text: string): readonly DarknetSection[] {
  if (text.length > CONFIG_CHARACTERS) throw new DarknetError("is too large for a Darknet .cfg file");
  const sections: (DarknetSection & { entries: Map<string, { text: string; line: number }> })[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    // Darknet drops blanks wherever they are (utils.c, strip).
    const words = raw.replace(/[#;].*/s, "").replaceAll(/\s/g, "");
    if (words === "") continue;
    const heading = /^\[(\w+)\]$/.exec(words)?.[1];
    if (heading !== undefined) {
      sections.push({ name: heading.toLowerCase(), line, entries: new Map() });
      continue;
    }
    const equals = words.indexOf("=");
    const section = sections.at(-1);
    if (section === undefined || equals < 1) {
      throw new DarknetError(
        `line ${line}: "${words.slice(0, 40)}" is neither a [section] nor key=value in one`,
      );
    }
    const key = words.slice(0, equals);
    if (!section.entries.has(key)) section.entries.set(key, { text: words.slice(equals + 1), line });
  }
  return sections;
}

/** A refusal that names where in the file it is. */
export function refusal(section: DarknetSection, message: string, line = section.line): DarknetError {
  return new DarknetError(`line ${line}, [${section.name}]: ${message}`);
}

/** A whole number from `min` on; `fallback` where the key is missing, and an error where there is none either. */
export function wholeNumber(
  section: DarknetSection,
  key: string,
  { min, fallback }: { readonly min: number; readonly fallback?: number },
): number {
  const entry = section.entries.get(key);
  if (entry === undefined && fallback !== undefined) return fallback;
  if (entry === undefined) throw refusal(section, `${key} is missing`);
  return checked(section, key, entry, Number(entry.text), min);
}

/** Any number. */
export function decimalNumber(section: DarknetSection, key: string, fallback: number): number {
  const entry = section.entries.get(key);
  const value = entry === undefined ? fallback : Number.parseFloat(entry.text);
  if (Number.isFinite(value)) return value;
  throw refusal(section, `${key}=${entry?.text} is not a number`, entry?.line);
}

/** Numbers between commas; empty where the key is missing. */
export function numberList(section: DarknetSection, key: string): readonly number[] {
  const entry = section.entries.get(key);
  const values = (entry?.text ?? "")
    .split(",")
    .filter((word) => word !== "")
    .map(Number);
  if (values.every(Number.isFinite)) return values;
  throw refusal(section, `${key}=${entry?.text} is not a list of numbers`, entry?.line);
}

/** Whole numbers beyond this are no size of anything in a network; their products stay exact. */
const MAX_NUMBER = 65_536;

function checked(
  section: DarknetSection,
  key: string,
  { text, line }: { readonly text: string; readonly line: number },
  value: number,
  min: number,
): number {
  if (text !== "" && Number.isInteger(value) && value >= min && value <= MAX_NUMBER) return value;
  throw refusal(section, `${key}=${text} is not a whole number from ${min} to ${MAX_NUMBER}`, line);
}
