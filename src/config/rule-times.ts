// Reads "from" and "to" of a rule by its time_format, with the conversions of strptime(3) that make sense there.
import {
  type FieldValues,
  type RuleWindow,
  WINDOW_FIELDS,
  type WindowField,
  windowPosition,
} from "../domain/rule-window.ts";

export interface WrittenTimes {
  readonly from: string | null;
  readonly to: string | null;
  /** null: the usual ways to write a time of day are understood, "9:30 pm" and "21:30". */
  readonly format: string | null;
}

export type ReadTimes =
  | { readonly ok: true; readonly window: RuleWindow }
  | { readonly ok: false; readonly key: "from" | "to" | "time_format"; readonly text: string };

/** A missing end is the end of the day (or of time, where the format has a date). Never throws. */
export function readTimes({ from, to, format }: WrittenTimes): ReadTimes {
  const own = format === null ? null : readFormat(format);
  if (typeof own === "string") return { ok: false, key: "time_format", text: own };
  const formats = own === null ? usual : formatsFor(own, [from, to]);
  const ends = { from: readEnd(from, formats), to: readEnd(to, formats) };
  for (const key of ["from", "to"] as const)
    if (ends[key] === "wrong") return { ok: false, key, text: expected(key === "from" ? from : to, format) };
  return windowBetween(ends, formats, words(from, to));
}

/** The file that came with version 6 has "1 am" under "%I:%M %p": other times of day are understood besides. */
function formatsFor(own: ReadFormat, texts: readonly (string | null)[]): readonly ReadFormat[] {
  const isKept = texts.every((text) => readEnd(text, [own]) !== "wrong");
  return isKept || own.fields[0] !== "hour" ? [own] : [own, ...usual];
}

/** What is understood without a time_format: the original's own first. */
const USUAL = ["%I:%M %p", "%I %p", "%H:%M", "%I:%M:%S %p", "%H:%M:%S"] as const;

interface ReadFormat {
  readonly pattern: RegExp;
  readonly parts: readonly Part[];
  readonly fields: readonly WindowField[];
}

type Part = WindowField | "hour12" | "half";

interface Directive {
  readonly part: Part;
  readonly pattern: string;
}

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  Y: { part: "year", pattern: "(\\d{4})" },
  m: { part: "month", pattern: "(0?[1-9]|1[0-2])" },
  d: { part: "day", pattern: "(0?[1-9]|[12]\\d|3[01])" },
  H: { part: "hour", pattern: "([01]?\\d|2[0-3])" },
  I: { part: "hour12", pattern: "(0?[1-9]|1[0-2])" },
  M: { part: "minute", pattern: "([0-5]?\\d)" },
  S: { part: "second", pattern: "([0-5]?\\d)" },
  p: { part: "half", pattern: "([ap])m" },
};

/** Other names for the same, or for several. */
const ALIASES: Readonly<Record<string, string>> = {
  "%e": "%d",
  "%k": "%H",
  "%l": "%I",
  "%P": "%p",
  "%F": "%Y-%m-%d",
  "%R": "%H:%M",
  "%T": "%H:%M:%S",
  "%r": "%I:%M:%S %p",
};

/** The format, or what is wrong with it. */
function readFormat(text: string): ReadFormat | string {
  const parts: Part[] = [];
  let pattern = "";
  let unknown: string | null = null;
  const plain = text.trim().replace(/%[a-zA-Z]/g, (letter) => ALIASES[letter] ?? letter);
  for (const [token] of plain.matchAll(/%[\s\S]?|\s+|[^%\s]/g)) {
    const directive = DIRECTIVES[token.slice(1)];
    if (token === "%%") pattern += "%";
    else if (token.startsWith("%") && directive !== undefined) {
      pattern += directive.pattern;
      parts.push(directive.part);
    } else if (token.startsWith("%")) unknown ??= token;
    else pattern += /^\s/.test(token) ? "\\s*" : token.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  }
  if (unknown !== null) return `${JSON.stringify(unknown)} is not understood; known are ${KNOWN}`;
  if (new Set(parts).size < parts.length) return "the same part of a time stands in it twice";
  const fields = fieldsOf(parts);
  return typeof fields === "string" ? fields : { pattern: new RegExp(`^${pattern}$`, "i"), parts, fields };
}

