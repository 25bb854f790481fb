// The real process as a CommandIo: standard streams, environment, signals.
import { systemClock } from "../lib/clock.ts";
import type { CommandIo } from "./command.ts";

/** Call once, from main.ts. */
export function processIo(): CommandIo {
  const stop = new AbortController();
  const hangup = new AbortController();
  // A reader that went away (`zmes listen ... | head -1`) is an ordinary end, not an exception.
  process.stdout.on("error", () => hangup.abort());
  process.stderr.on("error", () => {});
  // ZoneMinder's programs log more on USR1 and less on USR2 (Logger.pm, 1.30 to 1.39), so people send them. Node on its
  // own opens its debugger at the first, to everybody on the machine, and ends at the second.
  for (const name of ["SIGUSR1", "SIGUSR2"] as const) process.on(name, () => {});
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    clock: systemClock,
    stopSignal: () => abortOn(["SIGINT", "SIGTERM"], stop),
    stopOrHangup: () => AbortSignal.any([abortOn(["SIGINT", "SIGTERM"], stop), abortOn(["SIGHUP"], hangup)]),
  };
}

function abortOn(names: readonly NodeJS.Signals[], controller: AbortController): AbortSignal {
  // `on`, not `once`: Ctrl-C below `npm run` may arrive twice, and the second must not cut the tidying short.
  for (const name of names) process.on(name, () => controller.abort());
  return controller.signal;
}
