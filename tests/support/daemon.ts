// The whole daemon inside the test's own process, over simulated cameras.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel } from "../../src/channels/channel.ts";
import type { Detection } from "../../src/cli/detection.ts";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import { createDaemon, type Daemon, type ZoneMinder } from "../../src/daemon.ts";
import { createSimulatedCamera, type SimulatedCamera } from "../../src/demo/simulated-camera.ts";
import type { Monitor } from "../../src/domain/monitor.ts";
import type { Rights } from "../../src/domain/recipient.ts";
import { createHooks } from "../../src/hooks/hooks.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Logger } from "../../src/lib/log.ts";
import type { Devices } from "../../src/store/device-registry.ts";
import type { RightsMemory } from "../../src/store/known-rights.ts";
import { createStore, type StoreOptions } from "../../src/store/store.ts";
import { parseVersion } from "../../src/zoneminder/version.ts";
import { aMonitor, mid } from "./builders.ts";
import { recordingLogger } from "./server.ts";
import { connectClient, type TestClient } from "./ws-client.ts";

/** Users of the simulated ZoneMinder; everybody's password is "secret". */
const USERS: ReadonlyMap<string, Rights> = new Map<string, Rights>([
  ["admin", "all"],
  ["guest", new Set([mid(2)])],
]);

export interface Site {
  readonly cameras: readonly [SimulatedCamera, SimulatedCamera];
  readonly log: Record<string, unknown>[];
  /** What the daemon remembers. */
  readonly dataFile: string;
  readonly daemon: Daemon;
  /** What the simulated database says; change it before the daemon asks. */
  readonly zoneminder: { -readonly [K in keyof ZoneMinder]: ZoneMinder[K] };
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops the daemon and starts another one over the same folder. */
  restart(whileDown?: () => void): Promise<void>;
  logIn(user?: string): Promise<TestClient>;
  url(): string;
  remove(): Promise<void>;
}

/** The registry of phones and the channel to them, built anew with each daemon. */
export type PhonesOfSite = (site: {
  readonly config: Config;
  readonly folder: string;
  readonly rights: ZoneMinder["logins"];
  readonly memory: RightsMemory;
  readonly logger: Logger;
}) => { readonly devices: Devices; readonly channels: readonly Channel[] };

/** The built-in detector, built anew with each daemon. */
export type DetectionOfSite = (site: {
  readonly config: Config;
  readonly folder: string;
  readonly logger: Logger;
}) => Detection | null;

/** Two cameras, "Front Door" (1) and "Garage" (2), and a daemon on a free port; `disk` is asked at each start. */
export function createSite(
  change: (config: Config) => Config = (config) => config,
  channels: readonly Channel[] = [],
  phones: PhonesOfSite | null = null,
  disk: () => Pick<StoreOptions, "thread" | "patienceMs"> = () => ({}),
  detection: DetectionOfSite | null = null,
): Site {
  const folder = mkdtempSync(join(tmpdir(), "zmes-site-"));
  const cameras = [
    createSimulatedCamera({ directory: folder, id: 1 }),
    createSimulatedCamera({ directory: folder, id: 2 }),
  ] as const;
  for (const camera of cameras) camera.create();
  const log: Record<string, unknown>[] = [];
  const zoneminder = simulatedZoneMinder(folder);
  let daemon = build();

  function build(): Daemon {
    const logger = recordingLogger(log);
    const config = change(testConfig());
    const store = createStore({ path: join(folder, "zmes.db"), clock: systemClock, logger, ...disk() });
    const ofPhones = phones?.({ config, folder, rights: zoneminder.logins, memory: store, logger });
    const detector = detection?.({ config, folder, logger });
    const hooks = createHooks({
      ...config,
      builtIn: detector?.builtIn ?? null,
      isOldDialect: false,
      eventFolder: async () => null,
      environment: process.env,
      clock: systemClock,
      logger,
    });
    return createDaemon({
      config,
      hooks,
      detector: detector?.parts ?? [],
      version: "8.0.0",
      zoneminder,
      store,
      devices: ofPhones?.devices ?? null,
      channels: [...channels, ...(ofPhones?.channels ?? [])],
      clock: systemClock,
      logger,
    });
  }

  const site: Site = {
    cameras,
    log,
    dataFile: join(folder, "zmes.db"),
    zoneminder,
    get daemon() {
      return daemon;
    },
    start() {
      daemon = build(); // now, so that it sees what the test changed
      return daemon.start();
    },
    stop: () => daemon.stop(),
    async restart(whileDown) {
      await daemon.stop();
      whileDown?.();
      await site.start();
    },
    url: () => `ws://127.0.0.1:${daemon.address()?.port}`,
    async logIn(user = "admin") {
      const client = await connectClient(site.url());
      client.send({ event: "auth", data: { user, password: "secret" } });
      const reply = await client.next();
      if (reply.status !== "Success") throw new Error(`Not logged in: ${JSON.stringify(reply)}`);
      return client;
    },
    async remove() {
      await daemon.stop();
      for (const camera of cameras) camera.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return site;
}

function testConfig(): Config {
  const config = defaultConfig();
  return {
    ...config,
    network: { ...config.network, address: "127.0.0.1", port: 0 },
    ssl: { ...config.ssl, enable: false },
  };
}

function simulatedZoneMinder(mapPath: string): ZoneMinder {
  return {
    mapPath,
    part: { name: "database", start: async () => undefined, stop: async () => undefined },
    loadMonitors: async () => ({ monitors: monitors(), version: parseVersion("1.38.4") }),
    logins: {
      async login({ user, password }) {
        const rights = USERS.get(user);
        if (rights === undefined || password !== "secret") return { outcome: "refused" };
        return { outcome: "accepted", user, rights };
      },
      rightsOf: async (users) => new Map(users.map((user) => [user, USERS.get(user) ?? null])),
    },
    events: { notes: async () => null, isOpen: async () => null },
    missedAlarms: async () => [],
    onAvailable: () => undefined,
  };
}

function monitors(): readonly Monitor[] {
  return [aMonitor({ id: mid(1), name: "Front Door" }), aMonitor({ id: mid(2), name: "Garage" })];
}
