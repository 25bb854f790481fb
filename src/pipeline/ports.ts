// The small interfaces through which the pipeline reaches its neighbours. daemon.ts puts real parts behind them.
import type { Alarm, AlarmId, EventId } from "../domain/alarm.ts";
import type { Briefing } from "../domain/briefing.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import type { HookOutcome } from "../domain/hook.ts";
import type { DurableRecipient, RecipientId } from "../domain/notice.ts";
import type { Refusal } from "../domain/policy.ts";

/** Tells everybody on a live socket. The first slice is written before it returns: no await may come earlier. */
export interface LiveChannel {
  tell(alarms: readonly Briefing[]): void;
}

/** What was decided about the beginning of an alarm in an earlier run. Null when nobody knows. */
export interface Starts {
  startOf(alarm: AlarmId): Promise<{
    readonly alarm: Alarm;
    readonly withheld: Decision["withheld"];
    readonly refused: readonly (readonly [RecipientId, Refusal])[];
  } | null>;
}

/** The scripts that look at an alarm before it is told. Nothing of it throws. */
export interface Hooks {
  /** "run": one looks at this alarm; "skip": hooks are on, but not for its monitor; "none": there is none. */
  plan(alarm: Alarm): "run" | "skip" | "none";
  /**
   * Takes a place in the queue; the answer runs the hook for the alarm as it is by then, when its turn has come. It waits
   * since `since`, of the monotonic clock, or since now.
   */
  enter(alarm: Alarm, since?: number): (alarm: Alarm) => Promise<HookOutcome>;
}

/** Writes what a hook found into ZoneMinder's database. Never throws and never waits. */
export interface EventNotes {
  /** Puts the text in front of the notes, and again after ZoneMinder has closed the event, if it is gone by then. */
  prepend(event: EventId, text: string): void;
  /** What was detected becomes tags of the event. */
  tag(event: EventId, names: readonly string[]): void;
}

/** Keeps marks on disk. Never throws and never blocks: a full disk costs the mark, not the alarm. */
export interface Marks {
  put(marks: readonly ToldMark[]): void;
}

/** Looks up what shared memory does not say. */
export interface EventLookup {
  /** `Events.Notes`, or null when the event is not there or the database is away. */
  notes(event: EventId): Promise<string | null>;
}

/** Everybody the durable channels can reach now. */
export interface DurableRecipients {
  all(): readonly DurableRecipient[];
  /** How long a notice to this recipient is worth sending, in ms. */
  expiresAfterMs(recipient: DurableRecipient): number;
}

/** Takes decisions and delivers their notices. Never throws and never blocks. */
export interface Outbox {
  put(decisions: readonly Decision[]): void;
}
