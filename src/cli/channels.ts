// The durable channels of a server, each with its section of the configuration, in the order of their start.
import type { Channel } from "../channels/channel.ts";
import { createFcmChannel, type PushDevices } from "../channels/fcm.ts";
import { createMqttChannel } from "../channels/mqtt.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";

export interface ChannelsDeps {
  readonly config: Config;
  /** Of the program. */
  readonly version: string;
  readonly devices: PushDevices;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Push is there even when it is switched off: what was decided while it was on gets its answer from it. */
export function createChannels({
  config,
  version,
  devices,
  clock,
  logger,
}: ChannelsDeps): readonly Channel[] {
  const fcm = createFcmChannel({
    options: { ...config.fcm, tag_alarm_event_id: config.customize.tag_alarm_event_id },
    devices,
    picture: () => Promise.resolve(null),
    clock,
    logger: logger.child({ room: "fcm" }),
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
