// Reads the values that Python's ast.literal_eval reads: the sequences in objectconfig.ini of version 6 are written so.
import {
  Fault,
  fail,
  type LiteralPlace,
  match,
  positionOf,
  type Scanner,
  skipBlanks,
} from "./literal-scanner.ts";
import { readStrings } from "./python-string.ts";
import { listAt, mapAt, nothingAt, textAt, type Value } from "./value.ts";

export type Literal =
  | { readonly ok: true; readonly value: Value; readonly doubled: readonly Value[] }
  | { readonly ok: false; readonly line: number; readonly problem: string };

/**
 * Dictionaries, lists, tuples and sets, strings, numbers, True, False and None. Beyond Python, `{{name}}` without quotes is
 * the text "{{name}}". Of a key that is given twice the last one counts, as in Python; the others are in `doubled`. Never
 * throws; a problem says line and column, and never quotes the text: it may be a secret.
 */
export function readLiteral(text: string, place: LiteralPlace): Literal {
  const breaks = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const scanner: Scanner = { text, at: 0, breaks, place, doubled: [] };
  try {
    const value = readValue(scanner, place.path, 0);
    skipBlanks(scanner);
    if (scanner.at < text.length) fail(scanner, "something follows after the end of the value");
    return { ok: true, value, doubled: scanner.doubled };
  } catch (failure) {
    if (!(failure instanceof Fault)) throw failure;
    const { line, column } = positionOf(scanner, failure.at);
    return { ok: false, line, problem: `column ${column}: ${failure.message}` };
  }
}

/** Nobody nests so deep; the stack holds more. */
const DEEPEST = 50;

function readValue(scanner: Scanner, path: string, depth: number): Value {
  skipBlanks(scanner);
  if (depth > DEEPEST) fail(scanner, `brackets are nested deeper than ${DEEPEST}`);
  const place = { path, line: positionOf(scanner, scanner.at).line };
  const template = match(scanner, /\{\{\s*\w+\s*\}\}/y);
  if (template !== null) return textAt(place, template);
  switch (scanner.text[scanner.at]) {
    case "{":
      return readBraces(scanner, path, depth);
    case "[":
      return readItems(scanner, path, depth, "]");
    case "(":
      return readItems(scanner, path, depth, ")");
    case undefined:
      return fail(scanner, "a value is missing");
    default:
      return readScalar(scanner, place);
  }
}

const WORDS: ReadonlyMap<string, string | null> = new Map([
  ["True", "True"],
  ["False", "False"],
  ["None", null],
]);

function readScalar(scanner: Scanner, place: Pick<Value, "path" | "line">): Value {
  const strings = readStrings(scanner);
  if (strings !== null) return textAt(place, strings);
  const start = scanner.at;
  const number = match(
    scanner,
    /[+-]?\s*(?:0[xX][\da-fA-F]+|(?:\d[\d_]*)?\.?\d+(?:[eE][+-]?\d+)?|\d[\d_]*\.)(?![\w.])/y,
  );
  if (number !== null) return textAt(place, numberText(number));
  const word = match(scanner, /[A-Za-z_]\w*/y) ?? "";
  const known = WORDS.get(word);
  if (known === undefined) return fail(scanner, wrongWord(scanner, word), start);
  return known === null ? nothingAt(place) : textAt(place, known);
}

function wrongWord({ text, at }: Scanner, word: string): string {
  if (/^(true|false)$/.test(word)) return "Python writes True and False with a capital";
  if (/^(none|null)$/i.test(word)) return "Python writes None";
  if (word !== "") return "a word must stand in quotes";
  return /[,:}\])]/.test(text[at] ?? "")
    ? "a value is missing before this"
    : "this is no value; texts must stand in quotes";
}

function numberText(written: string): string {
  const value = Number(written.replace(/[_\s]/g, ""));
  return Number.isFinite(value) ? String(value) : written;
}

/** A dictionary; or a set, which is as good as a list here. */
function readBraces(scanner: Scanner, path: string, depth: number): Value {
  const start = scanner.at;
  const { line } = positionOf(scanner, start);
  scanner.at += 1;
  skipBlanks(scanner);
  if (!isDictionary(scanner)) {
    scanner.at = start;
    return readItems(scanner, path, depth, "}");
  }
  const entries = new Map<string, Value>();
  while (!closes(scanner, "}", start)) {
    const keyLine = positionOf(scanner, scanner.at).line;
    const key = readKey(scanner);
    skipBlanks(scanner);
    if (scanner.text[scanner.at] !== ":") fail(scanner, "a colon is missing after the key");
    scanner.at += 1;
    const read = readValue(scanner, `${path}.${key}`, depth + 1);
    const doubled = entries.get(key);
    if (doubled !== undefined) scanner.doubled.push(doubled);
    entries.set(key, read.kind === "map" ? { ...read, line: keyLine } : read);
    separate(scanner, "}");
  }
  return mapAt({ path, line }, entries);
}

/** Looks at the first key only. */
function isDictionary(scanner: Scanner): boolean {
  const start = scanner.at;
  const first = scanner.text[start] ?? "}";
  if (first === "}") return true;
  if (/[{[(]/.test(first)) return false;
  readValue(scanner, "", DEEPEST);
  skipBlanks(scanner);
  const isKey = scanner.text[scanner.at] !== "," && scanner.text[scanner.at] !== "}";
  scanner.at = start;
  return isKey;
}

function readKey(scanner: Scanner): string {
  const start = scanner.at;
  const { kind, text } = readValue(scanner, "", DEEPEST);
  return kind === "text" ? text : fail(scanner, "this cannot be a key", start);
}

function readItems(scanner: Scanner, path: string, depth: number, end: string): Value {
  const start = scanner.at;
  const { line } = positionOf(scanner, start);
  scanner.at += 1;
  const items: Value[] = [];
  let hasComma = false;
  while (!closes(scanner, end, start)) {
    items.push(readValue(scanner, `${path}[${items.length}]`, depth + 1));
    hasComma = separate(scanner, end) || hasComma;
  }
  const [only] = items;
  // Brackets around one value only group it.
  if (end === ")" && only !== undefined && !hasComma) return { ...only, path };
  return listAt({ path, line }, items);
}

function closes(scanner: Scanner, end: string, start: number): boolean {
  skipBlanks(scanner);
  const sign = scanner.text[scanner.at];
  if (sign === undefined) fail(scanner, `the bracket that opens here is not closed`, start);
  if (sign !== end) return false;
  scanner.at += 1;
  return true;
}

/** True when there was a comma. */
function separate(scanner: Scanner, end: string): boolean {
  skipBlanks(scanner);
  const sign = scanner.text[scanner.at];
  if (sign === ",") {
    scanner.at += 1;
    return true;
  }
  if (sign !== end && sign !== undefined) fail(scanner, `a comma or "${end}" is missing before this`);
  return false;
}