const KNOWN = "%H %I %M %S %p, %R %T %r, and %Y %m %d %F for dates";

/** Read once: they are the same for every rule. */
const usual = USUAL.map(readFormat).filter((read) => typeof read !== "string");

function fieldsOf(parts: readonly Part[]): readonly WindowField[] | string {
  const has = (part: Part) => parts.includes(part);
  if (has("hour12") !== has("half")) return "%I and %p belong together; with 24 hours it is %H";
  if (has("hour12") && has("hour")) return "%H and %I are the same hour twice";
  const fields = WINDOW_FIELDS.filter((field) => has(field) || (field === "hour" && has("hour12")));
  const first = fields[0];
  const start = first === undefined ? -1 : WINDOW_FIELDS.indexOf(first);
  const isWhole = fields.every((field, index) => WINDOW_FIELDS[start + index] === field);
  const isDate = first === "year" || first === "month";
  if (!isWhole || !(first === "hour" || isDate) || (isDate && !fields.includes("day")))
    return "expected a time of day such as %I:%M %p or %H:%M, or a date with or without one, such as %m-%d";
  return fields;
}

type End = FieldValues | "wrong" | null;

function readEnd(text: string | null, formats: readonly ReadFormat[]): End {
  if (text === null) return null;
  for (const { pattern, parts } of formats) {
    // No time is longer, and a format may be.
    const match = pattern.exec(text.trim().slice(0, LONGEST_TIME));
    if (match) return valuesFrom(parts, match.slice(1));
  }
  return "wrong";
}

const LONGEST_TIME = 100;

function valuesFrom(parts: readonly Part[], texts: readonly string[]): FieldValues {
  const values: Partial<Record<WindowField, number>> = {};
  const half = texts[parts.indexOf("half")]?.toLowerCase();
  for (const [index, part] of parts.entries()) {
    const number = Number(texts[index]);
    if (part === "hour12") values.hour = (number % 12) + (half === "p" ? 12 : 0);
    else if (part !== "half") values[part] = number;
  }
  return values;
}

function windowBetween(
  ends: { readonly from: End; readonly to: End },
  formats: readonly ReadFormat[],
  text: string,
): ReadTimes {
  const [from, to] = [ends.from, ends.to].map((end) => (end === "wrong" ? null : end));
  const fields = formats.length === 1 ? (formats[0]?.fields ?? []) : usualFields(from, to);
  const position = (end: FieldValues) => windowPosition(fields, end);
  const window: RuleWindow = {
    fields,
    from: from ? position(from) : Number.NEGATIVE_INFINITY,
    // Without seconds a minute belongs to the window as a whole, also where the other end has them.
    to: to ? position({ second: 59, ...to }) : Number.POSITIVE_INFINITY,
    words: text,
  };
  if (fields[0] === "year" && window.from > window.to)
    return { ok: false, key: "to", text: "it is before from" };
  return { ok: true, window };
}

/** Minutes, also where one end is "9 pm"; seconds where one of them has them. */
function usualFields(...ends: readonly (FieldValues | null | undefined)[]): readonly WindowField[] {
  return ends.some((end) => end?.second !== undefined) ? ["hour", "minute", "second"] : ["hour", "minute"];
}

function words(from: string | null, to: string | null): string {
  if (from === null) return `until ${to ?? ""}`;
  return to === null ? `from ${from}` : `${from} to ${to}`;
}

function expected(text: string | null, format: string | null): string {
  const got = JSON.stringify((text ?? "").slice(0, LONGEST_TIME));
  const midnight = /^\s*24:00/.test(text ?? "") ? "; the day ends at 23:59, which belongs to it" : "";
  if (format !== null)
    return `expected a time as time_format ${JSON.stringify(format)} has it, got ${got}${midnight}`;
  return `expected a time such as 9:30 pm or 21:30, got ${got}${midnight}`;
}
