// The server of `zmes demo`: the real daemon, with the simulated ZoneMinder and one user put behind it.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { type Config, defaultConfig } from "../../config/schema.ts";
import { createDaemon, type Daemon, type DaemonOptions, type ZoneMinder } from "../../daemon.ts";
import type { SimulatedZoneMinder } from "../../demo/simulated-zoneminder.ts";
import { type Monitor, monitorId } from "../../domain/monitor.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import { createStore } from "../../store/store.ts";
import { parseVersion } from "../../zoneminder/version.ts";
import { programVersion } from "../version.ts";

export interface DemoServerOptions {
  readonly simulation: SimulatedZoneMinder;
  /** The folder of the simulated shared memory. */
  readonly mapPath: string;
  /** Where the daemon keeps what it remembers. */
  readonly dataPath: string;
  /** 0: any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onTold: NonNullable<DaemonOptions["onTold"]>;
}

export interface DemoServer {
  readonly daemon: Daemon;
  readonly user: string;
  readonly password: string;
}

/** Loopback only: the password stands on the terminal, and nothing is encrypted. */
export const DEMO_ADDRESS = "127.0.0.1";

/** Builds it; the port is opened by `daemon.start`. */
export function createDemoServer(options: DemoServerOptions): DemoServer {
  const { simulation, mapPath, dataPath, clock, logger, onTold } = options;
  const user = "demo";
  const password = randomBytes(9).toString("base64url");
  const daemon = createDaemon({
    config: demoConfig(options.port),
    version: programVersion,
    zoneminder: asZoneMinder(simulation, mapPath, oneUser(user, password)),
    store: createStore({ path: join(dataPath, "zmes.db"), clock, logger }),
    clock,
    logger,
    onTold,
  });
  return { daemon, user, password };
}

function demoConfig(port: number): Config {
  const config = defaultConfig();
  return {
    ...config,
    network: { ...config.network, address: DEMO_ADDRESS, port },
    ssl: { ...config.ssl, enable: false },
  };
}

/** What a ZoneMinder without a database can answer. */
function asZoneMinder(
  simulation: SimulatedZoneMinder,
  mapPath: string,
  logins: ZoneMinder["logins"],
): ZoneMinder {
  return {
    mapPath,
    part: { name: "simulated ZoneMinder", start: async () => {}, stop: async () => simulation.stop() },
    loadMonitors: async () => ({ monitors: monitorsOf(simulation), version: parseVersion("1.38.4") }),
    logins,
    events: { notes: async () => null, isOpen: async () => null },
    missedAlarms: async () => [],
    onAvailable: () => {},
  };
}

/** The one user, who may see everything. */
function oneUser(user: string, password: string): ZoneMinder["logins"] {
  const expected = Buffer.from(password);
  return {
    async login(attempt) {
      const given = Buffer.from(attempt.password);
      const isRight = given.length === expected.length && timingSafeEqual(given, expected);
      if (attempt.user !== user || !isRight) return { outcome: "refused" };
      return { outcome: "accepted", user, rights: "all" };
    },
    async rightsOf(users) {
      return new Map(users.map((each) => [each, each === user ? "all" : null]));
    },
  };
}

function monitorsOf(simulation: SimulatedZoneMinder): readonly Monitor[] {
  return simulation.monitors.flatMap(({ id, name }): Monitor[] => {
    const known = monitorId(id);
    return known === null ? [] : [{ id: known, name, recording: "on-motion", closesEventOnAlarm: null }];
  });
}
