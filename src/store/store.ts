// Keeps what must survive a restart: what was last told of each monitor, and a few facts.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type EventId, eventId } from "../domain/alarm.ts";
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import type { FactRow, MarkRow, StoreAnswer } from "./messages.ts";
import { createStoreClient } from "./store-client.ts";

/** What was last told of a monitor. */
export interface StoredMark {
  readonly monitor: MonitorId;
  readonly event: EventId | null;
  readonly edge: number;
  readonly at: number;
  readonly open: boolean;
}

interface StoreHealth {
  readonly isWritable: boolean;
  /** Attempts to write that failed since the start. */
  readonly failedWrites: number;
}

/** Never throws into its callers, except `start` for a file of a newer program (STORE_NEWER). */
export interface Store extends Part {
  marks(): Promise<readonly StoredMark[]>;
  /** Takes the marks and returns at once; the newest of each monitor reaches the disk with the next write. */
  put(marks: readonly StoredMark[]): void;
  /** What was stored under the key, or undefined. */
  fact(key: string): Promise<unknown>;
  /** Stores anything JSON can say. */
  putFact(key: string, value: unknown): void;
  /** True once everything put before is on the disk; false when that failed. */
  flush(): Promise<boolean>;
  health(): StoreHealth;
}

export interface StoreOptions {
  /** The SQLite file; its folder is made when missing. */
  readonly path: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly retryMs?: number;
}

/** A full disk is tried again that often; what waits meanwhile is one mark per monitor. */
const RETRY_MS = 1000;
/** Of the 2 s in which the program must end. */
const STOP_DEADLINE_MS = 700;

/** Builds the store; nothing is opened before `start`. */
export function createStore(options: StoreOptions): Store {
  const { logger, clock, path } = options;
  const onSetAside = (name: string): void =>
    logger.error({ path, kept: name }, "The store was damaged and begins anew; the damaged file is kept");
  const client = createStoreClient({ path, clock, onSetAside });
  const marks = new Map<number, MarkRow>();
  const facts = new Map<string, FactRow>();
  let isWritable = true;
  let failedWrites = 0;
  let working: Promise<boolean> | null = null;
  /** Handed to the thread, not answered yet: readers must see it, for the write may fail. */
  let writing: { readonly marks: MarkRow[]; readonly facts: FactRow[] } = NOTHING;
  let retry: NodeJS.Timeout | null = null;
  let stopping: Promise<void> | null = null;

  const noteOutcome = (outcome: StoreAnswer["outcome"]): void => {
    if (outcome.done === isWritable) return;
    isWritable = outcome.done;
    if (outcome.done) logger.info({ path }, "The store is written again");
    else {
      const { problem } = outcome;
      logger.warn({ path, problem }, "The store cannot be written; what it should hold is kept in memory");
    }
  };

  const writeAll = async (): Promise<boolean> => {
    // Everything put in the same turn shares a transaction.
    await Promise.resolve();
    while (marks.size > 0 || facts.size > 0) {
      const batch = { marks: [...marks.values()], facts: [...facts.values()] };
      marks.clear();
      facts.clear();
      writing = batch;
      const outcome = await client.ask({ do: "write", ...batch });
      writing = NOTHING;
      noteOutcome(outcome);
      if (!outcome.done) return keepForLater(batch);
    }
    working = null;
    return true;
  };

  /** What was put meanwhile is newer than what failed. */
  const keepForLater = (batch: { readonly marks: MarkRow[]; readonly facts: FactRow[] }): false => {
    for (const mark of batch.marks) if (!marks.has(mark.monitor)) marks.set(mark.monitor, mark);
    for (const fact of batch.facts) if (!facts.has(fact.key)) facts.set(fact.key, fact);
    failedWrites += 1;
    working = null;
    if (stopping === null) retry = setTimeout(flush, options.retryMs ?? RETRY_MS).unref();
    return false;
  };

  const flush = (): Promise<boolean> => {
    if (retry !== null) clearTimeout(retry);
    retry = null;
    working ??= writeAll();
    return working;
  };

  const wake = (): void => {
    if (retry === null && stopping === null) void flush();
  };

  const stop = async (): Promise<void> => {
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(late.resolve, STOP_DEADLINE_MS, false);
    const written = (async () => (await flush()) && (await client.ask({ do: "close" })).done)();
    if (!(await Promise.race([written, late.promise])))
      logger.warn({ path }, "The store could not be written at the end");
    await Promise.race([client.end(), late.promise]);
    clearTimeout(timer);
  };

  return {
    name: "store",
    async start() {
      makeDirectory(path);
      const outcome = await client.ask({ do: "open" });
      if (!outcome.done && outcome.newer !== null) {
        throw new AppError("STORE_NEWER", { path, ...outcome.newer });
      }
      noteOutcome(outcome);
      if (!outcome.done) failedWrites += 1;
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    async marks() {
      // Noted before asking: what is being written now may be answered, or have failed, by then.
      const unwritten = writing.marks;
      const outcome = await client.ask({ do: "marks" });
      const rows = outcome.done ? (outcome.value as readonly MarkRow[]) : [];
      const all = new Map(rows.map((row) => [row.monitor, row]));
      for (const row of [...unwritten, ...writing.marks, ...marks.values()]) all.set(row.monitor, row);
      return [...all.values()].flatMap(markFrom);
    },
    put(given) {
      for (const { monitor, event, edge, at, open } of given) {
        marks.set(monitor, { monitor, event, edge, at, open: open ? 1 : 0 });
      }
      wake();
    },
    async fact(key) {
      const waiting = facts.get(key) ?? writing.facts.find((fact) => fact.key === key);
      if (waiting !== undefined) return parsed(waiting.value);
      const outcome = await client.ask({ do: "fact", key });
      return outcome.done && typeof outcome.value === "string" ? parsed(outcome.value) : undefined;
    },
    putFact(key, value) {
      facts.set(key, { key, value: JSON.stringify(value) ?? "null" });
      wake();
    },
    flush,
    health: () => ({ isWritable, failedWrites }),
  };
}

const NOTHING = { marks: [], facts: [] };

/** The folder is private to the program's user and group. Failing is no reason to end: opening says why. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  } catch {
    // The thread's first attempt to open the file reports it.
  }
}

function markFrom(row: MarkRow): readonly StoredMark[] {
  const monitor = monitorId(row.monitor);
  if (monitor === null) return [];
  const { edge, at } = row;
  return [{ monitor, event: row.event === null ? null : eventId(row.event), edge, at, open: row.open === 1 }];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
