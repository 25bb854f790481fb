// An objectconfig file of any version: the settings for each monitor, and what is to be said about its keys.
import type { DetectSettings } from "../../domain/detect-settings.ts";
import { AppError } from "../../lib/errors.ts";
import { readSecrets, type Secrets } from "../secrets.ts";
import type { OwnEngineSettings } from "./engines.ts";
import { framesOf, framesOfOldKeys } from "./frames.ts";
import { aliasesOf, outputOf, pastOf } from "./outcome.ts";
import { withOverride } from "./overrides.ts";
import { type ObjectConfigFile, readObjectConfigFile } from "./read-file.ts";
import { complain, type Note, type Problem, type Reading, resolve, unseenNotes } from "./reading.ts";
import { sequenceOf, sequenceOfOldKeys } from "./sequence.ts";
import { find, scopeOf, takeChoice, takeFlag } from "./take.ts";
import { type Entries, merged, type Value } from "./value.ts";
import { settingsOf3 } from "./version-3.ts";
import { type ZoneRules, zonesOf } from "./zones.ts";

export type { Note } from "./reading.ts";

/** What no objectconfig file says, from the section `detection`. */
export type OwnSettings = OwnEngineSettings & ZoneRules;

export interface ObjectConfig {
  /** Of the original; 6: 4 to 6. */
  readonly version: 3 | 6 | 7;
  /** The secrets file that it names, absolute; null: none. */
  readonly secretsPath: string | null;
  /** Those that have keys of their own, by their ids. */
  readonly monitors: readonly number[];
  /** Throws OBJECTCONFIG_INVALID when what counts for this monitor cannot be used. */
  settingsFor(monitor: number | null, options?: SettingsOptions): DetectSettings;
  /** What cannot be used anywhere in the file, and every key that is not understood or has no effect, in its order. */
  review(): { readonly problems: readonly string[]; readonly notes: readonly Note[] };
}

interface SettingsOptions {
  /** "dotted.path=value", above everything else. */
  readonly overrides?: readonly string[];
  /** "hog": detect_hog.py asks. */
  readonly engine?: "hog" | undefined;
}

/** Reads the text, and the secrets file that it names. Throws OBJECTCONFIG_INVALID when it cannot be read as a whole. */
export function parseObjectConfig(path: string, text: string, own: OwnSettings): ObjectConfig {
  const file = readObjectConfigFile(path, text);
  if (file.problems.length > 0) throw invalid(file.path, file.problems);
  const secrets = openSecrets(file);
  return {
    version: file.version,
    secretsPath: secrets?.path ?? null,
    monitors: [...file.monitors.keys()],
    settingsFor(monitor, options = {}) {
      const { settings, reading } = build(file, secrets, own, monitor, options);
      if (reading.problems.length > 0) throw invalid(file.path, reading.problems);
      return settings;
    },
    review: () => review(file, secrets, own),
  };
}

/** One note as a line. */
export function noteLine({ file, line, key, value, why }: Note): string {
  const what = key === "" ? "" : `${key}${value === "" ? "" : ` = ${value}`}: `;
  return `${placeOf(file, line)} ${what}${why}`;
}

function invalid(path: string, problems: readonly Problem[]): AppError {
  const [first, ...others] = problems;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return new AppError("OBJECTCONFIG_INVALID", {
    place: placeOf(path, first?.line ?? 0),
    problem: `${first?.text}${more}`,
  });
}

function placeOf(path: string, line: number): string {
  return line > 0 ? `${path}:${line}` : path;
}

function build(
  file: ObjectConfigFile,
  secrets: Secrets | null,
  own: OwnSettings,
  monitor: number | null,
  { overrides = [], engine }: SettingsOptions,
): { readonly settings: DetectSettings; readonly reading: Reading } {
  const ofMonitor = monitor === null ? undefined : file.monitors.get(monitor);
  const problems: Problem[] = [];
  const values = withOverrides(valuesFor(file, ofMonitor), overrides, problems);
  const reading: Reading = {
    file,
    values,
    secrets,
    seen: new Set(),
    resolved: new Map(),
    notes: [],
    problems,
  };
  const wantsHog = engine === "hog";
  const settings =
    file.version === 3 ? settingsOf3(reading, ofMonitor, own, wantsHog) : settingsOf(reading, ofMonitor, own);
  return { settings, reading };
}

