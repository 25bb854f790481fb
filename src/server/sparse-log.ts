// Keeps what strangers can provoke from filling the log: each kind of warning is written once a minute.
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";

/** Writes the warning, or only counts it when one of its kind was written less than a minute ago. */
export type SparseWarn = (kind: string, message: string) => void;

const LEAST_GAP_MS = 60_000;

/** Writes the line, unless there were very many of its kind within this minute: then it is only counted. */
export type FrequentInfo = (
  kind: "connection" | "handshake" | "login" | "no login" | "phone",
  message: string,
) => void;

/** A few hundred phones that come back after a restart are worth a line each; a thousand a second fill the disk. */
const LINES_PER_MINUTE = 600;

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

/** For what every client does once, and a stranger can do without end. */
export function createFrequentInfo(logger: Logger, clock: Clock): FrequentInfo {
  const kinds = new Map<string, { readonly since: number; lines: number }>();
  return (kind, message) => {
    const now = clock.monotonic();
    const minute = kinds.get(kind);
    if (minute === undefined || now - minute.since >= LEAST_GAP_MS) {
      const notWritten = Math.max(0, (minute?.lines ?? 0) - LINES_PER_MINUTE);
      kinds.set(kind, { since: now, lines: 1 });
      if (notWritten > 0) logger.warn({ kind }, `${notWritten} lines like the next one were not written`);
      logger.info(message);
      return;
    }
    minute.lines += 1;
    if (minute.lines <= LINES_PER_MINUTE) logger.info(message);
    else if (minute.lines === LINES_PER_MINUTE + 1)
      logger.warn({ kind }, "Too many lines of one kind: the others of this minute are only counted");
  };
}
