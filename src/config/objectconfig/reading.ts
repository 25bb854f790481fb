// What one set of settings is read from: values with their templates and secrets put in, and what is to be said about them.
import type { Secrets } from "../secrets.ts";
import { withoutCredentials } from "../shown-value.ts";
import type { ObjectConfigFile } from "./read-file.ts";
import { isKnownKey, reasonFor } from "./reasons.ts";
import type { Entries, Value } from "./value.ts";

/** Something the operator should know of a key; nothing in it is secret. */
export interface Note {
  readonly file: string;
  /** 0: not from the file. */
  readonly line: number;
  readonly key: string;
  /** As written, cut; "(defined)" for secrets, empty where there is none. */
  readonly value: string;
  readonly why: string;
}

export interface Problem {
  readonly line: number;
  readonly text: string;
}

export interface Reading {
  readonly file: ObjectConfigFile;
  /** In force: those of all monitors, with the monitor's above them. */
  readonly values: Entries;
  readonly secrets: Secrets | null;
  /** Every value that something was read from, or that something was said about. */
  readonly seen: Set<Value>;
  /** What came of each text, templates and all. */
  readonly resolved: Map<Value, Resolved>;
  readonly notes: Note[];
  readonly problems: Problem[];
}

/** Says it of the value, and of all that is in it. */
export function note(reading: Reading, value: Value, why: string): void {
  reading.notes.push(noteOf(reading.file.path, value, why));
  seeAll(reading, value);
}

/** Nobody reads more; a file that is wrong throughout must not keep the cameras waiting. */
export const MOST_PROBLEMS = 100;
/** As many unknown keys are compared with all known ones, for what was meant by them. */
const MOST_GUESSES = 100;

/** A value that cannot be used: the settings are not, then. `what` goes on after the key. */
export function complain(reading: Reading, value: Value, what: string): void {
  seeAll(reading, value);
  if (reading.problems.length >= MOST_PROBLEMS) return;
  const path = printablePath(value.path);
  const isTold = reading.problems.some(
    ({ line, text }) => line === value.line && text.startsWith(`${path}:`),
  );
  if (!isTold) reading.problems.push({ line: value.line, text: `${path}: ${what}` });
}

export function seeAll(reading: Reading, value: Value): void {
  reading.seen.add(value);
  for (const each of [...value.items, ...value.entries.values()]) seeAll(reading, each);
}

/** One note for each value that nothing was read from; one for a map or list of which nothing was. */
export function unseenNotes(file: ObjectConfigFile, seen: ReadonlySet<Value>): readonly Note[] {
  let told = 0;
  const of = (value: Value): readonly Note[] => {
    if (seen.has(value) || isAnySeen(value, seen)) return below(value);
    told += 1;
    return [noteOf(file.path, value, reasonFor(value.path, file, told <= MOST_GUESSES))];
  };
  const below = (value: Value) => [...value.items, ...value.entries.values()].flatMap(of);
  const all = [file.values, ...file.monitors.values()].flatMap((entries) => [...entries.values()]);
  return all.flatMap(of);
}

function isAnySeen(value: Value, seen: ReadonlySet<Value>): boolean {
  return seen.has(value) || [...value.items, ...value.entries.values()].some((each) => isAnySeen(each, seen));
}

function noteOf(file: string, value: Value, why: string): Note {
  return { file, line: value.line, key: printablePath(value.path), value: shownValue(value), why };
}

/** A name that is none may be what went wrong with a secret. */
function printablePath(path: string): string {
  return path.replace(/[^\w.[\] <>-]/g, "?").slice(0, 120);
}

const SECRET_NAME = /pass|pwd|secret|token|key$|user|auth|credential|account/i;
/** What may be shown of a key that nobody knows. */
const HARMLESS = /^(-?\d{1,3}(\.\d{1,3})?%?|yes|no|on|off|true|false)$/i;
const LONGEST_SHOWN = 60;

