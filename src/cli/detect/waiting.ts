// Shows on a terminal that a command still works, while a model loads or pictures are waited for.
import type { CommandIo } from "../command.ts";

export interface Waiting {
  /** What is waited for from now on. */
  say(text: string): void;
  /** Removes the line; may be called twice. */
  end(): void;
}

/** An answer that comes at once needs no line. */
const FIRST_MS = 500;
const EVERY_MS = 250;

export function showWaiting({ stderr, clock }: Pick<CommandIo, "stderr" | "clock">): Waiting {
  const isTerminal = "isTTY" in stderr && stderr.isTTY === true;
  const begun = clock.monotonic();
  let text = "Looking";
  let columns = 0;
  const timer = setInterval(show, EVERY_MS);
  timer.unref();
  return {
    say(next) {
      text = next;
      if (!isTerminal) stderr.write(`${next} ...\n`);
    },
    end() {
      clearInterval(timer);
      if (columns > 0) stderr.write(`\r${" ".repeat(columns)}\r`);
      columns = 0;
    },
  };

  function show(): void {
    const ms = clock.monotonic() - begun;
    if (!isTerminal || ms < FIRST_MS) return;
    const line = `${text} ... ${Math.floor(ms / 1000)} s`;
    stderr.write(`\r${line.padEnd(columns)}`);
    columns = Math.max(columns, line.length);
  }
}
