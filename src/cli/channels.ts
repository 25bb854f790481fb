// The durable channels of a server, each with its section of the configuration, in the order of their start.
import type { Channel } from "../channels/channel.ts";
import { createFcmChannel } from "../channels/fcm.ts";
import type { PushDevices } from "../channels/fcm-devices.ts";
import { createTableDevices, type PhoneTable } from "../channels/fcm-notifications.ts";
import { createMqttChannel } from "../channels/mqtt.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { recipientIdOf } from "../store/device-entry.ts";

export interface ChannelsDeps {
  readonly config: Config;
  /** Of the program. */
  readonly version: string;
  readonly devices: PushDevices;
  /** ZoneMinder's own table of phones, asked only with fcm.use_zm_notifications. */
  readonly phones: PhoneTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Push is there even when it is switched off: what was decided while it was on gets its answer from it. */
export function createChannels({
  config,
  version,
  devices,
  phones,
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
      ? createTableDevices({ table: phones, idOf: recipientIdOf, clock, logger: inRoom })
      : null,
    picture: () => Promise.resolve(null),
    clock,
    logger: inRoom,
  });
  if (!config.mqtt.enable) return [fcm];
  const mqtt = createMqttChannel({
    config: config.mqtt,
    version,
    clock,
    logger: logger.child({ room: "mqtt" }),
  });
  return [fcm, mqtt];
}
