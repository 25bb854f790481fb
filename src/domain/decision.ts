// What was decided about one alarm: for every recipient of a durable channel, and for its monitor's mark.
import type { Alarm, EventId } from "./alarm.ts";
import type { MonitorId } from "./monitor.ts";
import type { DurableRecipient, Notice } from "./notice.ts";
import type { Verdict } from "./policy.ts";

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

/** It goes to disk in one message: notices, verdicts and mark together. */
export interface Decision {
  readonly alarm: Alarm;
  /** One for each verdict that says "send", in the order of the verdicts. */
  readonly notices: readonly Notice[];
  /** One for each recipient of a durable channel, told or not. */
  readonly verdicts: readonly { readonly recipient: DurableRecipient; readonly verdict: Verdict }[];
  /** Why nobody at all is told: it repeats an alarm of the same event too soon. */
  readonly withheld: "repeat" | null;
  /** null when it was kept before, by itself. */
  readonly mark: ToldMark | null;
  /** What was found out about the alarm itself, in sentences: the hook's answer, orders, rules. */
  readonly found?: readonly string[];
}
