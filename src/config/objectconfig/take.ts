// Takes values of a kind out of an objectconfig file: the first that is set of several places, checked, and noted as read.
import type { AreaLimit } from "../../domain/detect-settings.ts";
import { translatePattern } from "../../domain/python-pattern.ts";
import { nearest } from "../words.ts";
import { readLiteral } from "./python-literal.ts";
import { complain, MOST_PROBLEMS, type Reading, resolve, shownValue } from "./reading.ts";
import type { Entries, Value } from "./value.ts";

/** Places in which a key is looked for, nearest first. */
export interface Scope {
  readonly reading: Reading;
  readonly places: readonly Entries[];
}

export function scopeOf(reading: Reading, ...places: readonly (Entries | undefined)[]): Scope {
  return { reading, places: places.filter((each) => each !== undefined) };
}

/** The first that is set, of the first name that is; empty ones are as good as not there. */
export function find({ reading, places }: Scope, ...keys: readonly string[]): Value | null {
  for (const place of places) {
    for (const key of keys) {
      const value = place.get(key);
      if (value === undefined) continue;
      if (value.kind !== "nothing" && (value.kind !== "text" || value.text.trim() !== "")) return value;
      reading.seen.add(value);
    }
  }
  return null;
}

/** Null: not set, or not usable, which is then complained about. */
export function takeText(scope: Scope, ...keys: readonly string[]): string | null {
  const value = find(scope, ...keys);
  if (value === null) return null;
  if (value.kind === "text") return resolve(scope.reading, value).text || null;
  complain(scope.reading, value, "a single value is expected here");
  return null;
}

const YES = /^(1|yes|true|on)$/i;
const NO = /^(0|no|false|off|none)$/i;

export function takeFlag(scope: Scope, fallback: boolean, ...keys: readonly string[]): boolean {
  const read = takeParsed(scope, keys, "yes or no", (text) =>
    YES.test(text) ? true : NO.test(text) ? false : null,
  );
  return read ?? fallback;
}

export interface Limits {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
}

export function takeNumber(
  scope: Scope,
  { min, max, isWhole = false }: Limits,
  ...keys: readonly string[]
): number | null {
  const expected = `a ${isWhole ? "whole " : ""}number from ${min} to ${max}`;
  return takeParsed(scope, keys, expected, (text) => {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return null;
    const number = Number(text);
    return number >= min && number <= max && (!isWhole || Number.isInteger(number)) ? number : null;
  });
}

/** In ms, from seconds. */
export function takeSeconds(scope: Scope, fallbackMs: number, ...keys: readonly string[]): number {
  const seconds = takeNumber(scope, { min: 0, max: LONGEST_S }, ...keys);
  return seconds === null ? fallbackMs : Math.round(seconds * 1000);
}

/** A day: whoever waits longer has mistyped. */
const LONGEST_S = 86_400;

export function takeChoice<T>(
  scope: Scope,
  choices: Readonly<Record<string, T>>,
  fallback: T,
  ...keys: readonly string[]
): T {
  const words = Object.keys(choices);
  const read = takeParsed(scope, keys, words.join(", "), (text) => {
    const word = text.toLowerCase();
    return Object.hasOwn(choices, word) ? { choice: choices[word] as T } : null;
  });
  return read === null ? fallback : read.choice;
}

function takeParsed<T>(
  scope: Scope,
  keys: readonly string[],
  expected: string,
  parse: (text: string) => T | null,
): T | null {
  const value = find(scope, ...keys);
  if (value === null) return null;
  const { reading } = scope;
  if (value.kind !== "text") {
    complain(reading, value, `expected ${expected}`);
    return null;
  }
  const { text, isSecret } = resolve(reading, value);
  if (text.trim() === "") return null;
  const parsed = parse(text.trim());
  if (parsed !== null) return parsed;
  const near = reading.problems.length < MOST_PROBLEMS ? nearest(text, expected.split(", ")) : null;
  const written = isSecret ? "its value" : shown(text, value);
  complain(reading, value, `${written} is not ${expected}${near === null ? "" : `; did you mean ${near}?`}`);
  return null;
}

function shown(text: string, value: Value): string {
  return `"${shownValue({ ...value, text })}"`;
}

/** A list, a Python list in a text, or words between commas; null when it is not set. */
export function takeWords(scope: Scope, ...keys: readonly string[]): readonly string[] | null {
  const value = find(scope, ...keys);
  if (value === null) return null;
  const { reading } = scope;
  reading.seen.add(value);
  const items = itemsOf(reading, value);
  const words = items?.map((item) => (item.kind === "text" ? resolve(reading, item).text.trim() : null));
  if (words === undefined || words.includes(null)) {
    complain(reading, value, "a list of words is expected here");
    return null;
  }
  return words.filter((word): word is string => word !== null && word !== "");
}

/** What is in a list, however it is written; undefined when it is none. */
export function itemsOf(reading: Reading, value: Value): readonly Value[] | undefined {
  if (value.kind === "list") return value.items;
  if (value.kind !== "text") return undefined;
  const { text } = resolve(reading, value);
  if (/^\s*[[(]/.test(text)) {
    const read = readLiteral(text, { path: value.path, line: value.line, column: 1 });
    return read.ok && read.value.kind === "list" ? read.value.items : undefined;
  }
  // The samples of version 6 have lists in quotes.
  const bare = /^(['"])(.*)\1$/s.exec(text.trim())?.[2] ?? text;
  return bare.split(",").map((word) => ({ ...value, text: word.trim() }));
}

/** A Python regular expression that can be used here. */
export function takePattern(scope: Scope, ...keys: readonly string[]): string | null {
  const value = find(scope, ...keys);
  const text = takeText(scope, ...keys);
  if (value === null || text === null) return null;
  const pattern = translatePattern(text);
  if (pattern instanceof RegExp) return text;
  complain(scope.reading, value, `${shown(text, value)} is no pattern that can be used: ${pattern.fault}`);
  return null;
}

/** "90%", "5000px" or "5000" (square pixels). */
export function takeArea(scope: Scope, ...keys: readonly string[]): AreaLimit | null {
  return takeParsed(scope, keys, "an area, such as 90% or 5000px", (text) => {
    const found = /^(\d{1,12}(?:\.\d{1,6})?)\s*(%|px)?$/i.exec(text);
    if (found === null) return null;
    return { unit: found[2] === "%" ? "percent" : "pixels", value: Number(found[1]) };
  });
}

/** Those for single labels, `<label>` and the suffix; of several places, the nearest counts. */
export function takeLabelAreas(scope: Scope, suffix: string): Readonly<Record<string, AreaLimit>> {
  const areas = new Map<string, AreaLimit>();
  for (const place of scope.places) {
    for (const key of place.keys()) {
      if (!key.endsWith(suffix) || key.length === suffix.length) continue;
      const label = key.slice(0, -suffix.length);
      const area = takeArea({ ...scope, places: [place] }, key);
      if (area !== null && !areas.has(label)) areas.set(label, area);
    }
  }
  return Object.fromEntries(areas);
}
