// Builds the MQTT channel against a broker of the test, with everything a test does not name left at its default.
import { Writable } from "node:stream";
import pino from "pino";
import type { MonitorNews } from "../../src/channels/channel.ts";
import {
  createMqttChannel,
  type MqttChannel,
  type MqttChannelOptions,
} from "../../src/channels/mqtt/mqtt.ts";
import type { MqttOptions } from "../../src/channels/mqtt/options.ts";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { Monitor } from "../../src/domain/monitor.ts";
import { type Notice, noticeId, type RecipientId } from "../../src/domain/notice.ts";
import { systemClock } from "../../src/lib/clock.ts";

type Change = Partial<Omit<MqttChannelOptions, "config">> & { readonly config?: Partial<MqttOptions> };

export interface TestChannel extends MqttChannel {
  /** Everything it has logged, one JSON line each. */
  log(): string;
}

/** Server name "test"; not started. */
export function aChannel(port: number, change: Change = {}): TestChannel {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const section: Config["mqtt"] = defaultConfig().mqtt;
  const channel = createMqttChannel({
    version: "8.0.0",
    clock: systemClock,
    logger: pino({ level: "debug" }, sink),
    ...change,
    config: { ...section, server: `127.0.0.1:${port}`, server_name: "test", ...change.config },
  });
  return { ...channel, log: () => lines.join("") };
}

export function aNotice(alarm: Alarm): Notice {
  const recipient = "mqtt" as RecipientId;
  const id = noticeId(alarm, recipient);
  return { id, channel: "mqtt", recipient, alarm, createdAt: 0, expiresAt: Number.MAX_SAFE_INTEGER };
}

export const noSignal = (): AbortSignal => new AbortController().signal;

/** A list read from ZoneMinder, nobody in alarm. */
export function newsOf(monitors: readonly Monitor[], change: Partial<MonitorNews> = {}): MonitorNews {
  return { monitors, isComplete: true, wasInAlarm: () => false, ...change };
}
