// The command lines of the original's scripts, read by their own rules: positions for the shell scripts, Python's argparse
// (parse_known_args) for the others.
import path from "node:path";
import type { DetectRequest } from "../../detect/socket-messages.ts";

/** The scripts that zmes stands in for. */
export const SCRIPTS = [
  "zm_event_start.sh",
  "zm_event_end.sh",
  "zm_detect.py",
  "detect_wrapper.sh",
  "detect_yolo.py",
  "detect_hog.py",
] as const;
export type ScriptName = (typeof SCRIPTS)[number];

/** What a call wants. */
export type ScriptCall =
  | { readonly kind: "look"; readonly request: DetectRequest; readonly isDebug: boolean }
  /** `labels`: found without looking, for trying out what comes after. */
  | { readonly kind: "fake"; readonly request: DetectRequest; readonly labels: readonly string[] }
  | { readonly kind: "version"; readonly isBare: boolean }
  /** Said on stdout; exit code 0. */
  | { readonly kind: "echo"; readonly text: string }
  | { readonly kind: "refused"; readonly why: string; readonly exitCode: number };

export function scriptName(text: string): ScriptName | null {
  return SCRIPTS.find((name) => name === text) ?? null;
}

/** Never throws. */
export function readScriptCall(name: ScriptName, argv: readonly string[]): ScriptCall {
  switch (name) {
    case "zm_event_start.sh":
    case "detect_wrapper.sh": {
      const [event = "", monitor, , cause, folder] = argv;
      return look({ event, ...(monitor && { monitor }), cause: cause ?? "", ...(folder && { folder }) });
    }
    case "zm_event_end.sh":
      return { kind: "echo", text: argv[3] ?? "" };
    case "detect_yolo.py":
    case "detect_hog.py":
      return oldDetect(name, argv);
    case "zm_detect.py":
      return zmDetect(argv);
  }
}

/** Of version 3.2. What argparse misses is exit code 2. */
function oldDetect(name: ScriptName, argv: readonly string[]): ScriptCall {
  const given = readOptions(OLD_OPTIONS, argv);
  if (typeof given === "string") return { kind: "refused", why: given, exitCode: 2 };
  if (given.has("help")) return { kind: "echo", text: HELP };
  const event = last(given, "eventid");
  if (event === undefined)
    return { kind: "refused", why: "the following arguments are required: -e/--eventid", exitCode: 2 };
  const call = look({ event, ...common(given) });
  if (call.kind !== "look" || name !== "detect_hog.py") return call;
  return { ...call, request: { ...call.request, options: { ...call.request.options, engine: "hog" } } };
}

/** Of versions 6 and 7. */
function zmDetect(argv: readonly string[]): ScriptCall {
  const given = readOptions(NEW_OPTIONS, argv);
  if (typeof given === "string") return { kind: "refused", why: given, exitCode: 2 };
  if (given.has("help")) return { kind: "echo", text: HELP };
  if (given.has("version") || given.has("bareversion"))
    return { kind: "version", isBare: given.has("bareversion") };
  const [event, file, drawIn] = [last(given, "eventid"), last(given, "file"), last(given, "output-path")];
  if (event === undefined && file === undefined)
    return { kind: "refused", why: "--eventid or --file is needed", exitCode: 1 };
  const name = file === undefined ? event : path.parse(file).name;
  const call = look({
    ...(file === undefined ? { event: event ?? "" } : { file }),
    ...common(given),
    cause: last(given, "reason") ?? "",
    ...(drawIn && { drawTo: path.join(drawIn, `${name}-objdetect.jpg`) }),
    overrides: given.get("override") ?? [],
    notes: given.has("notes"),
  });
  if (call.kind !== "look") return call;
  const fake = last(given, "fakeit");
  if (fake === undefined) return { ...call, isDebug: given.has("debug") };
  const labels = fake.split(",").flatMap((label) => label.trim() || []);
  return { kind: "fake", request: call.request, labels };
}

function common(given: Given) {
  const [config, folder, monitor] = [
    last(given, "config"),
    last(given, "eventpath"),
    last(given, "monitorid"),
  ];
  return { ...(config && { config }), ...(folder && { folder }), ...(monitor && { monitor }) };
}

interface Wanted {
  readonly event?: string;
  readonly file?: string;
  readonly monitor?: string;
  readonly cause?: string;
  readonly folder?: string;
  readonly config?: string;
  readonly drawTo?: string;
  readonly overrides?: readonly string[];
  readonly notes?: boolean;
}

/** The server's own limits. */
const LONGEST_CAUSE = 4096;

