// Writes lines in the background through something that may fail: bounded, and honest about what it lost.
import { Buffer } from "node:buffer";
import { reasonOf } from "./errors.ts";

export interface LineWriterOptions {
  /** Writes some of the bytes and says how many. May throw; it is tried again later. One call at a time. */
  readonly put: (bytes: Buffer) => Promise<number>;
  /** Makes the line that tells of lines lost. */
  readonly lossLine: (lost: number) => string;
  /** Told once when writing fails, and once when it works again. */
  readonly onState?: (writable: boolean, problem: string) => void;
  readonly limitBytes?: number;
  readonly retryMs?: number;
}

export interface LineWriter {
  /** Takes a line with its end. Never throws, never waits. */
  write(line: string): void;
  /** Tries to write what is held, for at most that long. */
  close(deadlineMs: number): Promise<void>;
}

/** 1 MiB holds the lines of minutes at debug level; beyond that a full disk costs lines, not memory. */
const LIMIT_BYTES = 1_048_576;
/** A full disk stays full for a while; a second costs nothing. */
const RETRY_MS = 1000;

/** Builds a writer around `put`. */
export function createLineWriter(options: LineWriterOptions): LineWriter {
  const limit = options.limitBytes ?? LIMIT_BYTES;
  let lines: string[] = [];
  let heldBytes = 0;
  let lost = 0;
  let working: Promise<void> | null = null;
  let retry: NodeJS.Timeout | null = null;
  let writable = true;
  let rest: Buffer = Buffer.alloc(0);

  const nextBatch = (): Buffer => {
    const batch = Buffer.from((lost > 0 ? options.lossLine(lost) : "") + lines.join(""));
    lines = [];
    heldBytes = 0;
    lost = 0;
    return batch;
  };

  const say = (now: boolean, problem: string): void => {
    if (now === writable) return;
    writable = now;
    options.onState?.(now, problem);
  };

  const drain = async (): Promise<void> => {
    // Lines of the same turn go out together.
    await Promise.resolve();
    try {
      while (rest.length > 0 || lines.length > 0 || lost > 0) {
        if (rest.length === 0) rest = nextBatch();
        rest = rest.subarray(await options.put(rest));
        say(true, "");
      }
    } catch (failure) {
      say(false, reasonOf(failure));
      retry = setTimeout(wake, options.retryMs ?? RETRY_MS);
      retry.unref();
    }
    working = null;
  };

  const wake = (): void => {
    retry = null;
    working ??= drain();
  };

  return {
    write(line) {
      if (heldBytes + line.length > limit) {
        lost += 1;
        return;
      }
      lines.push(line);
      heldBytes += line.length;
      if (retry === null) wake();
    },
    async close(deadlineMs) {
      if (retry !== null) clearTimeout(retry);
      wake();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, deadlineMs);
      await Promise.race([working, late.promise]);
      clearTimeout(timer);
      if (retry !== null) clearTimeout(retry);
    },
  };
}
