// The real process as a CommandIo: standard streams, environment, signals.
import { systemClock } from "../lib/clock.ts";
import type { CommandIo } from "./command.ts";

/** Call once, from main.ts. */
export function processIo(): CommandIo {
  const stop = new AbortController();
  // A reader that went away (`zmes listen ... | head -1`) is an ordinary end, not an exception.
  process.stdout.on("error", () => stop.abort());
  process.stderr.on("error", () => {});
  let listening = false;
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    clock: systemClock,
    stopSignal() {
      if (!listening) {
        listening = true;
        // `on`, not `once`: Ctrl-C below `npm run` may arrive twice, and the second must not cut the tidying short.
        for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());
      }
      return stop.signal;
    },
  };
}
