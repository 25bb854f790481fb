// What a durable channel is: who it can reach, and one attempt to reach one of them.
import type { Alarm } from "../domain/alarm.ts";
import type { Monitor, MonitorId } from "../domain/monitor.ts";
import type { ChannelName, DurableRecipient, Notice } from "../domain/notice.ts";
import type { Part } from "../lib/lifecycle.ts";

export { DeliveryError } from "../domain/delivery-error.ts";

export interface Channel extends Part {
  readonly name: ChannelName;
  /** How many attempts may run at once: one dead endpoint must not hold up the others. */
  readonly concurrency: number;
  /** How long a notice is worth sending, in ms. */
  readonly expiresAfterMs: number;
  /** Everybody it can reach now; asked once per alarm, so it must be cheap. */
  recipients(): readonly DurableRecipient[];
  /**
   * One attempt. Resolves once the other side has accepted, with a sentence for the history ("accepted by FCM");
   * throws a DeliveryError otherwise. A channel whose recipients may have unknown rights looks at them here, too.
   * Anything else thrown counts as a fault of ours and is tried again later.
   */
  deliver(notice: Notice, signal: AbortSignal): Promise<string>;
  /** Calls back when waiting pays no longer (a broker is back): what waits for its next attempt is tried at once. */
  onAvailable?(listener: () => void): void;
  /** Every beginning and end of an alarm as it is seen live, told or not: for channels that show states. */
  stateChanged?(alarms: readonly Alarm[]): void;
  monitorsChanged?(list: MonitorNews): void;
  /** Cameras were muted or are heard again, by whatever way. */
  mutesChanged?(): void;
}

/** The cameras watched from now on. */
export interface MonitorNews {
  readonly monitors: readonly Monitor[];
  /** Read from ZoneMinder, not guessed while its database is away. */
  readonly isComplete: boolean;
  /** Whose alarm was running when the last run ended: no beginning is seen of it again, but its end. */
  wasInAlarm(monitor: MonitorId): boolean;
}
