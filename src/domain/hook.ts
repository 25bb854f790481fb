// What a hook (a script that looks at an alarm before it is told) had to say.

/**
 * How it came about. "timed-out" and "dropped" (no room in the queue, too long in it, or it could not be started): told
 * as if there were no hook. "failed": the built-in detector could not look; told the same way, `text` says why. "skipped": hooks are not for this monitor. "bad-json": it ran, only its JSON is lost.
 */
export type HookNote = "ran" | "timed-out" | "dropped" | "failed" | "skipped" | "bad-json";

export interface HookOutcome {
  /** 0: it found something. */
  readonly result: number;
  /** As it was printed; of one that failed, why. */
  readonly text: string;
  /** What it printed behind `--SPLIT--`; null when there was nothing, or nothing readable. */
  readonly json: unknown;
  readonly note: HookNote;
}

/** What is known of an alarm whose monitor is exempt from hooks. */
export const SKIPPED: HookOutcome = { result: 0, text: "", json: null, note: "skipped" };

/** True when it looked at the alarm and came to a conclusion. */
export function hasAnswered(hook: HookOutcome | undefined): boolean {
  return hook !== undefined && (hook.note === "ran" || hook.note === "bad-json");
}

/** True when it says that there is something to see. */
export function saysYes(hook: HookOutcome | undefined): boolean {
  return hasAnswered(hook) && hook?.result === 0;
}
