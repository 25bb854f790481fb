// Which cameras the broker knows of, and in which state: announced when they come, removed when they go.
import type { Alarm } from "../../domain/alarm.ts";
import type { Monitor, MonitorId } from "../../domain/monitor.ts";
import type { Logger } from "../../lib/log.ts";
import type { MonitorNews } from "../channel.ts";
import {
  type DiscoveryContext,
  discoveryTopics,
  monitorDiscovery,
  type Offered,
  serverDiscovery,
} from "./discovery.ts";
import type { RetainedTopics } from "./state.ts";

/** Muting of single cameras: the broker shows it as a switch and takes commands for it. */
export interface Mutes {
  isMuted(monitor: MonitorId): boolean;
  /** Somebody moved the switch. */
  set(monitor: MonitorId, muted: boolean): void;
}

export interface EntitiesDeps {
  readonly home_assistant: boolean;
  readonly context: DiscoveryContext;
  readonly retained: RetainedTopics;
  readonly subscribe: (filters: readonly string[]) => Promise<void>;
  readonly mutes: Mutes | null;
  readonly logger: Logger;
}

export interface Entities {
  /**
   * There is a connection, and it is known what this broker is offered: listens first, then announces, so that no
   * command is lost.
   */
  connected(offered: Offered): Promise<void>;
  /** Cameras came, went or got another name. */
  monitorsChanged(list: MonitorNews): void;
  /** Mutes changed elsewhere. */
  mutesChanged(): void;
  stateChanged(alarms: readonly Alarm[]): void;
  onMessage(topic: string, payload: string, retained: boolean): void;
}

/** Far more cameras than any server has: whoever may write to our topics shall not fill our memory. */
const MOST_KNOWN = 10_000;

export function createEntities(deps: EntitiesDeps): Entities {
  const { context, retained, mutes, logger } = deps;
  const { topics } = context;
  const discovery = discoveryTopics(context);
  let monitors: ReadonlyMap<MonitorId, Monitor> | null = null;
  let isComplete = false;
  let offered: Offered | null = null;
  const inAlarm = new Set<MonitorId>();
  /** Cameras that the broker still knows, from this run or an earlier one. */
  const known = new Set<MonitorId>();
  /** Topics of what is not offered: cleared once, because an earlier run may have filled them. */
  const cleared = new Set<string>();

  return {
    async connected(now) {
      await deps.subscribe([
        topics.motionFilter,
        discovery.filter,
        ...(deps.home_assistant ? [discovery.birth] : []),
        ...(now.mute ? [topics.muteSetFilter] : []),
      ]);
      offered = now;
      announce();
    },
    monitorsChanged(list) {
      for (const { id } of list.monitors) if (!monitors?.has(id) && list.wasInAlarm(id)) inAlarm.add(id);
      monitors = new Map(list.monitors.map((monitor) => [monitor.id, monitor]));
      isComplete ||= list.isComplete;
      announce();
      removeGone();
    },
    mutesChanged: announce,
    stateChanged,
    onMessage,
  };

  function announce(): void {
    if (monitors === null) return;
    for (const monitor of monitors.values()) {
      known.add(monitor.id);
      setMotion(monitor.id);
      if (offered === null) continue;
      if (offered.mute && mutes !== null)
        retained.set(topics.mute(monitor.id), onOff(mutes.isMuted(monitor.id)));
      else clearOnce(topics.mute(monitor.id));
      if (!offered.pictures) clearOnce(topics.picture(monitor.id));
      if (deps.home_assistant)
        retained.set(discovery.monitor(monitor.id), monitorDiscovery(monitor, offered, context));
    }
    if (deps.home_assistant && offered !== null) retained.set(discovery.server, serverDiscovery(context));
  }

  /** Only by a list that ZoneMinder gave: Home Assistant forgets names and rooms of what is removed. */
  function removeGone(): void {
    if (monitors === null || !isComplete) return;
    for (const id of known) {
      if (monitors.has(id)) continue;
      known.delete(id);
      inAlarm.delete(id);
      const gone = [topics.motion(id), topics.mute(id), topics.picture(id), discovery.monitor(id)];
      for (const topic of gone) retained.clear(topic);
      logger.info(`Monitor ${id} is no longer watched and was removed from the MQTT broker`);
    }
  }

  function stateChanged(alarms: readonly Alarm[]): void {
    for (const { monitor, phase } of alarms) {
      if (phase === "started") inAlarm.add(monitor.id);
      else inAlarm.delete(monitor.id);
    }
    for (const id of new Set(alarms.map(({ monitor }) => monitor.id))) if (known.has(id)) setMotion(id);
  }

  function onMessage(topic: string, payload: string, isRetained: boolean): void {
    const muted = topics.mutedMonitor(topic);
    if (muted !== null) onMute(muted, payload, isRetained);
    else if (topic === discovery.birth) onBirth(payload, isRetained);
    else if (isRetained && payload !== "") onFound(topic);
  }

  /** Home Assistant has started and may have missed what a broker without memory did not keep. */
  function onBirth(payload: string, isRetained: boolean): void {
    if (payload !== "online" || isRetained) return;
    logger.info("Home Assistant has started: announcing the cameras again");
    retained.sendAll();
  }

  /** The broker remembers something that a run of ours has announced. */
  function onFound(topic: string): void {
    const isDiscovery = discovery.parse(topic);
    if (isDiscovery !== null && !deps.home_assistant) retained.clear(topic);
    const id = isDiscovery === "server" ? null : (isDiscovery ?? topics.motionMonitor(topic));
    if (id === null || known.size >= MOST_KNOWN) return;
    known.add(id);
    removeGone();
  }

  function onMute(id: MonitorId, payload: string, isRetained: boolean): void {
    // A command that was kept is no wish of now.
    if (!offered?.mute || mutes === null || isRetained || !monitors?.has(id)) return;
    if (payload !== "ON" && payload !== "OFF") {
      logger.warn(`A command for the switch of monitor ${id} was ignored: it must be ON or OFF`);
      return;
    }
    logger.info(`Monitor ${id} was ${payload === "ON" ? "muted" : "unmuted"} by MQTT`);
    mutes.set(id, payload === "ON");
    retained.set(topics.mute(id), onOff(mutes.isMuted(id)));
  }

  function setMotion(id: MonitorId): void {
    retained.set(topics.motion(id), onOff(inAlarm.has(id)));
  }

  function clearOnce(topic: string): void {
    if (cleared.has(topic)) return;
    cleared.add(topic);
    retained.clear(topic);
  }
}

function onOff(is: boolean): "ON" | "OFF" {
  return is ? "ON" : "OFF";
}
