// The notices of one recipient, in their order.
import type { Outcome } from "../domain/history.ts";
import type { Notice, RecipientId } from "../domain/notice.ts";

/** A notice on its way. */
export interface Entry {
  /** Its row in the file; null when it could not be written before it was due. */
  row: number | null;
  readonly notice: Notice;
  /** Attempts so far. */
  attempts: number;
  /** Not tried before this moment; ms since 1970. */
  dueAt: number;
  /** What the last attempt was told. */
  words: string;
  /** Set at the end. */
  outcome: Outcome | null;
}

export interface Lane {
  readonly recipient: RecipientId;
  /** The oldest first; only the first is tried, so that a start arrives before its end. */
  readonly queue: Entry[];
  /** Rows that were read and whose end is not on the disk yet. */
  readonly held: Set<number>;
  /** Whether the file may hold more than the queue. */
  more: boolean;
  /** The file is not asked before this moment. */
  pausedUntil: number;
  state: "idle" | "ready" | "running";
  wake(ms: number, job: () => void): void;
  /** Takes the timer back. */
  rest(): void;
}

/** Timers of Node hold 31 bits of milliseconds; whoever is woken too early waits again. */
const LONGEST_TIMER_MS = 3_600_000;

export function createLane(recipient: RecipientId): Lane {
  let timer: NodeJS.Timeout | null = null;
  return {
    recipient,
    queue: [],
    held: new Set(),
    more: false,
    pausedUntil: 0,
    state: "idle",
    wake(ms, job) {
      timer = setTimeout(job, Math.min(ms, LONGEST_TIMER_MS)).unref();
    },
    rest() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

/** Notices that were just decided, with the rows they have in the file. */
export function entriesFor(notices: readonly Notice[], rows: readonly number[]): readonly Entry[] {
  return notices.map((notice, index) => ({
    row: rows[index] ?? null,
    notice,
    attempts: 0,
    dueAt: notice.createdAt,
    words: "",
    outcome: null,
  }));
}
