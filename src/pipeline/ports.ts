// The small interfaces through which the pipeline reaches its neighbours. daemon.ts puts real parts behind them.
import type { Alarm, EventId } from "../domain/alarm.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import type { DurableRecipient } from "../domain/notice.ts";

/** Tells everybody on a live socket. The first slice is written before it returns: no await may come earlier. */
export interface LiveChannel {
  tell(alarms: readonly Alarm[]): void;
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
