// Starts the parts of a program in order and stops them in reverse, each with a deadline.
import type { Clock } from "./clock.ts";
import { reasonOf } from "./errors.ts";
import type { Logger } from "./log.ts";
import { orAborted } from "./within.ts";

/**
 * A part with a lifetime. Constructors do nothing; `start` does the work; `stop` may be called twice, and also
 * after a start that failed or was aborted half-way.
 */
export interface Part {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export interface LifecycleOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** For all parts together. A part gets half of what is left, so that one that hangs leaves time for the rest. */
  readonly stopDeadlineMs?: number;
}

export interface Lifecycle {
  /** Starts the parts in order. When one fails, those before it are stopped again and its error is thrown. */
  start(signal?: AbortSignal): Promise<void>;
  /** Aborts a start in progress, then stops in reverse. Never throws; a second call returns the same promise. */
  stop(): Promise<void>;
}

/** TERM must end the program within 2 s (ZoneMinder 1.36's zmdc.pl kills after 10 s, systemd later). */
const STOP_DEADLINE_MS = 1800;

/** Builds the lifecycle of a program from its parts, in start order. Nothing happens before `start`. */
export function createLifecycle(parts: readonly Part[], options: LifecycleOptions): Lifecycle {
  const begun: Part[] = [];
  const abort = new AbortController();
  let starting: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;

  const stopAll = async (): Promise<void> => {
    const end = options.clock.monotonic() + (options.stopDeadlineMs ?? STOP_DEADLINE_MS);
    for (let part = begun.pop(); part !== undefined; part = begun.pop()) {
      const left = Math.max(0, end - options.clock.monotonic());
      await stopPart(part, begun.length === 0 ? left : left / 2, options.logger);
    }
  };

  const startAll = async (signal: AbortSignal): Promise<void> => {
    try {
      for (const part of parts) {
        signal.throwIfAborted();
        begun.push(part);
        await orAborted(part.start(signal), signal);
      }
    } catch (failure) {
      await stopAll();
      throw failure;
    }
  };

  return {
    start(signal) {
      starting ??= startAll(signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]));
      return starting;
    },
    stop() {
      stopping ??= (async () => {
        abort.abort(new Error("stopped while starting"));
        // A failed start has stopped its parts itself; its error belongs to whoever called start.
        await starting?.catch(() => undefined);
        await stopAll();
      })();
      return stopping;
    },
  };
}

async function stopPart(part: Part, deadlineMs: number, logger: Logger): Promise<void> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(late.resolve, deadlineMs, "late");
  try {
    const outcome = await Promise.race([part.stop(), late.promise]);
    if (outcome === "late")
      logger.warn({ part: part.name }, "A part did not stop in time and is left behind");
  } catch (failure) {
    logger.error({ part: part.name, err: failure }, `A part failed to stop: ${reasonOf(failure)}`);
  } finally {
    clearTimeout(timer);
  }
}
