// Says in sentences what was decided about an alarm and what came of it.
import type { AlarmRecord, DeliveryRecord, SocketCounts } from "../domain/history.ts";
import type { ChannelName } from "../domain/notice.ts";
import type { Refusal } from "../domain/policy.ts";

/** One alarm: a heading, then a line for the sockets and one for each recipient. */
export function explainAlarm(record: AlarmRecord): readonly string[] {
  const { alarm, withheld, sockets, deliveries, found = [] } = record;
  const cause = alarm.cause === "" ? "" : `, ${alarm.cause}`;
  const which = alarm.edge > 1 ? `alarm ${alarm.edge} of the event, ` : "";
  const late = alarm.late ? ", found after the fact" : "";
  const heading = `${alarm.monitor.name} (monitor ${alarm.monitor.id})${cause}: ${which}${PHASES[alarm.phase]}seen at ${moment(alarm.seenAt)}${late}`;
  if (withheld !== null) return [heading, `  nobody was told: ${WITHHELD[withheld]}`];
  return [
    heading,
    ...found.map((sentence) => `  ${sentence}`),
    `  ${explainSockets(sockets, alarm.monitor.id)}`,
    ...deliveries.map((each) => `  ${each.label}: ${explainDelivery(each, record)}`),
  ];
}

/** What is asked of `zmes outbox`: one notice that waits or was given up. */
export function explainWaiting({ alarm }: Pick<AlarmRecord, "alarm">, its: DeliveryRecord, now: number) {
  const event = alarm.eventId === null ? "an alarm without an event" : `event ${alarm.eventId}`;
  const about = `${its.label}: ${event} of ${alarm.monitor.name}, ${moment(its.createdAt)}`;
  const words = its.words === "" ? "" : `: ${its.words}`;
  if (its.state === "dead") return `${about}; given up after ${attempts(its)}${words}`;
  if (its.attempts === 0) return `${about}; not tried yet${words}`;
  const seconds = Math.max(0, Math.ceil((its.dueAt - now) / 1000));
  return `${about}; ${attempts(its)}, the next in ${seconds} s${words}`;
}

/** Local time as ZoneMinder shows it, with milliseconds. */
export function moment(at: number): string {
  return `${day(at)} ${time(at)}`;
}

const PHASES = {
  started: "",
  updated: "told anew with the answer of its hook, ",
  ended: "its end, ",
} as const;

const WITHHELD = {
  repeat:
    "it came too soon after another alarm of the same event (customize.repeat_cooldown, notify_each_alarm)",
} as const;

const CHANNELS: Readonly<Record<ChannelName, string>> = {
  fcm: "sent to FCM",
  mqtt: "published",
  script: "passed to the script",
};

/** Why somebody is not told; `their` is "its" for one recipient and "their" for several. */
const REFUSALS: Readonly<Record<Refusal, (monitor: number, their: string) => string>> = {
  "not-permitted": (monitor, their) => `${their} user may not see monitor ${monitor}`,
  muted: (monitor) => `monitor ${monitor} is muted (escontrol)`,
  rule: () => "a rule mutes it",
  "channel-off": () =>
    "the channel is on no list that holds here, or switched off (hook.event_*_notify_on_hook_*, customize.send_event_*)",
  "hook-said-no": () => "the hook said no, and the list for that leaves the channel out",
  "monitor-off": (monitor, their) => `monitor ${monitor} is outside ${their} list`,
  "too-soon": (monitor, their) => `${their} interval for monitor ${monitor} was not over`,
};

function explainSockets(counts: SocketCounts | null, monitor: number): string {
  if (counts === null) return "sockets: told, but the program ended before it was noted how many";
  const refusals = Object.entries(counts.refused) as [Refusal, number][];
  const not = refusals.map(([reason, count]) => `; ${count} not: ${REFUSALS[reason](monitor, "their")}`);
  if (counts.told === 0 && not.length === 0) return "sockets: nobody was connected";
  return `sockets: ${counts.told} ${counts.told === 1 ? "client" : "clients"} told${not.join("")}`;
}

function explainDelivery(its: DeliveryRecord, { alarm }: AlarmRecord): string {
  const words = its.words === "" ? "" : `: ${its.words}`;
  const ended = its.endedAt ?? its.createdAt;
  switch (its.state) {
    case "refused":
      return `not sent, ${its.reason === null ? "no reason noted" : REFUSALS[its.reason](alarm.monitor.id, "its")}${ruleIn(its)}`;
    case "pending":
      return its.attempts === 0
        ? `waits for its first attempt since ${moment(its.createdAt)}${words}`
        : `waits after ${attempts(its)}, tried again at ${moment(its.dueAt)}${words}`;
    case "delivered":
      return `${CHANNELS[its.channel]} at ${time(ended)}, ${elapsed(ended - alarm.seenAt)} after the alarm${its.attempts > 1 ? `, after ${attempts(its)}` : ""}${words}`;
    case "expired":
      return `not sent, it expired at ${moment(its.expiresAt)} after ${attempts(its)}${words}`;
    case "dead":
      return `given up at ${moment(ended)} after ${attempts(its)}${words} (zmes outbox retry ${its.id})`;
    case "dropped":
      return `dropped at ${moment(ended)}${words}`;
  }
}

/** Which rule it was. */
function ruleIn({ trace }: DeliveryRecord): string {
  const by = trace.find(({ passed, by: rule }) => !passed && rule !== undefined)?.by;
  return by === undefined ? "" : `: ${by}`;
}

function attempts({ attempts: count }: DeliveryRecord): string {
  return count === 1 ? "1 attempt" : `${count} attempts`;
}

function elapsed(ms: number): string {
  if (ms < 10_000) return `${ms} ms`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

function day(at: number): string {
  const date = new Date(at);
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
}

function time(at: number): string {
  const date = new Date(at);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two);
  return `${parts.join(":")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
