// Runs scripts: a few at a time, with the environment that the original gave them.
import type { Clock } from "../lib/clock.ts";
import { createProgramRunner, notRun, type ProgramRun, type ProgramRunner } from "../lib/run-program.ts";

export interface RunnerOptions {
  /** How many scripts run at once; others wait their turn. 0: any number. */
  readonly concurrency: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Bytes kept of each of the two streams. */
  readonly outputBytes?: number;
  /** From TERM to KILL. */
  readonly graceMs?: number;
}

/** Where scripts, and programs that a script names without their folder, are looked for: what the original sets. */
export const SCRIPT_PATH = "/bin:/usr/bin";

/** Builds the runner; nothing runs before `run`. */
export function createRunner(options: RunnerOptions): ProgramRunner {
  const { concurrency, clock } = options;
  const programs = createProgramRunner({ ...options, environment: scriptEnvironment(options.environment) });
  const waiting: (() => void)[] = [];
  let running = 0;

  return {
    async run(script) {
      const startedAt = clock.monotonic();
      if (!(await takeTurn(script.signal))) {
        return notRun({ kind: "aborted" }, clock.monotonic() - startedAt);
      }
      try {
        return await programs.run(script);
      } finally {
        running -= 1;
        for (const look of waiting.splice(0)) look();
      }
    },
    stop: programs.stop,
  };

  /** Waits until there is room and takes it; false when nobody wants it any more. Whoever asked first looks first. */
  async function takeTurn(signal: ProgramRun["signal"]): Promise<boolean> {
    while (concurrency > 0 && running >= concurrency && !signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => resolve();
      waiting.push(look);
      signal?.addEventListener("abort", look, { once: true });
      await promise;
      signal?.removeEventListener("abort", look);
    }
    if (signal?.aborted) return false;
    running += 1;
    return true;
  }
}

/**
 * What a script finds around it, as the original sets it up: our own environment, a plain PATH and shell, and nothing
 * that makes a shell read other files or split words differently.
 */
function scriptEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(own).filter(([name, value]) => value !== undefined && !DROPPED.has(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), PATH: SCRIPT_PATH, SHELL: "/bin/sh" };
}

/** NODE_OPTIONS and NOTIFY_SOCKET are meant for us alone. */
const DROPPED = new Set(["IFS", "CDPATH", "ENV", "BASH_ENV", "NODE_OPTIONS", "NOTIFY_SOCKET"]);
