// The names of the topics under "zmes/<server name>", which nobody who listens to the old topics sees.
import { createHash } from "node:crypto";
import { type MonitorId, monitorId } from "../../domain/monitor.ts";

export interface OwnTopics {
  /** "online" or "offline", the last will. */
  readonly status: string;
  readonly version: string;
  readonly motion: (monitor: MonitorId) => string;
  readonly event: (monitor: MonitorId) => string;
  readonly picture: (monitor: MonitorId) => string;
  readonly mute: (monitor: MonitorId) => string;
  readonly muteSet: (monitor: MonitorId) => string;
  /** Matches `motion` of every monitor. */
  readonly motionFilter: string;
  /** The monitor whose `motion` this is; null for any other topic. */
  readonly motionMonitor: (topic: string) => MonitorId | null;
  /** Matches `muteSet` of every monitor. */
  readonly muteSetFilter: string;
  /** The monitor whose `muteSet` this is; null for any other topic. */
  readonly mutedMonitor: (topic: string) => MonitorId | null;
}

/** `serverName` keeps servers apart that share a broker. */
export function ownTopics(serverName: string): OwnTopics {
  const root = `zmes/${asLevel(serverName)}`;
  const of = (part: string) => (monitor: MonitorId) => `${root}/monitor/${monitor}/${part}`;
  return {
    status: `${root}/status`,
    version: `${root}/version`,
    motion: of("motion"),
    event: of("event"),
    picture: of("picture"),
    mute: of("mute"),
    muteSet: of("mute/set"),
    muteSetFilter: `${root}/monitor/+/mute/set`,
    mutedMonitor: (topic) => monitorIn(topic, of("mute/set")),
    motionFilter: `${root}/monitor/+/motion`,
    motionMonitor: (topic) => monitorIn(topic, of("motion")),
  };
}

/** The monitor for which `topicOf` gives that topic: the other way round, for topics with one number in them. */
export function monitorIn(topic: string, topicOf: (monitor: MonitorId) => string): MonitorId | null {
  for (const digits of topic.match(/\d{1,9}(?=\/|$)/g)?.reverse() ?? []) {
    const id = monitorId(Number(digits));
    if (id !== null && topicOf(id) === topic) return id;
  }
  return null;
}

/** The name in characters that client ids and Home Assistant take everywhere. */
export function asIdentifier(name: string): string {
  return kept(name, name.replace(/[^A-Za-z0-9_-]/g, "_"));
}

/** The name as one level of a topic. */
function asLevel(name: string): string {
  return kept(name, name.replace(/[\s/+#\0]/g, "_"));
}

/** A name that had to be changed gets a mark of its own, so that "a b" and "a_b" stay two servers. */
function kept(name: string, changed: string): string {
  return name === changed
    ? name
    : `${changed}_${createHash("sha256").update(name).digest("hex").slice(0, 6)}`;
}
