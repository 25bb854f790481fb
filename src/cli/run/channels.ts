// The durable channels of a server, each with its section of the configuration, in the order of their start.
import type { Channel } from "../../channels/channel.ts";
import type { PushDevices } from "../../channels/fcm/devices.ts";
import { createFcmChannel, type PictureLink } from "../../channels/fcm/fcm.ts";
import type { PhoneMemory } from "../../channels/fcm/kept-phones.ts";
import { createTableDevices, type PhoneTable } from "../../channels/fcm/notifications.ts";
import type { Mutes } from "../../channels/mqtt/entities.ts";
import { createMqttChannel } from "../../channels/mqtt/mqtt.ts";
import { createScriptChannel } from "../../channels/script.ts";
import type { Config } from "../../config/schema.ts";
import type { Alarm, EventId } from "../../domain/alarm.ts";
import { createRunner, SCRIPT_PATH } from "../../hooks/runner.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import { recipientIdOf } from "../../store/device-entry.ts";

export interface ChannelsDeps {
  readonly config: Config;
  /** Of the program. */
  readonly version: string;
  readonly devices: PushDevices;
  /** ZoneMinder's own table of phones, asked only with fcm.use_zm_notifications. */
  readonly phones: PhoneTable;
  /** Where those phones are kept over a restart. */
  readonly memory: PhoneMemory;
  readonly picture: PictureLink;
  /** The picture itself, for those who are given bytes. */
  readonly readPicture: (alarm: Alarm) => Promise<Buffer | null>;
  /** Where the event's files are; null when nobody can say. */
  readonly eventFolder: (event: EventId) => Promise<string | null>;
  /** Which cameras are muted, and how to change that: a switch for each in Home Assistant. */
  readonly mutes: Mutes;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Push and script are there even when they are switched off: what was decided while it was on gets its answer from them. */
export function createChannels({
  config,
  version,
  devices,
  phones,
  memory,
  picture,
  readPicture,
  eventFolder,
  mutes,
  clock,
  logger,
}: ChannelsDeps): readonly Channel[] {
  const inRoom = logger.child({ room: "fcm" });
  // The section itself with one key of another beside it: what changes while the program runs is seen here too.
  const options = Object.create(config.fcm, {
    tag_alarm_event_id: { get: () => config.customize.tag_alarm_event_id },
  });
  const fcm = createFcmChannel({
    options,
    devices,
    table: config.fcm.use_zm_notifications
      ? createTableDevices({ table: phones, memory, idOf: recipientIdOf, clock, logger: inRoom })
      : null,
    picture,
    clock,
    logger: inRoom,
  });
  const script = createScriptChannel({
    options: config.push,
    hook: config.hook,
    runner: createRunner({ concurrency: 0, environment: process.env, clock }),
    searchPath: SCRIPT_PATH,
    eventFolder: async ({ eventId }) => (eventId === null ? null : eventFolder(eventId)),
    logger: logger.child({ room: "script" }),
  });
  if (!config.mqtt.enable) return [fcm, script];
  const mqtt = createMqttChannel({
    config: config.mqtt,
    version,
    readPicture,
    mutes,
    clock,
    logger: logger.child({ room: "mqtt" }),
  });
  return [fcm, script, mqtt];
}
