// Keeps the list of monitors fresh: from the database, else as it was last known, else from the files in memory.
import { z } from "zod";
import { type Monitor, type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import type { ZmVersion } from "./version.ts";

export interface MonitorSnapshot {
  readonly monitors: readonly Monitor[];
  /** ZoneMinder's version; null while it is not known. */
  readonly version: ZmVersion | null;
}

/** Where the last list is kept for a start without a database. Never throws. */
interface SnapshotMemory {
  fact(key: string): Promise<unknown>;
  putFact(key: string, value: unknown): void;
}

export interface MonitorListDeps {
  /** Reads the database; rejects when it does not answer. */
  readonly load: () => Promise<MonitorSnapshot>;
  readonly memory: SnapshotMemory;
  /** Ids of the shared-memory files there are. */
  readonly fileIds: () => readonly number[];
  /** Sections of the configuration; asked each time, because they may change. */
  readonly general: { readonly skip_monitors: readonly number[] };
  /** Seconds between two looks at the database. */
  readonly customize: { readonly monitor_reload_interval: number };
  readonly onChange: (snapshot: MonitorSnapshot) => void;
  readonly logger: Logger;
}

export interface MonitorList extends Part {
  /** Looks again soon: files came or went, or the database is back. Many calls in a row are one look. */
  reloadSoon(): void;
  /** True once the database has been read in this run. */
  isFromDatabase(): boolean;
}

const FACT = "monitors";
/** Files of all cameras come and go together when ZoneMinder restarts. */
const DEBOUNCE_MS = 150;
/** The store is open by then: this is one row. A disk that hangs is not waited for. */
const MEMORY_DEADLINE_MS = 500;
/** The first scan should know the monitors; but a database that does not answer must not delay the watching. */
const FIRST_LOAD_MS = 1_500;

const remembered = z.object({
  monitors: z.array(
    z.object({
      id: z
        .number()
        .int()
        .positive()
        .transform((id) => id as MonitorId),
      name: z.string(),
      recording: z.enum(["none", "on-motion", "always", "unknown"]),
      closesEventOnAlarm: z.boolean().nullable(),
      groups: z.array(z.string()).exactOptional(),
    }),
  ),
  version: z.object({ major: z.number(), minor: z.number(), patch: z.number() }).nullable(),
});

export function createMonitorList(deps: MonitorListDeps): MonitorList {
  const { load, memory, fileIds, general, customize, onChange, logger } = deps;
  let fromDatabase = false;
  let last: string | null = null;
  let known: MonitorSnapshot | null = null;
  let next: NodeJS.Timeout | null = null;
  let soon: NodeJS.Timeout | null = null;
  let loading: Promise<void> | null = null;
  let again = false;
  let isStopped = false;

  return { name: "monitors", start, stop, reloadSoon, isFromDatabase: () => fromDatabase };

  async function start(): Promise<void> {
    const parsed = remembered.safeParse(await within(memory.fact(FACT), MEMORY_DEADLINE_MS));
    if (parsed.success) known = parsed.data;
    await Promise.race([reload(), after(FIRST_LOAD_MS)]);
    if (!fromDatabase) fallBack();
    plan();
  }

  /** One look after the other, so that a changed interval holds from the next one on. */
  function plan(): void {
    if (next) clearTimeout(next);
    if (isStopped) return;
    next = setTimeout(() => void reload().then(plan), customize.monitor_reload_interval * 1000);
  }

  async function stop(): Promise<void> {
    isStopped = true;
    if (next) clearTimeout(next);
    if (soon) clearTimeout(soon);
  }

  function reloadSoon(): void {
    soon ??= setTimeout(() => {
      soon = null;
      void reload().then(plan);
    }, DEBOUNCE_MS);
  }

  function reload(): Promise<void> {
    if (loading !== null) again = true;
    loading ??= reloadNow().finally(() => {
      loading = null;
      if (again) reloadSoon();
      again = false;
    });
    return loading;
  }

  async function reloadNow(): Promise<void> {
    logger.info("Reloading Monitors...");
    try {
      const snapshot = await load();
      fromDatabase = true;
      use(snapshot, "Loading monitors");
    } catch (error) {
      logger.debug({ err: error }, "The list of monitors could not be read");
      if (!fromDatabase) fallBack();
    }
  }

  /** Without the database: what was known last, and every camera that has a file. */
  function fallBack(): void {
    const monitors = known?.monitors ?? fileIds().flatMap(nameless);
    use({ monitors, version: known?.version ?? null }, "The database has not answered yet");
  }

  function use({ monitors, version }: MonitorSnapshot, why: string): void {
    const wanted = monitors.filter((monitor) => !general.skip_monitors.includes(monitor.id));
    const snapshot: MonitorSnapshot = { monitors: wanted, version };
    const text = JSON.stringify(snapshot);
    if (text === last) return;
    last = text;
    const names = snapshot.monitors.map((monitor) => `${monitor.id} ${monitor.name}`).join(", ");
    logger.info(`${why}: ${snapshot.monitors.length} to watch (${names || "none"})`);
    if (fromDatabase) memory.putFact(FACT, snapshot);
    onChange(snapshot);
  }
}

/** A camera of which only the file is known. */
function nameless(fileId: number): Monitor[] {
  const id = monitorId(fileId);
  return id === null ? [] : [{ id, name: `Monitor ${id}`, recording: "unknown", closesEventOnAlarm: null }];
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
