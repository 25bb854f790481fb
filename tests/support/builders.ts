// Small builders, so that a test names only what it is about.
import { type Alarm, alarmId, type EventId } from "../../src/domain/alarm.ts";
import { type Briefing, plainBriefing } from "../../src/domain/briefing.ts";
import type { EdgeTraits, MonitorState, Reading } from "../../src/domain/edges.ts";
import type { Monitor, MonitorId } from "../../src/domain/monitor.ts";
import type { Recipient } from "../../src/domain/recipient.ts";

export const mid = (id: number): MonitorId => id as MonitorId;
export const eid = (id: number): EventId => id as EventId;

export function aMonitor(change: Partial<Monitor> = {}): Monitor {
  return { id: mid(1), name: "Garage", recording: "on-motion", closesEventOnAlarm: false, ...change };
}

export function anAlarm(change: Partial<Alarm> = {}): Alarm {
  const alarm = {
    monitor: aMonitor(),
    eventId: eid(5060),
    edge: 1,
    phase: "started" as const,
    cause: "Motion All",
    seenAt: 1_000_000,
    late: false,
    ...change,
  };
  return { id: alarmId(alarm.monitor.id, alarm.eventId, alarm.edge, alarm.seenAt), ...alarm };
}

/** Alarms of which nothing is known but themselves. */
export const briefed = (alarms: readonly Alarm[]): readonly Briefing[] => alarms.map(plainBriefing);

export function aRecipient(change: Partial<Recipient> = {}): Recipient {
  return { monitors: "all", intervals: new Map(), rights: "all", lastTold: new Map(), ...change };
}

export function aReading(state: MonitorState, lastEvent: number | null, cause = "Motion"): Reading {
  return { state, lastEvent: lastEvent === null ? null : eid(lastEvent), cause };
}

/** Traits of 1.36: the event's id is in memory before the state says ALARM. */
export function traits(change: Partial<EdgeTraits> = {}): EdgeTraits {
  return {
    idBeforeState: true,
    recording: "on-motion",
    closesEventOnAlarm: false,
    eventIdWaitMs: 1500,
    isWatchedThroughout: true,
    ...change,
  };
}
