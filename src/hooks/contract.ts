// The contract with hooks and user scripts: what they are given, in which order, and what their answer means.
import type { Alarm } from "../domain/alarm.ts";
import type { HookOutcome } from "../domain/hook.ts";
import type { ProgramEnd } from "../lib/run-program.ts";

/**
 * Arguments of a hook: event, monitor, name, cause (for an end: the notes of the event) and, where asked for, the
 * folder of the event. As in the original since 3.0; scripts read them by position.
 */
export function hookArguments({ eventId, monitor, cause }: Alarm, folder: string | null): readonly string[] {
  return [
    String(eventId ?? 0),
    String(monitor.id),
    monitor.name,
    cause,
    ...(folder === null ? [] : [folder]),
  ];
}

/** Arguments of a user script, as in the original since 5.14: what the hook said stands around those of the event. */
export function userScriptArguments(
  { eventId, monitor }: Alarm,
  answer: Answer,
  folder: string | null,
): readonly string[] {
  return [
    String(answer.outcome.result),
    String(eventId ?? 0),
    String(monitor.id),
    monitor.name,
    answer.outcome.text,
    answer.jsonText,
    ...(folder === null ? [] : [folder]),
  ];
}

export interface Answer {
  readonly outcome: HookOutcome;
  /** Exactly as it was printed. */
  readonly jsonText: string;
}

/** Between the text for people and the JSON for programs. */
const SPLIT = "--SPLIT--";
/** What the original passes on where a hook printed no JSON. */
const NO_JSON = "[]";
/** Longer than any list of objects; a cause is shown on phones. */
const TEXT_CHARACTERS = 4_000;

/**
 * What a hook that came to its end has said. Without text it found nothing, whatever its exit code; in configurations
 * of versions 1.5 to 4 the exit code alone decides.
 */
export function readAnswer(stdout: string, end: ProgramEnd, isOldDialect: boolean): Answer {
  const printed = stdout.replace(/\r?\n$/, "");
  const at = printed.indexOf(SPLIT);
  const text = at < 0 ? printed : printed.slice(0, at);
  const rest = at < 0 ? "" : printed.slice(at + SPLIT.length).trim();
  const code = end.kind === "exited" ? end.code : 1;
  const isEmpty = text.trim() === "" && !isOldDialect;
  const json = parsed(rest);
  return {
    outcome: {
      result: code === 0 && isEmpty ? 1 : code,
      text: text.slice(0, TEXT_CHARACTERS),
      json: json === undefined ? null : json,
      note: json === undefined ? "bad-json" : "ran",
    },
    jsonText: rest === "" ? NO_JSON : rest,
  };
}

/** Undefined when it is no JSON, or none that can be passed on; null when there is none. */
function parsed(text: string): unknown {
  if (text === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    return isDeeperThan(DEEPEST_JSON, value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Boxes lie in three or four levels. JSON.stringify, unlike JSON.parse, runs out of stack at about 4,000. */
const DEEPEST_JSON = 100;

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeperThan(levels - 1, each));
}
