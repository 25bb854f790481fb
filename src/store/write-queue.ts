// Collects what is to be written, hands it to the thread in one transaction, and keeps what a full disk refused.
import type { Batch, DecisionRow, FactRow, MarkRow, OutcomeRow, SocketsRow } from "./messages.ts";

export interface WriteQueue {
  addMarks(rows: readonly MarkRow[]): void;
  addFact(row: FactRow): void;
  /** The numbers of the rows to be delivered, per decision; null at once where the disk is known to refuse or hang. */
  addDecisions(rows: readonly DecisionRow[]): Promise<readonly (readonly number[])[] | null>;
  /** Resolves once they are on the disk, however long that takes. */
  addOutcomes(rows: readonly OutcomeRow[]): Promise<void>;
  addSockets(rows: readonly SocketsRow[]): void;
  waitingMarks(): Iterable<MarkRow>;
  waitingFact(key: string): FactRow | undefined;
  /** True once everything added before is on the disk; false when that failed. */
  flush(): Promise<boolean>;
  /** Nothing is tried again from now on; what is added waits for `flush`. */
  close(): void;
}

export interface WriteQueueOptions {
  /** One transaction; null when it failed, otherwise the numbers of the rows to be delivered. */
  readonly write: (batch: Batch) => Promise<readonly (readonly number[])[] | null>;
  readonly retryMs: number;
}

/** Counts of sockets are only for people, and the memory is not for them while the disk refuses or hangs. */
const WAITING_SOCKETS = 10_000;
/**
 * Verdicts that wait behind a write under way, a few hundred bytes each: two hundred cameras that see lightning at
 * once, with a thousand phones. A disk that hangs for longer counts as one that refuses.
 */
const WAITING_VERDICTS = 250_000;

interface Saving {
  readonly rows: readonly DecisionRow[];
  readonly resolve: (ids: readonly (readonly number[])[] | null) => void;
}

interface Settling {
  readonly rows: readonly OutcomeRow[];
  readonly resolve: () => void;
}

/** Builds the queue; a timer runs only while the disk refuses. */
export function createWriteQueue({ write, retryMs }: WriteQueueOptions): WriteQueue {
  const marks = new Map<number, MarkRow>();
  /** Handed to the thread, not answered yet: readers must see it, for the write may fail. */
  let writing: ReturnType<typeof take> | null = null;
  const facts = new Map<string, FactRow>();
  let savings: Saving[] = [];
  let settlings: Settling[] = [];
  let sockets: SocketsRow[] = [];
  let verdicts = 0;
  let working: Promise<boolean> | null = null;
  let retry: NodeJS.Timeout | null = null;
  let closed = false;

  const isEmpty = (): boolean =>
    marks.size === 0 &&
    facts.size === 0 &&
    savings.length === 0 &&
    settlings.length === 0 &&
    sockets.length === 0;

  const writeAll = async (): Promise<boolean> => {
    // Everything put in the same turn shares a transaction.
    await Promise.resolve();
    while (!isEmpty()) {
      const taken = take();
      writing = taken;
      const decisions = taken.savings.flatMap((each) => each.rows);
      const outcomes = taken.settlings.flatMap((each) => each.rows);
      const ids = await write({
        marks: taken.marks,
        facts: taken.facts,
        decisions,
        outcomes,
        sockets: taken.sockets,
      });
      writing = null;
      if (ids === null) return keepForLater(taken);
      for (const { resolve } of taken.settlings) resolve();
      let next = 0;
      for (const { rows, resolve } of taken.savings) {
        resolve(ids.slice(next, next + rows.length));
        next += rows.length;
      }
    }
    working = null;
    return true;
  };

  const take = () => {
    const taken = { marks: [...marks.values()], facts: [...facts.values()], savings, settlings, sockets };
    marks.clear();
    facts.clear();
    [savings, settlings, sockets, verdicts] = [[], [], [], 0];
    return taken;
  };

  /** What was put meanwhile is newer than what failed. Decisions do not wait: they are sent without the disk. */
  const keepForLater = (failed: ReturnType<typeof take>): false => {
    for (const mark of failed.marks) if (!marks.has(mark.monitor)) marks.set(mark.monitor, mark);
    for (const fact of failed.facts) if (!facts.has(fact.key)) facts.set(fact.key, fact);
    settlings = [...failed.settlings, ...settlings];
    sockets = [...failed.sockets, ...sockets].slice(-WAITING_SOCKETS);
    for (const { resolve } of [...failed.savings, ...savings]) resolve(null);
    [savings, verdicts] = [[], 0];
    working = null;
    if (!closed) retry = setTimeout(flush, retryMs).unref();
    return false;
  };

  const flush = (): Promise<boolean> => {
    if (retry !== null) clearTimeout(retry);
    retry = null;
    working ??= writeAll();
    return working;
  };

  const wake = (): void => {
    if (retry === null && !closed) void flush();
  };

  return {
    addMarks(rows) {
      for (const row of rows) marks.set(row.monitor, row);
      wake();
    },
    addFact(row) {
      facts.set(row.key, row);
      wake();
    },
    addDecisions(rows) {
      const weight = rows.reduce((sum, { deliveries }) => sum + 1 + deliveries.length, 0);
      if (retry !== null || (savings.length > 0 && verdicts + weight > WAITING_VERDICTS))
        return Promise.resolve(null);
      verdicts += weight;
      const { promise, resolve } = Promise.withResolvers<readonly (readonly number[])[] | null>();
      savings.push({ rows, resolve });
      wake();
      return promise;
    },
    addOutcomes(rows) {
      const { promise, resolve } = Promise.withResolvers<void>();
      settlings.push({ rows, resolve });
      wake();
      return promise;
    },
    addSockets(rows) {
      sockets.push(...rows);
      if (sockets.length > WAITING_SOCKETS) sockets = sockets.slice(-WAITING_SOCKETS);
      wake();
    },
    waitingMarks: () => [...(writing?.marks ?? []), ...marks.values()],
    waitingFact: (key) => facts.get(key) ?? writing?.facts.find((fact) => fact.key === key),
    flush,
    close() {
      closed = true;
    },
  };
}
