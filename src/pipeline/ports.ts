// The small interfaces through which the pipeline reaches its neighbours. daemon.ts puts real parts behind them.
import type { Alarm, EventId } from "../domain/alarm.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { DurableRecipient, Notice } from "../domain/notice.ts";
import type { Verdict } from "../domain/policy.ts";

/** Tells everybody on a live socket. The first slice is written before it returns: no await may come earlier. */
export interface LiveChannel {
  tell(alarms: readonly Alarm[]): void;
}

/** What was last told of a monitor; survives a restart so that no alarm is told twice or forgotten. */
export interface ToldMark {
  readonly monitor: MonitorId;
  /** null when the alarm had no event. */
  readonly event: EventId | null;
  readonly edge: number;
  /** ms since 1970 */
  readonly at: number;
  /** True until the end of that alarm was seen. */
  readonly open: boolean;
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

/** What was decided about one alarm: it goes to disk in one message, notices, verdicts and mark together. */
export interface Decision {
  readonly alarm: Alarm;
  readonly notices: readonly Notice[];
  /** One row per recipient of a durable channel, told or not. */
  readonly verdicts: readonly { readonly recipient: DurableRecipient; readonly verdict: Verdict }[];
  readonly mark: ToldMark;
}

/** Takes decisions and delivers their notices. Never throws and never blocks. */
export interface Outbox {
  put(decisions: readonly Decision[]): void;
}
