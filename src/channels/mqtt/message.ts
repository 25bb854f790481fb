// An alarm as it reads on MQTT: the message of the original on its old topic, and our own for automations.
import type { Alarm } from "../../domain/alarm.ts";
import type { Notice, NoticeId } from "../../domain/notice.ts";

/** The words of the original, `eventtype` there; Home Assistant knows them as the types of the event entity. */
export const EVENT_TYPES = ["event_start", "event_end"] as const;

interface OldMessage {
  readonly monitor: string;
  /** "Name:(event) Cause": scripts split it at ":(" and ") ". */
  readonly name: string;
  /** The same at the end of an event: consumers compare it. */
  readonly state: "alarm";
  readonly eventid: string;
  readonly hookvalue: string;
  readonly eventtype: (typeof EVENT_TYPES)[number];
  readonly detection: unknown;
  /** A rule says that it matters more than others. */
  readonly critical?: "true";
  /** Ours, and new: the same however often this message is sent, so that repeats can be left out. */
  readonly zmes_id: NoticeId;
}

/** The message on `<mqtt.topic>/<monitor id>`, with the keys of the original since 5.6 in their order. */
export function oldMessage({ id, alarm }: Notice): string {
  const event = String(alarm.eventId ?? 0);
  const name = `${alarm.monitor.name}:(${event}) ${alarm.cause}`;
  const message: OldMessage = {
    monitor: String(alarm.monitor.id),
    name: alarm.phase === "ended" ? `Ended:${name}` : name,
    state: "alarm",
    eventid: event,
    hookvalue: String(alarm.hook?.result ?? 0),
    eventtype: eventType(alarm),
    detection: alarm.hook?.json ?? [],
    ...(alarm.critical && { critical: "true" }),
    zmes_id: id,
  };
  return JSON.stringify(message);
}

/** The message on our own topic. Home Assistant takes `event_type` out; the rest become attributes. */
export function eventMessage({ id, alarm }: Notice): string {
  return JSON.stringify({
    event_type: eventType(alarm),
    event_id: String(alarm.eventId ?? 0),
    monitor_id: String(alarm.monitor.id),
    monitor: alarm.monitor.name,
    cause: alarm.cause,
    /** When it was seen: it may have waited for the broker. */
    seen_at: new Date(alarm.seenAt).toISOString(),
    ...(alarm.hook && { detection: alarm.hook.json ?? [] }),
    ...(alarm.critical && { critical: "true" }),
    ...(alarm.late && { late: "true" }),
    zmes_id: id,
  });
}

function eventType(alarm: Alarm): (typeof EVENT_TYPES)[number] {
  return alarm.phase === "ended" ? "event_end" : "event_start";
}