/** For people, on one line; never a secret. */
export function shownValue(value: Value): string {
  switch (value.kind) {
    case "nothing":
      return "";
    case "list":
      return "[...]";
    case "map":
      return "{...}";
    case "text": {
      const key = value.path.slice(value.path.lastIndexOf(".") + 1);
      if (value.text === "") return "";
      // A dictionary in a text may hold anything.
      if (/^\s*[{[](?!\{)/.test(value.text)) return value.text.trim().startsWith("{") ? "{...}" : "[...]";
      if (!isKnownKey(key) && !HARMLESS.test(value.text.trim())) return "(defined)";
      if (SECRET_NAME.test(key) || value.text.trim().startsWith("!")) return "(defined)";
      const text = /^\w+:\/\//.test(value.text.trim()) ? withoutCredentials(value.text.trim()) : value.text;
      const line = text.replace(/\s+/g, " ").trim();
      return line.length > LONGEST_SHOWN ? `${line.slice(0, LONGEST_SHOWN)}...` : line;
    }
  }
}

export interface Resolved {
  readonly text: string;
  /** True when it, or a part of it, must not be shown. */
  readonly isSecret: boolean;
}

/** References of references; who goes round in a circle comes this far. */
const DEEPEST_REFERENCE = 10;
/** Nobody's value is longer; doubling references would be. */
const LONGEST_TEXT = 20_000;
const TEMPLATE = /\{\{\s*(\w{1,64})\s*\}\}|\$\{(\w{1,64})\}/g;

/** The text with secrets and templates put in; a reference that leads nowhere is complained about. */
export function resolve(reading: Reading, value: Value, depth = 0): Resolved {
  reading.seen.add(value);
  const known = reading.resolved.get(value);
  if (known !== undefined) return known;
  const plain = secretOf(reading, value, value.text.trim());
  // Version 3.2 knew neither.
  const found = reading.file.version === 3 ? plain : withTemplates(reading, value, plain, depth);
  reading.resolved.set(value, found);
  return found;
}

function withTemplates(reading: Reading, value: Value, plain: Resolved, depth: number): Resolved {
  let isSecret = plain.isSecret;
  const text = plain.text.replace(TEMPLATE, (whole, braces?: string, dollar?: string) => {
    const name = braces ?? dollar ?? "";
    const target = reading.values.get(name.toLowerCase()) ?? reading.values.get(name);
    const isEndless = depth === DEEPEST_REFERENCE;
    if (target === undefined ? DEFAULTS.has(name) : isSingle(target) && !isEndless) {
      const found = target === undefined ? undefined : resolve(reading, target, depth + 1);
      isSecret ||= found?.isSecret === true;
      return found?.text ?? DEFAULTS.get(name) ?? "";
    }
    const why = target === undefined ? "names no key of this file" : "names no single value";
    const shown = isSecret ? "a template" : whole;
    complain(reading, value, `${shown} ${isSingle(target) ? "goes round in a circle" : why}`);
    return "";
  });
  if (text.length <= LONGEST_TEXT) return { text, isSecret };
  complain(reading, value, `it is longer than ${LONGEST_TEXT} characters`);
  return { text: "", isSecret };
}

function isSingle(value: Value | undefined): boolean {
  return value?.kind === "text" || value?.kind === "nothing";
}

/** What templates may name although the file does not have it: the original's own defaults. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["base_data_path", "/var/lib/zmeventnotification"],
  ["object_detection_pattern", ".*"],
  ["face_detection_pattern", ".*"],
  ["alpr_detection_pattern", ".*"],
  ["object_min_confidence", "0.4"],
  ["object_processor", "cpu"],
  ["max_detection_size", ""],
  ["past_det_max_diff_area", "5%"],
]);

function secretOf(reading: Reading, value: Value, text: string): Resolved {
  if (reading.file.version === 3 || !text.startsWith("!") || text === "!") return { text, isSecret: false };
  const name = text.slice(1).trim();
  const hidden = { text: "", isSecret: true };
  if (reading.secrets === null) {
    complain(
      reading,
      value,
      "it names a secret (a value beginning with !), but secrets names no file in [general]",
    );
    return hidden;
  }
  const found = reading.secrets.lookUp(name);
  if (found.found) return { text: found.value, isSecret: true };
  // A password that begins with "!" is easily taken for the name of a secret.
  const shown = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/i.test(name) ? name : "it names";
  complain(reading, value, `the secret ${shown} cannot be used: ${found.why}`);
  return hidden;
}
