// An alarm: one camera saw something. The word every room of the program shares.
import type { HookOutcome } from "./hook.ts";
import type { Monitor, MonitorId } from "./monitor.ts";

/** `Events.Id` of ZoneMinder, a positive whole number. */
export type EventId = number & { readonly __brand: "EventId" };

/** "<monitor>:<event>:<edge>", or "<monitor>:0:<ms>" without an event. The deduplication key everywhere. */
export type AlarmId = string & { readonly __brand: "AlarmId" };

export interface Alarm {
  readonly id: AlarmId;
  readonly monitor: Monitor;
  /** null: ZoneMinder raised the alarm without recording an event (Recording=None). */
  readonly eventId: EventId | null;
  /** The nth alarm inside this event, from 1; more than 1 only in continuous events. */
  readonly edge: number;
  /** "updated": what was told of its beginning, told anew because a hook has answered. */
  readonly phase: "started" | "updated" | "ended";
  /** ZoneMinder's own words, such as "Motion Front,Drive"; never null, may be empty. */
  readonly cause: string;
  /** Milliseconds since 1970, when the watcher saw the change; latency is measured from here. */
  readonly seenAt: number;
  /** True when found after the fact: it began while the program was not watching. */
  readonly late: boolean;
  /** What the hook said; absent when none was to run. */
  readonly hook?: HookOutcome;
  /** True when its monitor was muted as it began: nobody was told, and its end is nobody's news either. */
  readonly muted?: boolean;
  /** A rule says that this alarm matters more than others, for the recipient at hand. */
  readonly critical?: boolean;
}

/** The number as an EventId, or null for 0 and anything else that is no event. */
export function eventId(value: number): EventId | null {
  return Number.isSafeInteger(value) && value > 0 ? (value as EventId) : null;
}

/** Builds the id of an alarm; without an event the moment it was seen stands in for the edge. */
export function alarmId(monitor: MonitorId, event: EventId | null, edge: number, seenAt: number): AlarmId {
  return (event === null ? `${monitor}:0:${seenAt}` : `${monitor}:${event}:${edge}`) as AlarmId;
}