/** In an INI file a monitor's key stands for the whole value; in YAML, maps are merged. */
function valuesFor(file: ObjectConfigFile, own: Entries | undefined): Entries {
  if (own === undefined) return file.values;
  return file.version === 7 ? merged(file.values, own) : new Map([...file.values, ...own]);
}

function withOverrides(values: Entries, overrides: readonly string[], problems: Problem[]): Entries {
  let changed = values;
  for (const override of overrides) {
    const outcome = withOverride(changed, override);
    if (outcome.ok) changed = outcome.values;
    else problems.push({ line: 0, text: `--override: ${outcome.problem}` });
  }
  return changed;
}

function settingsOf(reading: Reading, ofMonitor: Entries | undefined, own: OwnSettings): DetectSettings {
  seeWhatIsReadElsewhere(reading);
  const ml = takeSequence(reading);
  const general = ml?.entries.get("general")?.entries;
  const stream = reading.values.get("stream_sequence")?.entries;
  const ofObjects = ml?.entries.get("object")?.entries.get("general")?.entries;
  const standard = ml === null ? "first" : "most_models";
  return {
    frames: ml === null ? framesOfOldKeys(reading) : framesOf(reading),
    sequence: ml === null ? sequenceOfOldKeys(reading, own) : sequenceOf(reading, ml, own),
    frameStrategy: takeChoice(
      scopeOf(reading, general, stream),
      FRAME_STRATEGIES,
      standard,
      "frame_strategy",
    ),
    zones: zonesOf(reading, ofMonitor, own),
    past: pastOf(reading, ofObjects, general),
    aliases: aliasesOf(reading, general),
    output: outputOf(reading),
  };
}

const FRAME_STRATEGIES = {
  most_models: "most_models",
  first: "first",
  first_new: "first",
  most: "most",
  most_unique: "most_unique",
} as const;

function seeWhatIsReadElsewhere(reading: Reading): void {
  for (const key of ["secrets", "base_data_path"]) {
    const value = reading.values.get(key);
    if (value !== undefined) reading.seen.add(value);
  }
}

/** Null: the single keys count, by wish or because there is nothing else. */
function takeSequence(reading: Reading): Value | null {
  const usesSequence = takeFlag(scopeOf(reading, reading.values), true, "use_sequence");
  const ml = find(scopeOf(reading, reading.values), "ml_sequence");
  if (reading.file.version === 7 || usesSequence) {
    if (ml?.kind === "map") return ml;
    if (ml !== null) complain(reading, ml, "kinds of models are expected below it");
  }
  return null;
}

function openSecrets(file: ObjectConfigFile): Secrets | null {
  const value = file.values.get("secrets");
  if (file.version === 3 || value?.kind !== "text" || value.text === "") return null;
  const reading: Reading = {
    file,
    values: file.values,
    secrets: null,
    seen: new Set(),
    resolved: new Map(),
    notes: [],
    problems: [],
  };
  const { text } = resolve(reading, value);
  if (reading.problems.length > 0) throw invalid(file.path, reading.problems);
  return readSecrets(text, file.path);
}

/** Reads the file for no monitor and for each that it names: what none of them needs has no effect. */
function review(
  file: ObjectConfigFile,
  secrets: Secrets | null,
  own: OwnSettings,
): ReturnType<ObjectConfig["review"]> {
  const readings = [null, ...file.monitors.keys()].map(
    (monitor) => build(file, secrets, own, monitor, {}).reading,
  );
  if (file.version === 3) readings.push(build(file, secrets, own, null, { engine: "hog" }).reading);
  const problems = readings.flatMap((reading) =>
    reading.problems.map(({ line, text }) => `${placeOf(file.path, line)} ${text}`),
  );
  const seen = new Set(readings.flatMap((reading) => [...reading.seen]));
  const said = new Map(readings.flatMap(({ notes }) => notes).map((note) => [noteLine(note), note]));
  const notes = [
    ...said.values(),
    ...unseenNotes(file, seen),
    ...file.remarks.map((remark) => remarkNote(file, remark)),
  ];
  return {
    problems: [...new Set([...problems, ...(secrets?.problems ?? [])])],
    notes: notes.toSorted((a, b) => a.line - b.line),
  };
}

function remarkNote(file: ObjectConfigFile, { line, text }: Problem): Note {
  return { file: file.path, line, key: "", value: "", why: text };
}
