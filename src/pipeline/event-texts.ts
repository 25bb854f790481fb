// What ZoneMinder's notes say of an event, and what a hook adds to them.
import type { Alarm } from "../domain/alarm.ts";
import { type HookOutcome, saysYes } from "../domain/hook.ts";
import { labelsOf } from "../domain/labels.ts";
import { within } from "../lib/within.ts";
import type { EventLookup, EventNotes } from "./ports.ts";

export interface EventTextsDeps {
  readonly events: EventLookup;
  /** Absent: nothing is written. */
  readonly notes?: EventNotes;
  /** The section "hook". */
  readonly hook: { readonly use_hook_description: boolean; readonly tag_detected_objects: boolean };
}

/** Notes are welcome, but no alarm waits longer than this for them. */
const NOTES_DEADLINE_MS = 300;

/** The notes of the alarm's event, or null when there are none to be had in time. */
export async function notesOf({ eventId }: Alarm, { events }: EventTextsDeps): Promise<string | null> {
  return eventId === null ? null : within(events.notes(eventId), NOTES_DEADLINE_MS);
}

/** Puts what a hook found in front of the notes; as often as one likes: what stands there is not written again. */
export function noteAnswer(
  { eventId }: Alarm,
  answer: HookOutcome | undefined,
  { notes, hook }: EventTextsDeps,
): void {
  if (eventId === null || answer === undefined || !saysYes(answer)) return;
  if (hook.use_hook_description) notes?.prepend(eventId, answer.text);
}

/** Makes tags of the event out of what a hook found. */
export function tagAnswer(
  { eventId }: Alarm,
  answer: HookOutcome | undefined,
  { notes, hook }: EventTextsDeps,
): void {
  if (eventId === null || answer === undefined || !saysYes(answer)) return;
  if (hook.tag_detected_objects) notes?.tag(eventId, labelsOf(answer.json));
}
