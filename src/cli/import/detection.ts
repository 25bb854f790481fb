// What is said of the original's detection scripts: they go on being run, or the built-in detector takes their place.
import path from "node:path";
import { loadObjectConfig } from "../../config/objectconfig/kept-file.ts";
import type { Note } from "../../config/objectconfig/object-config.ts";
import { COMMAND_WAY_OUT } from "../../config/objectconfig/reasons.ts";
import type { Config } from "../../config/schema.ts";
import { splitCommand } from "../../lib/command-line.ts";
import { AppError } from "../../lib/errors.ts";
import type { Places } from "./places.ts";
import type { Row } from "./survey.ts";
import { yamlValue } from "./write-config.ts";

export interface DetectionFindings {
  readonly rows: readonly Row[];
  /** What `--detection` shows; empty where no script of the original is used. */
  readonly lines: readonly string[];
  /** For the end of the new file: comments, or with `isWanted` the section itself. */
  readonly fileLines: readonly string[];
  /** What the built-in detector leaves out of the objectconfig when it takes the script's place. */
  readonly foreign: readonly string[];
}

/** `isWanted`: the built-in detector is to take the script's place. Never throws. */
export function lookAtDetection(config: Config, places: Places, isWanted: boolean): DetectionFindings {
  const { event_start_hook, hook_script, event_end_hook } = config.hook;
  const script = [event_start_hook, hook_script].find((command) => isDetection(command)) ?? null;
  const [file, ...others] = places.objectConfigs.map((each) => ({ each, named: places.named(each) }));
  const read = file === undefined ? null : readObjectConfig(file.each, file.named, config);
  const rows = others.map(({ named }) => row(named, "not used", `${file?.named} is newer`));
  const unused = "no script of the original is a hook";
  if (script === null) {
    const first = file === undefined ? [] : [row(file.named, "not used", unused)];
    return { rows: [...first, ...rows], lines: [], fileLines: [], foreign: [] };
  }
  const unsupported = read?.unsupported ?? [];
  const words = wordsFor(script, isWanted, unsupported);
  const section = [
    "detection:",
    "  enable: yes",
    ...(isDetection(event_end_hook) ? ["  at_end: yes"] : []),
    ...(file !== undefined && read?.problem === "" ? [`  config: ${yamlValue(file.named)}`] : []),
  ];
  return {
    rows: file === undefined || read === null ? rows : [rowOf(file.named, isWanted, read), ...rows],
    lines: [...words, "", ...section],
    fileLines: [...words.map(asComment), ...(isWanted ? section : section.map(asComment))],
    foreign: isWanted ? unsupported : [],
  };
}

/** Of versions 1.5 to 7, one by the name that the instructions of 3.2 show; the last four are the programs below the first ones. */
const ORIGINAL_SCRIPTS = new Set([
  "detect_wrapper.sh",
  "person_detect_wrapper.sh",
  "zm_event_start.sh",
  "zm_detect.py",
  "zm_detect_wrapper.sh",
  "detect.py",
  "detect_hog.py",
  "detect_yolo.py",
]);

/** zm_event_end.sh of the original looks at nothing. */
function isDetection(command: string | null): boolean {
  const words = command === null ? [] : (splitCommand(command)?.words ?? []);
  return words.some((word) => ORIGINAL_SCRIPTS.has(path.basename(word)));
}

interface ReadObjectConfig {
  /** Why it cannot be used; "" when it can. */
  readonly problem: string;
  /** Models, or kinds of them, that the built-in detector has no engine for. */
  readonly unsupported: readonly string[];
  /** How many of its keys have no effect, or another one. */
  readonly notes: number;
}

/** `named`: the file by the path that programs know it by. */
function readObjectConfig(file: string, named: string, { detection }: Config): ReadObjectConfig {
  const known = (text: string): string => text.replaceAll(file, named);
  try {
    const { problems, notes } = loadObjectConfig(file, detection).review();
    // A secret may be readable for root alone, or lie in another root: the server says so when it starts.
    const [problem = ""] = problems.filter((text) => !text.includes(": the secret "));
    const unsupported = notes.filter(isModel).map(({ key, line, why }) => {
      const reason = why.replace(`; ${COMMAND_WAY_OUT}`, "");
      return `${key} in line ${line} (${reason})`;
    });
    return { problem: known(problem), unsupported: [...new Set(unsupported)], notes: notes.length };
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return { problem: known(failure.message), unsupported: [], notes: 0 };
  }
}

/** Said of a model, or of a kind of them, not of one of its keys. */
function isModel({ key }: Note): boolean {
  return /(\.sequence\[\d+\]|_framework|alpr_service|detection_sequence|ml_sequence\.\w+)$/.test(key);
}

function rowOf(where: string, isWanted: boolean, { problem, notes }: ReadObjectConfig): Row {
  const without = notes === 0 ? "" : `, but for ${notes} of its keys, which zmes check-config lists`;
  if (isWanted && problem !== "") return row(where, "not used", problem);
  if (isWanted)
    return row(where, notes === 0 ? "taken" : "changed", `the built-in detector reads it${without}`);
  const other = problem === "" ? `can read it too${without}` : `cannot use it: ${problem}`;
  return row(where, "taken", `the original's script reads it, as before; the built-in detector ${other}`);
}

function row(where: string, outcome: Row["outcome"], why: string): Row {
  return { outcome, what: "objectconfig", where, why };
}

function wordsFor(command: string, isWanted: boolean, unsupported: readonly string[]): readonly string[] {
  const left = unsupported.map((text) => `It leaves out ${text}.`);
  // A quoted word may hold anything, ends of lines too.
  const script = command.replace(/\s+/g, " ");
  if (isWanted)
    return [
      `The built-in detector looks at alarms in place of the hook ${script},`,
      "which stays in section hook and runs again when these lines are taken out. The package zmes-detect is needed.",
      ...left,
    ];
  return [
    `The hook ${script} goes on being run, with the Python it needs.`,
    "These lines have the built-in detector (package zmes-detect) look at alarms in its place; zmes import --apply --detection",
    "writes them.",
    ...left,
  ];
}

function asComment(line: string): string {
  return `# ${line}`.trimEnd();
}