function look(wanted: Wanted): ScriptCall {
  const event = wanted.event === undefined ? null : number(wanted.event);
  if (wanted.event !== undefined && event === null)
    return { kind: "refused", why: `"${wanted.event}" is not the number of an event`, exitCode: 1 };
  const request: DetectRequest = {
    event,
    file: absolute(wanted.file),
    monitor: number(wanted.monitor ?? ""),
    cause: (wanted.cause ?? "").slice(0, LONGEST_CAUSE),
    path: absolute(wanted.folder),
    options: {
      config: absolute(wanted.config),
      overrides: wanted.overrides ?? [],
      writesFiles: true,
      drawTo: absolute(wanted.drawTo),
    },
    ...(event !== null && { records: { notes: wanted.notes ?? false } }),
  };
  return { kind: "look", request, isDebug: false };
}

function number(text: string): number | null {
  return /^\s*\d{1,15}\s*$/.test(text) && Number(text) > 0 ? Number(text) : null;
}

function absolute(file: string | undefined): string | null {
  return file === undefined ? null : path.resolve(file);
}

interface Option {
  readonly long: string;
  readonly short: string | null;
  readonly takesValue: boolean;
}

const option = (long: string, short: string | null, takesValue = true): Option => ({
  long,
  short,
  takesValue,
});
const HELP = "zmes stands in for this script, with its arguments: docs/detection.md lists them.";
const EVENT_OPTIONS = [
  option("help", "h", false),
  option("config", "c"),
  option("eventid", "e"),
  option("eventpath", "p"),
  option("monitorid", "m"),
];
const OLD_OPTIONS = [...EVENT_OPTIONS, option("time", "t")];
const NEW_OPTIONS = [
  ...EVENT_OPTIONS,
  option("version", "v", false),
  option("bareversion", null, false),
  option("output-path", "o"),
  option("file", "f"),
  option("reason", "r"),
  option("notes", "n", false),
  option("debug", "d", false),
  option("override", "O"),
  option("fakeit", null),
];

/** By the long name, in order; options that take nothing have an empty list. */
type Given = ReadonlyMap<string, readonly string[]>;

function last(given: Given, name: string): string | undefined {
  return given.get(name)?.at(-1);
}

/**
 * As argparse: `--name value`, `--name=value`, unique abbreviations, `-e1`, `-e=1`, `-nd`. What it does not know is left out.
 * A sentence says what is wrong.
 */
function readOptions(options: readonly Option[], argv: readonly string[]): Given | string {
  const given = new Map<string, string[]>();
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (word === "--") break;
    for (const part of partsOf(word, options)) {
      if ("wrong" in part) return part.wrong;
      const { name, takesValue, inline } = part;
      if (!takesValue && inline !== undefined) return `argument --${name}: ignored explicit argument`;
      const values = given.get(name) ?? [];
      given.set(name, values);
      if (!takesValue) continue;
      const value = inline ?? argv[index + 1];
      if (value === undefined || (inline === undefined && looksLikeOption(value)))
        return `argument --${name}: expected one argument`;
      if (inline === undefined) index += 1;
      values.push(value);
    }
  }
  return given;
}

type Part =
  | { readonly name: string; readonly takesValue: boolean; readonly inline: string | undefined }
  | { readonly wrong: string };

/** The options in one word; none when it is not known, or no option at all. */
function partsOf(word: string, options: readonly Option[]): readonly Part[] {
  const [, typed, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (typed !== undefined) {
    const exact = options.find(({ long }) => long === typed);
    const begun = exact ? [exact] : options.filter(({ long }) => long.startsWith(typed));
    const [only] = begun;
    if (only === undefined) return [];
    if (begun.length > 1) {
      const names = begun.map(({ long }) => `--${long}`).join(", ");
      return [{ wrong: `ambiguous option: --${typed} could match ${names}` }];
    }
    return [{ name: only.long, takesValue: only.takesValue, inline }];
  }
  if (!/^-[^-]/s.test(word)) return [];
  const parts: Part[] = [];
  for (let rest = word.slice(1); rest !== ""; rest = rest.slice(1)) {
    const found = options.find(({ short }) => short === rest[0]);
    if (found === undefined) return parts;
    const { long: name, takesValue } = found;
    const value = rest.length > 1 ? rest.slice(1).replace(/^=/, "") : undefined;
    parts.push({ name, takesValue, inline: takesValue ? value : undefined });
    if (takesValue) break;
  }
  return parts;
}

/** A dash at the beginning, unless it is a number or has blanks in it. */
function looksLikeOption(word: string): boolean {
  return /^-./s.test(word) && !/^-\d+$|^-\d*\.\d+$/.test(word) && !word.includes(" ");
}
