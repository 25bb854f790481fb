// The daemon under test, whole, in a process of its own: only ZoneMinder's side is simulated, and told by options.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDetection } from "../src/cli/detection.ts";
import { type Config, defaultConfig } from "../src/config/schema.ts";
import { createDaemon, type ZoneMinder } from "../src/daemon.ts";
import { createHooks } from "../src/hooks/hooks.ts";
import type { Clock } from "../src/lib/clock.ts";
import { createLogger } from "../src/lib/log.ts";
import { createStore } from "../src/store/store.ts";
import { createInstallation, type InstallationOptions } from "../src/zoneminder/installation.ts";
import { createLogFile } from "../src/zoneminder/log-file.ts";
import { answerCalls, collectedRss, cpuMs } from "./child.ts";
import { eventSource, settingsFor } from "./detect-scene.ts";
import { fillHistory } from "./history.ts";
import { instant } from "./instant.ts";
import { createLoopGap } from "./loop-gap.ts";
import { createPhones, type PhonesOptions } from "./phones.ts";
import { watchScans } from "./scan-gaps.ts";
import { simulatedZoneMinder } from "./simulated-zoneminder.ts";

export interface DaemonOptions {
  /** Folder of the cameras' shared memory. */
  readonly mapPath: string;
  readonly monitors: number;
  /** An empty folder for store and log. */
  readonly dataPath: string;
  readonly ssl: { readonly enable: boolean; readonly cert?: string; readonly key?: string };
  /** The socket of a MariaDB with ZoneMinder's tables; null: monitors and users are made up. */
  readonly database: DatabasePlace | null;
  /** null: nobody is pushed to. */
  readonly phones: PhonesOptions | null;
  /** Each commit of the store takes 300 ms. */
  readonly isDiskSlow: boolean;
  /** Rows of history that are there before the start. */
  readonly historyRows: number;
  /** null: alarms are told at once. */
  readonly hook: HookUse | null;
  /** null: no built-in detector. */
  readonly detection: DetectionUse | null;
}

/** A model that looks at the pictures in one folder, and for which monitors it does not. */
export interface DetectionUse {
  readonly model: string;
  readonly folder: string;
  readonly skipped: readonly number[];
  readonly threads: number;
}

/** A script that is asked before an alarm is told, and for which monitors it is not. */
export interface HookUse {
  readonly script: string;
  /** How many of them run at once. */
  readonly parallel: number;
  /** Monitors whose alarms are told at once. */
  readonly skipped: readonly number[];
}

export interface DatabasePlace {
  readonly socket: string;
  readonly name: string;
  readonly user: string;
  readonly password: string;
}

export interface DaemonCalls {
  port(): number;
  clients(): number;
  /** When the watcher saw the alarm of that event, before anybody was told. */
  seenAt(eventId: number): number;
  cpuMs(): number;
  collectedRss(): Promise<number>;
  rss(): number;
  /** Alarms that were told without the answer of their hook: no room, too late, took too long. */
  unaskedHooks(): number;
  /** Events that the built-in detector has looked at. */
  looks(): number;
  startScanGaps(): void;
  stopScanGaps(): { readonly scans: number; readonly longest: number };
  startLoopGap(): void;
  stopLoopGap(): number;
  /** Reads from a file every 50 ms until `stopFileReads`, which gives the longest wait in ms. */
  startFileReads(): void;
  stopFileReads(): number;
}

const FILE_READ_EVERY_MS = 50;
const SLOW_THREAD = new URL("../tests/support/slow-store-thread.ts", import.meta.url);

await answerCalls(async (options: DaemonOptions): Promise<DaemonCalls> => {
  const config = configFor(options);
  const clock = createRecordingClock();
  const scans = watchScans(options.mapPath);
  const loopGap = createLoopGap();
  const reads = await createFileReads(fileURLToPath(import.meta.url));
  const { logger } = createLogger([createLogFile({ directory: options.dataPath, level: "info", clock })]);
  const zoneminder =
    options.database === null
      ? simulatedZoneMinder(options)
      : installedZoneMinder(options.mapPath, options.database, { config, clock, logger });
  const seen = new Map<number, number>();
  const { dataPath, historyRows, isDiskSlow, phones } = options;
  const path = join(dataPath, "zmes.db");
  if (historyRows > 0) fillHistory(path, historyRows, clock.now());
  const store = createStore({ path, clock, logger, ...(isDiskSlow && { thread: SLOW_THREAD }) });
  const pushed = phones && createPhones(phones, { config, dataPath, zoneminder, store, clock, logger });
  const detection = options.detection && detectionFor(options.detection, { config, clock, logger });
  const hooks = createHooks({
    ...config,
    builtIn: detection?.builtIn ?? null,
    isOldDialect: false,
    eventFolder: async () => null,
    environment: process.env,
    clock,
    logger,
  });
  const daemon = createDaemon({
    config,
    hooks,
    detector: detection?.parts ?? [],
    version: "8.0.0",
    zoneminder,
    store,
    ...pushed,
    clock,
    logger,
    onTold(alarms) {
      for (const alarm of alarms) seen.set(alarm.eventId ?? 0, clock.instantOf(alarm.seenAt));
    },
  });
  await daemon.start();
  return {
    port: () => daemon.address()?.port ?? 0,
    clients: daemon.clients,
    seenAt: (eventId) => seen.get(eventId) ?? Number.NaN,
    cpuMs,
    collectedRss,
    rss: () => process.memoryUsage.rss(),
    unaskedHooks: () => hooks.counts().dropped + hooks.counts().timedOut,
    looks: () => detection?.counts().answered ?? 0,
    startScanGaps: scans.start,
    stopScanGaps: scans.stop,
    startLoopGap: loopGap.start,
    stopLoopGap: loopGap.stop,
    startFileReads: reads.start,
    stopFileReads: reads.stop,
  };
});

