// Several alarms inside one continuous event: which of them are worth telling.
import type { Alarm, EventId } from "./alarm.ts";
import type { MonitorId } from "./monitor.ts";

export interface RepeatOptions {
  /** Whether the second and later alarms inside one event are told at all. */
  readonly notify_each_alarm: boolean;
  /** Least number of seconds between two told alarms of the same event. */
  readonly repeat_cooldown: number;
}

export interface RepeatGuard {
  /** Decides, and remembers what it let through. Alarms of different events are never repeats. */
  isWorthTelling(alarm: Alarm): boolean;
}

export function createRepeatGuard(options: RepeatOptions): RepeatGuard {
  const lastTold = new Map<MonitorId, { readonly event: EventId; readonly at: number }>();
  return {
    isWorthTelling({ monitor, eventId, edge, seenAt }) {
      if (eventId === null) return true;
      const { notify_each_alarm, repeat_cooldown } = options;
      const last = lastTold.get(monitor.id);
      if (edge > 1 && !notify_each_alarm) return false;
      // A moment in the future means that the clock was set back, maybe by hours: better told twice than never.
      const isSoon = last !== undefined && last.at <= seenAt && seenAt - last.at < repeat_cooldown * 1000;
      if (last?.event === eventId && isSoon) return false;
      lastTold.set(monitor.id, { event: eventId, at: seenAt });
      return true;
    },
  };
}
