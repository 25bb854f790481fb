// A CommandIo for tests: collects what a command writes, and stops it when asked.
import { PassThrough } from "node:stream";
import type { CommandIo } from "../../src/cli/command.ts";
import { systemClock } from "../../src/lib/clock.ts";

export interface TestIo extends CommandIo {
  /** Everything written so far. */
  out(): string;
  err(): string;
  /** As Ctrl-C does. */
  interrupt(): void;
}

export function testIo(env: Readonly<Record<string, string | undefined>> = {}): TestIo {
  const stop = new AbortController();
  let out = "";
  let err = "";
  return {
    stdout: {
      write(text) {
        out += text;
      },
    },
    stderr: {
      write(text) {
        err += text;
      },
    },
    stdin: new PassThrough(),
    env,
    clock: systemClock,
    stopSignal: () => stop.signal,
    stopOrHangup: () => stop.signal,
    out: () => out,
    err: () => err,
    interrupt: () => stop.abort(),
  };
}
