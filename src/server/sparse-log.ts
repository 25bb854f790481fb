// Keeps what strangers can provoke from filling the log: each kind of warning is written once a minute.
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";

/** Writes the warning, or only counts it when one of its kind was written less than a minute ago. */
export type SparseWarn = (kind: string, message: string) => void;

const LEAST_GAP_MS = 60_000;

/** Kinds must be a fixed set of words, never something a client sent. */
export function createSparseWarn(logger: Logger, clock: Clock): SparseWarn {
  const kinds = new Map<string, { readonly at: number; suppressed: number }>();
  return (kind, message) => {
    const now = clock.monotonic();
    const last = kinds.get(kind);
    if (last !== undefined && now - last.at < LEAST_GAP_MS) {
      last.suppressed += 1;
      return;
    }
    kinds.set(kind, { at: now, suppressed: 0 });
    logger.warn({ kind, notWritten: last?.suppressed ?? 0 }, message);
  };
}
