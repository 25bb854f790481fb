// Everything a bench needs, set up and cleared away: cameras, the daemon, its bare counterpart, clients.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BareCalls, BareOptions } from "./bare-process.ts";
import { type Cameras, createCameras } from "./cameras.ts";
import { type Child, startChild } from "./child.ts";
import type { ClientCalls } from "./client-process.ts";
import type { DaemonCalls, DaemonOptions, DatabasePlace, DetectionUse, HookUse } from "./daemon-process.ts";
import type { PhonesOptions } from "./phones.ts";

export interface Scene {
  readonly cameras: Cameras;
  readonly daemon: Child<DaemonCalls>;
  /** Where the daemon listens. */
  readonly url: string;
  readonly clients: Child<ClientCalls>;
  /** Starts the bare server of the same kind (ws or wss). */
  startBare(): Promise<{ readonly bare: Child<BareCalls>; readonly url: string }>;
  /** Starts another process; it ends with the scene. */
  keep<T extends { end(): Promise<void> }>(child: T): T;
}

export interface SceneOptions {
  readonly monitors: number;
  /** With a P-256 certificate, as the product makes them. */
  readonly tls?: boolean;
  /** Where ZoneMinder's tables are; without it monitors and users are made up. */
  readonly database?: DatabasePlace;
  /** Registered phones; without them nobody is pushed to. */
  readonly phones?: PhonesOptions;
  /** Each commit of the store takes 300 ms. */
  readonly isDiskSlow?: boolean;
  /** So many rows of history are there before the start. */
  readonly historyRows?: number;
  /** Alarms go through a hook; without it there is none. */
  readonly hook?: HookUse;
  /** Alarms are looked at by the built-in detector; without it they are not. */
  readonly detection?: DetectionUse;
}

/** Gives the scene to `play` and clears it away afterwards, whatever happened. */
export async function withScene<T>(options: SceneOptions, play: (scene: Scene) => Promise<T>): Promise<T> {
  const cameras = createCameras(options.monitors);
  const dataPath = mkdtempSync(join(tmpdir(), "zmes-bench-"));
  const children: { end(): Promise<void> }[] = [];
  const clear = (): void => {
    cameras.remove();
    rmSync(dataPath, { recursive: true, force: true });
  };
  const keep = <C extends { end(): Promise<void> }>(child: C): C => {
    children.push(child);
    return child;
  };
  process.once("exit", clear);
  try {
    return await play(await setUp({ ...options, dataPath }, cameras, keep));
  } finally {
    await Promise.all(children.map((child) => child.end()));
    process.off("exit", clear);
    clear();
  }
}

/** Long enough for the daemon to see a camera at rest again and for every process to be idle. */
export function settle(ms = 150): Promise<void> {
  return sleep(ms);
}

async function setUp(
  options: SceneOptions & { readonly dataPath: string },
  cameras: Cameras,
  keep: Scene["keep"],
): Promise<Scene> {
  const { monitors, tls = false, dataPath } = options;
  const ssl = { enable: tls, ...(tls && { cert: fixture("localhost.crt"), key: fixture("localhost.key") }) };
  const daemonOptions: DaemonOptions = {
    mapPath: cameras.directory,
    monitors,
    dataPath,
    ssl,
    database: options.database ?? null,
    phones: options.phones ?? null,
    isDiskSlow: options.isDiskSlow ?? false,
    historyRows: options.historyRows ?? 0,
    hook: options.hook ?? null,
    detection: options.detection ?? null,
  };
  const daemon = keep(startChild<DaemonCalls>("daemon-process", daemonOptions));
  const clients = keep(startChild<ClientCalls>("client-process"));
  const urlOf = async (server: { call(name: "port", argument: undefined): Promise<number> }) =>
    `${tls ? "wss" : "ws"}://127.0.0.1:${await server.call("port", undefined)}/`;
  return {
    cameras,
    daemon,
    clients,
    keep,
    url: await urlOf(daemon),
    async startBare() {
      const bareOptions: BareOptions = { ssl };
      const bare = keep(startChild<BareCalls>("bare-process", bareOptions));
      return { bare, url: await urlOf(bare) };
    },
  };
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../tests/fixtures/tls/${name}`, import.meta.url));
}
