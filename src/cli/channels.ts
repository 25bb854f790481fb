// The durable channels of a server, each with its section of the configuration, in the order of their start.
import type { Channel } from "../channels/channel.ts";
import { createFcmChannel, type PushDevices } from "../channels/fcm.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";

export interface ChannelsDeps {
  readonly config: Config;
  readonly devices: PushDevices;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A channel that is switched off is built too: what was decided while it was on gets its answer from it. */
export function createChannels({ config, devices, clock, logger }: ChannelsDeps): readonly Channel[] {
  const fcm = createFcmChannel({
    options: { ...config.fcm, tag_alarm_event_id: config.customize.tag_alarm_event_id },
    devices,
    picture: () => Promise.resolve(null),
    clock,
    logger: logger.child({ room: "fcm" }),
  });
  return [fcm];
}
