// The whole daemon in a process of its own, over cameras and counterparts of the test that starts and kills it.
import { join } from "node:path";
import { createFcmChannel } from "../../src/channels/fcm/fcm.ts";
import { createMqttChannel } from "../../src/channels/mqtt/mqtt.ts";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import { createDaemon } from "../../src/daemon.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createTerminal } from "../../src/lib/log-terminal.ts";
import { createDevices } from "../../src/store/devices.ts";
import { createKnownRights } from "../../src/store/known-rights.ts";
import { createStore } from "../../src/store/store.ts";
import { aMonitor, mid } from "../support/builders.ts";

/** Its one argument, as JSON. */
export interface WholeDaemonOptions {
  /** Shared memory of the cameras, store, token file. */
  readonly folder: string;
  readonly cameras: number;
  readonly google: { readonly origin: string; readonly ca: string; readonly keyFile: string };
  /** Port of the broker; null: no MQTT. */
  readonly mqtt: number | null;
  readonly isDiskSlow: boolean;
}

const options = JSON.parse(process.argv[2] ?? "{}") as WholeDaemonOptions;
const { folder, google, mqtt } = options;
// With the test gone, however it ended, nobody needs this process.
process.stdin.on("end", () => process.exit(0)).resume();
const { logger } = createLogger([createTerminal({ level: "error", format: "lines" })]);
const clock = systemClock;
const config = configFor();
const logins = {
  login: async ({ user }: { readonly user: string }) =>
    ({ outcome: "accepted", user, rights: "all" }) as const,
  rightsOf: async (users: readonly string[]) => new Map(users.map((user) => [user, "all" as const])),
};
const slowThread = new URL("../support/slow-store-thread.ts", import.meta.url);
const store = createStore({
  path: join(folder, "zmes.db"),
  clock,
  logger,
  ...(options.isDiskSlow && { thread: slowThread }),
});
const devices = createDevices({
  ...config,
  rights: createKnownRights({ source: logins, memory: store, clock }),
  canPush: () => true,
  clock,
  logger,
});
const fcm = createFcmChannel({
  options: { ...config.fcm, tag_alarm_event_id: false },
  devices,
  picture: async () => null,
  clock,
  logger,
  target: google,
});
const daemon = createDaemon({
  config,
  version: "8.0.0",
  zoneminder: {
    mapPath: folder,
    part: { name: "database", start: async () => undefined, stop: async () => undefined },
    loadMonitors: async () => ({
      monitors: Array.from({ length: options.cameras }, (_, index) =>
        aMonitor({ id: mid(index + 1), name: `Camera ${index + 1}` }),
      ),
      version: { major: 1, minor: 38, patch: 4 },
    }),
    logins,
    events: { notes: async () => null, isOpen: async () => null },
    missedAlarms: async () => [],
    onAvailable: () => undefined,
  },
  store,
  devices,
  channels:
    mqtt === null
      ? [fcm]
      : [fcm, createMqttChannel({ config: config.mqtt, version: "8.0.0", clock, logger })],
  // Pauses are as long as the other side asks for, and no longer: the test has thousands of them.
  random: () => 0,
  clock,
  logger,
});
await daemon.start();
process.stdout.write(`ready ${daemon.address()?.port}\n`);

function configFor(): Config {
  const usual = defaultConfig();
  return {
    ...usual,
    network: { ...usual.network, address: "127.0.0.1", port: 0 },
    ssl: { ...usual.ssl, enable: false },
    general: { ...usual.general, base_data_path: folder },
    fcm: {
      ...usual.fcm,
      enable: true,
      token_file: join(folder, "tokens.txt"),
      fcm_service_account_file: google.keyFile,
    },
    mqtt: { ...usual.mqtt, enable: mqtt !== null, server: `127.0.0.1:${mqtt}`, server_name: "test" },
  };
}
