// What the text of a hook makes of the cause of an alarm.
import type { Alarm } from "../domain/alarm.ts";
import { type HookOutcome, saysYes } from "../domain/hook.ts";

/** Keys of the section "hook". */
export interface HookTextOptions {
  readonly use_hook_description: boolean;
  readonly keep_frame_match_type: boolean;
}

/** The words ZoneMinder's web pages and the apps look for in `Events.Notes` to show what was detected. */
const DETECTED = "detected:";

/** The text as it is told; empty when the configuration does not want it or the hook says no. */
export function toldText(hook: HookOutcome | undefined, options: HookTextOptions): string {
  if (!options.use_hook_description || hook === undefined || !saysYes(hook)) return "";
  return withoutMark(hook.text, options);
}

/** Without the mark of the frame in front, where the configuration does not want people to read it. */
export function withoutMark(text: string, { keep_frame_match_type }: HookTextOptions): string {
  return keep_frame_match_type ? text : text.replace(/^\[[asx]\] /, "");
}

/** A beginning with the answer of its hook: its text stands before the cause; in old configurations instead of it. */
export function withAnswer(
  alarm: Alarm,
  hook: HookOutcome,
  options: HookTextOptions,
  isOldDialect: boolean,
): Alarm {
  const text = toldText(hook, options);
  if (text === "") return { ...alarm, hook };
  return { ...alarm, hook, cause: isOldDialect || alarm.cause === "" ? text : `${text} ${alarm.cause}` };
}

/** The cause of an end: the notes of its event, with what the hook said of the beginning in front, once. */
export function causeOfEnd(cause: string, notes: string | null, startText: string): string {
  const now = notes === null || notes.trim() === "" ? cause : notes;
  const text = startText.trim();
  return text === "" || says(now, text) ? now : `${text} ${now}`.trim();
}

/** An end with the answer of its hook. Stock hooks print the notes again: nothing is said twice. */
export function endWithAnswer(alarm: Alarm, hook: HookOutcome, options: HookTextOptions): Alarm {
  const text = toldText(hook, options).trim();
  if (!text.includes(DETECTED) || says(alarm.cause, text)) return { ...alarm, hook };
  return { ...alarm, hook, cause: text.includes(alarm.cause) ? text : `${text} ${alarm.cause}` };
}

/** What of the answer to an end belongs into the notes: what was detected and does not stand in its cause yet. */
export function notesOfEnd(
  cause: string,
  hook: HookOutcome,
  { use_hook_description }: HookTextOptions,
): string {
  if (!use_hook_description || !saysYes(hook)) return "";
  const text = hook.text.replace(cause, "").trim();
  return text.includes(DETECTED) && !says(cause, text) ? text : "";
}

/** In whole words: "motion" is not said by "Slowmotion zone". */
function says(all: string, text: string): boolean {
  return ` ${all} `.includes(` ${text} `);
}