/** The defaults of the product, on a free port of this machine. */
function configFor({ ssl, phones, hook, detection, dataPath }: DaemonOptions): Config {
  const config = defaultConfig();
  return {
    ...config,
    network: { ...config.network, address: "127.0.0.1", port: 0 },
    ssl: { enable: ssl.enable, cert: ssl.cert ?? null, key: ssl.key ?? null },
    fcm: { ...config.fcm, enable: phones !== null },
    ...(hook && withHook(config, hook)),
    ...(detection && withDetection(config, detection, dataPath)),
  };
}

function withHook({ customize, hook }: Config, { script, parallel, skipped }: HookUse) {
  return {
    customize: { ...customize, use_hooks: true },
    hook: {
      ...hook,
      event_start_hook: script,
      event_start_notify_on_hook_success: ["all" as const],
      max_parallel_hooks: parallel,
      hook_skip_monitors: [...skipped],
    },
  };
}

function withDetection(config: Config, { skipped, threads }: DetectionUse, dataPath: string) {
  const everybody = ["all" as const];
  return {
    general: { ...config.general, base_data_path: dataPath },
    hook: {
      ...config.hook,
      event_start_notify_on_hook_success: everybody,
      event_start_notify_on_hook_fail: everybody,
      hook_skip_monitors: [...skipped],
    },
    detection: { ...config.detection, enable: true, threads },
  };
}

/** Every event has the same picture. */
function detectionFor(
  { model, folder }: DetectionUse,
  parts: Pick<InstallationOptions, "clock" | "logger"> & { readonly config: Config },
) {
  const settings = settingsFor(model);
  const facts = {
    event: async (event: number) => ({ ...eventSource(folder, event), monitor: 1 }),
    monitor: async () => null,
    folder: async () => null,
  };
  return createDetection({ ...parts, facts, settingsFor: async () => settings, environment: process.env });
}

/** The real thing: rows are read from a database, passwords are checked, rights are worked out. */
function installedZoneMinder(
  mapPath: string,
  { socket, name, user, password }: DatabasePlace,
  parts: Pick<InstallationOptions, "config" | "clock" | "logger">,
): ZoneMinder {
  const values = new Map([
    ["ZM_PATH_MAP", mapPath],
    ["ZM_DB_HOST", `localhost:${socket}`],
    ["ZM_DB_NAME", name],
    ["ZM_DB_USER", user],
    ["ZM_DB_PASS", password],
  ]);
  return createInstallation({ ...parts, conf: { files: [], values } });
}

/**
 * The system's time, which also knows when, on the clock of the benches, it last gave a millisecond out: for the
 * `seenAt` of an alarm that is asked about in `onTold`, when the watcher saw it or the telling began.
 */
function createRecordingClock(): Clock & { instantOf(now: number): number } {
  const REMEMBERED = 10_000;
  const instants = new Map<number, number>();
  return {
    now() {
      const now = Date.now();
      instants.set(now, instant());
      if (instants.size > REMEMBERED) instants.delete(instants.keys().next().value ?? 0);
      return now;
    },
    monotonic: () => performance.now(),
    instantOf: (now) => instants.get(now) ?? Number.NaN,
  };
}

/** Reads of one open file: each is one job for the thread pool, in which passwords are hashed as well. */
async function createFileReads(path: string) {
  const file = await open(path);
  const bytes = Buffer.alloc(64);
  let timer: NodeJS.Timeout | undefined;
  let longest = 0;
  const read = async (): Promise<void> => {
    const began = instant();
    await file.read(bytes, 0, bytes.length, 0);
    longest = Math.max(longest, instant() - began);
  };
  return {
    start(): void {
      longest = 0;
      clearInterval(timer);
      timer = setInterval(() => void read(), FILE_READ_EVERY_MS);
    },
    stop(): number {
      clearInterval(timer);
      return longest;
    },
  };
}
