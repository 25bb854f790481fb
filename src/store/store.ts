// Keeps what must survive a restart: what was last told of each monitor, the outbox with its history, a few facts.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Alarm, eventId } from "../domain/alarm.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import type { Outcome, SocketCounts } from "../domain/history.ts";
import { monitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import { startFileCheck } from "./file-check.ts";
import type { Batch, MarkRow, OpenedFile, StoreAnswer, StoreWork } from "./messages.ts";
import { createOutboxReader, type OutboxReader } from "./outbox-reader.ts";
import { decisionRow } from "./outbox-rows.ts";
import { createStoreClient } from "./store-client.ts";
import { createWriteQueue } from "./write-queue.ts";

interface StoreHealth {
  readonly isWritable: boolean;
  /** Attempts to write that failed since the start. */
  readonly failedWrites: number;
}

/** Never throws into its callers, except `start` for a file of a newer program (STORE_NEWER). */
export interface Store extends Part, OutboxReader {
  marks(): Promise<readonly ToldMark[]>;
  /** What earlier runs told, before anything of this one; a disk that hangs makes it wait as long as it takes. */
  marksBefore(): Promise<readonly ToldMark[]>;
  /** Takes the marks and returns at once; the newest of each monitor reaches the disk with the next write. */
  put(marks: readonly ToldMark[]): void;
  /** What was stored under the key, or undefined. */
  fact(key: string): Promise<unknown>;
  /** Stores anything JSON can say. */
  putFact(key: string, value: unknown): void;
  /**
   * Writes alarms, verdicts, notices and marks in one transaction; gives the number of each notice, per decision, or
   * null when the disk refused (the marks wait in memory then).
   */
  save(decisions: readonly Decision[]): Promise<readonly (readonly number[])[] | null>;
  /** Notes what came of notices; resolves once that is on the disk, however long it takes. */
  settle(outcomes: readonly (Outcome & { readonly id: number; readonly createdAt: number })[]): Promise<void>;
  /** Adds to the counts of told and refused clients of an alarm. */
  addSockets(rows: readonly { readonly alarm: Alarm; readonly counts: SocketCounts }[]): void;
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
  /** How long the disk may take for an answer before it counts as one that refuses. */
  readonly patienceMs?: number;
  /** The program of the thread; tests and benches give it a slow disk. */
  readonly thread?: URL;
}

/** A full disk is tried again that often; what waits meanwhile is one mark per monitor. */
const RETRY_MS = 1000;
/**
 * The start waits no longer for a disk that hangs, and no question about the outbox does: alarms are told from memory
 * then. Long enough for a disk that was asleep to begin to turn.
 */
const PATIENCE_MS = 3000;
/** A timer may fire a moment before its time. */
const TIMER_MS = 10;
/** Of the 2 s in which the program must end. */
const STOP_DEADLINE_MS = 700;

/** Builds the store; nothing is opened before `start`. */
export function createStore(options: StoreOptions): Store {
  const { logger, clock, path } = options;
  const client = createStoreClient({
    path,
    clock,
    ...(options.thread && { thread: options.thread }),
    onSetAside: ({ name, salvaged }) =>
      logger.error(
        { path, kept: name, salvagedNotices: salvaged },
        "The store was damaged and begins anew; the damaged file is kept",
      ),
  });
  const patienceMs = options.patienceMs ?? PATIENCE_MS;
  const hangs = { done: false, problem: `no answer within ${patienceMs / 1000} s`, newer: null } as const;
  const before = Promise.withResolvers<readonly ToldMark[]>();
  const queue = createWriteQueue({ write, retryMs: options.retryMs ?? RETRY_MS });
  let isWritable = true;
  let failedWrites = 0;
  let stopping: Promise<void> | null = null;
  let endCheck: (() => void) | null = null;

  return {
    name: "store",
    async start() {
      makeDirectory(path);
      const opening = client.ask({ do: "open" });
      // Asked now, so that it is answered before anything of this run is written.
      void client.ask({ do: "marks" }).then((outcome) => before.resolve(marksFrom(outcome)));
      const outcome = await within(opening, patienceMs);
      const problem = noteOpened(outcome ?? hangs);
      if (problem !== null) throw problem;
      if (outcome === null) void opening.then(openedLate);
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    async marks() {
      const stored = marksFrom(await client.ask({ do: "marks" }));
      const waiting = [...queue.waitingMarks()].flatMap(markFrom);
      return [...new Map([...stored, ...waiting].map((mark) => [mark.monitor, mark])).values()];
    },
    marksBefore: () => before.promise,
    put: (marks) => queue.addMarks(marks.map(markRow)),
    async fact(key) {
      const waiting = queue.waitingFact(key);
      if (waiting !== undefined) return parsed(waiting.value);
      const outcome = await client.ask({ do: "fact", key });
      return outcome.done && typeof outcome.value === "string" ? parsed(outcome.value) : undefined;
    },
    putFact: (key, value) => queue.addFact({ key, value: JSON.stringify(value) ?? "null" }),
    save(decisions) {
      const saving = queue.addDecisions(decisions.map(decisionRow));
      // In the same turn, so that the marks are part of the same transaction.
      queue.addMarks(decisions.flatMap(({ mark }) => (mark === null ? [] : [markRow(mark)])));
      return saving;
    },
    settle: (outcomes) => queue.addOutcomes(outcomes),
    addSockets: (rows) =>
      queue.addSockets(
        rows.map(({ alarm: { id, phase }, counts }) => ({ key: id, phase, counts: JSON.stringify(counts) })),
      ),
    ...createOutboxReader({ ask: askPatiently }),
    flush: queue.flush,
    health: () => ({ isWritable, failedWrites }),
  };

  function noteOpened(outcome: StoreAnswer["outcome"]): AppError | null {
    if (!outcome.done && outcome.newer !== null)
      return new AppError("STORE_NEWER", { path, ...outcome.newer });
    noteOutcome(outcome);
    if (outcome.done) checkWhole(outcome.value as OpenedFile);
    return null;
  }

  function checkWhole({ unchecked }: OpenedFile): void {
    if (unchecked === null || stopping !== null) return;
    logger.info({ path }, "The last run was cut off: the store is checked in the background");
    endCheck = startFileCheck(path, () => void client.ask({ do: "damaged", inode: unchecked }));
  }

  function openedLate(outcome: StoreAnswer["outcome"]): void {
    const problem = noteOpened(outcome);
    if (problem !== null) logger.error(`${problem.message}. ${problem.hint} [${problem.code}]`);
  }

  /** Never for longer than the patience; nothing is asked at all while an older answer is overdue. */
  async function askPatiently(work: StoreWork): Promise<StoreAnswer["outcome"]> {
    if (isHanging()) return hangs;
    return (await within(client.ask(work), patienceMs)) ?? hangs;
  }

  function isHanging(): boolean {
    return client.owesSince(patienceMs - TIMER_MS);
  }

  async function write(batch: Batch): Promise<readonly (readonly number[])[] | null> {
    // Once handed over, a write is waited for, however long: told that it failed, others would write it twice.
    const outcome = isHanging() ? hangs : await client.ask({ do: "write", ...batch });
    noteOutcome(outcome);
    return outcome.done ? (outcome.value as readonly (readonly number[])[]) : null;
  }

  function noteOutcome(outcome: StoreAnswer["outcome"]): void {
    if (!outcome.done) failedWrites += 1;
    if (outcome.done === isWritable) return;
    isWritable = outcome.done;
    if (outcome.done) logger.info({ path }, "The store is written again");
    else {
      const { problem } = outcome;
      logger.warn({ path, problem }, "The store cannot be written; what it should hold is kept in memory");
    }
  }

  async function stop(): Promise<void> {
    queue.close();
    endCheck?.();
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(late.resolve, STOP_DEADLINE_MS, false);
    const written = (async () => (await queue.flush()) && (await client.ask({ do: "close" })).done)();
    if (!(await Promise.race([written, late.promise])))
      logger.warn({ path }, "The store could not be written at the end");
    await Promise.race([client.end(), late.promise]);
    clearTimeout(timer);
  }
}

/** The folder is private to the program's user and group. Failing is no reason to end: opening says why. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  } catch {
    // The thread's first attempt to open the file reports it.
  }
}

function markRow({ monitor, event, edge, at, open }: ToldMark): MarkRow {
  return { monitor, event, edge, at, open: open ? 1 : 0 };
}

function marksFrom(outcome: StoreAnswer["outcome"]): readonly ToldMark[] {
  return outcome.done ? (outcome.value as readonly MarkRow[]).flatMap(markFrom) : [];
}

function markFrom(row: MarkRow): readonly ToldMark[] {
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
