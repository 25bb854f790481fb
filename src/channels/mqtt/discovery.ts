// What Home Assistant is told about each camera and about this server, so that it shows them without being configured.
import type { Monitor, MonitorId } from "../../domain/monitor.ts";
import { EVENT_TYPES } from "./message.ts";
import { asIdentifier, monitorIn, type OwnTopics } from "./topics.ts";

export interface DiscoveryContext {
  /** `mqtt.home_assistant_prefix` */
  readonly prefix: string;
  readonly serverName: string;
  readonly version: string;
  readonly topics: OwnTopics;
}

/** What a camera has besides motion and events. */
export interface Offered {
  readonly pictures: boolean;
  readonly mute: boolean;
}

/**
 * One message per device (Home Assistant 2024.11 and later): "<prefix>/device/<node>/<object>/config". The node is
 * this server's, so that one subscription shows what an earlier run announced, and nothing of anybody else.
 */
export interface DiscoveryTopics {
  readonly server: string;
  readonly monitor: (monitor: MonitorId) => string;
  /** Matches all of them. */
  readonly filter: string;
  /** Whose topic it is; null when it is none of ours. */
  readonly parse: (topic: string) => MonitorId | "server" | null;
  /** Where Home Assistant says "online" after its start. */
  readonly birth: string;
}

export function discoveryTopics({ prefix, serverName }: DiscoveryContext): DiscoveryTopics {
  const node = `${prefix}/device/${serverId(serverName)}`;
  const server = `${node}/server/config`;
  const monitor = (id: MonitorId) => `${node}/monitor_${id}/config`;
  return {
    server,
    monitor,
    parse: (topic) => (topic === server ? "server" : monitorIn(topic, monitor)),
    filter: `${node}/+/config`,
    birth: `${prefix}/status`,
  };
}

/** The camera as a device: motion, event, and what is offered besides. */
export function monitorDiscovery(monitor: Monitor, offered: Offered, context: DiscoveryContext): string {
  const { topics, serverName, version } = context;
  const id = `${serverId(serverName)}_monitor_${monitor.id}`;
  return JSON.stringify({
    device: {
      identifiers: [id],
      name: monitor.name === "" ? `Monitor ${monitor.id}` : monitor.name,
      manufacturer: "ZoneMinder",
      model: `Monitor ${monitor.id}`,
      via_device: serverId(serverName),
    },
    origin: { name: "zmes", sw_version: version },
    ...availability(topics),
    qos: 1,
    components: {
      motion: {
        ...entity("binary_sensor", id, "motion", "Motion"),
        device_class: "motion",
        state_topic: topics.motion(monitor.id),
      },
      event: {
        ...entity("event", id, "event", "Event"),
        device_class: "motion",
        event_types: EVENT_TYPES,
        state_topic: topics.event(monitor.id),
      },
      picture: offered.pictures
        ? {
            ...entity("image", id, "picture", "Last picture"),
            content_type: "image/jpeg",
            image_topic: topics.picture(monitor.id),
          }
        : removed("image"),
      mute: offered.mute
        ? {
            ...entity("switch", id, "mute", "Mute"),
            icon: "mdi:bell-off",
            state_topic: topics.mute(monitor.id),
            command_topic: topics.muteSet(monitor.id),
          }
        : removed("switch"),
    },
  });
}

/** This server as a device. Its connectivity has no availability: it would be unavailable instead of off. */
export function serverDiscovery({ topics, serverName, version }: DiscoveryContext): string {
  const id = serverId(serverName);
  return JSON.stringify({
    device: { identifiers: [id], name: `zmes ${serverName}`, manufacturer: "zmes", sw_version: version },
    origin: { name: "zmes", sw_version: version },
    qos: 1,
    components: {
      connectivity: {
        ...entity("binary_sensor", id, "connectivity", "Connectivity"),
        device_class: "connectivity",
        entity_category: "diagnostic",
        state_topic: topics.status,
        payload_on: ONLINE,
        payload_off: OFFLINE,
      },
      version: {
        ...entity("sensor", id, "version", "Version"),
        ...availability(topics),
        entity_category: "diagnostic",
        state_topic: topics.version,
      },
    },
  });
}

export const ONLINE = "online";
export const OFFLINE = "offline";

function serverId(serverName: string): string {
  return `zmes_${asIdentifier(serverName)}`;
}

function availability(topics: OwnTopics): object {
  return { availability: [{ topic: topics.status }] };
}

function entity(platform: string, device: string, part: string, name: string): object {
  const id = `${device}_${part}`;
  // Up to 2025.9 Home Assistant takes object_id, from 2025.10 on default_entity_id; each ignores the other.
  const entityId = id.toLowerCase().replaceAll("-", "_");
  return {
    platform,
    unique_id: id,
    object_id: entityId,
    default_entity_id: `${platform}.${entityId}`,
    name,
  };
}

/** Nothing but the platform: Home Assistant removes what an earlier announcement made of it. */
function removed(platform: string): object {
  return { platform };
}
