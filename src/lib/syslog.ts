// Sends log lines to the system log through the `logger` program (util-linux, bsdutils).
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import type { Clock } from "./clock.ts";
import type { LogDestination, LogLevel, LogRecord } from "./log.ts";

export interface SyslogOptions {
  readonly level: LogLevel | null;
  /** What stands before the colon. */
  readonly tag: string;
  /** The text of a line, on one line. */
  readonly text: (record: LogRecord) => string;
  readonly clock: Clock;
  /** Told once when the system log cannot be reached, and once when it is back. */
  readonly onState?: (reachable: boolean, problem: string) => void;
  readonly program?: string;
  /** More arguments for the program, such as another server. */
  readonly programArguments?: readonly string[];
}

/** local1, as ZoneMinder's own programs use (RFC 5424 numbers facilities from 0; local1 is 17). */
const FACILITY = 17;
/** RFC 5424 severities. */
const severity: Readonly<Record<LogLevel, number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warn: 4,
  error: 3,
  fatal: 2,
};
/** A program that dies at once is not started again for each line. */
const RESTART_MS = 5000;
/** `logger` reads quickly; if it does not, lines are dropped beyond this. */
const LIMIT_BYTES = 262_144;
const CLOSE_DEADLINE_MS = 200;

type Child = ChildProcessByStdio<Writable, null, null>;

/** The destination named "syslog". */
export function createSyslog(options: SyslogOptions): LogDestination {
  let child: Child | null = null;
  let triedAt: number | null = null;
  let reachable = true;
  let closed = false;

  const say = (now: boolean, problem: string): void => {
    if (now !== reachable && !closed) options.onState?.(now, problem);
    reachable = now;
  };

  const start = (): Child | null => {
    const now = options.clock.monotonic();
    if (triedAt !== null && now - triedAt < RESTART_MS) return null;
    triedAt = now;
    const started = spawnLogger(options);
    const gone = (problem: string): void => {
      if (child !== started) return;
      child = null;
      say(false, problem);
    };
    started.on("error", (failure) => gone(failure.message));
    started.on("exit", (code, signal) => gone(`logger ended with ${signal ?? `status ${code}`}`));
    // A write to a program that has just died; its exit is reported above.
    started.stdin.on("error", () => undefined);
    started.unref();
    return started;
  };

  return {
    name: "syslog",
    level: options.level,
    write(record) {
      if (closed) return;
      child ??= start();
      if (child === null || child.stdin.writableLength > LIMIT_BYTES) return;
      // Only one that has lived a while counts: one that dies at once would be announced at every line.
      if (options.clock.monotonic() - (triedAt ?? 0) >= RESTART_MS) say(true, "");
      child.stdin.write(`<${FACILITY * 8 + severity[record.level]}>${options.text(record)}\n`);
    },
    async close() {
      closed = true;
      if (child !== null) await endLogger(child);
    },
  };
}

function spawnLogger(options: SyslogOptions): Child {
  const standard = ["-t", options.tag, "-p", "local1.info", `--id=${process.pid}`, "--prio-prefix"];
  const all = [...standard, ...(options.programArguments ?? [])];
  return spawn(options.program ?? "logger", all, { stdio: ["pipe", "ignore", "ignore"] });
}

/** Lets the program write what it has read; one that hangs is ended. */
async function endLogger(child: Child): Promise<void> {
  const ended = Promise.withResolvers<void>();
  child.once("exit", () => ended.resolve());
  child.once("error", () => ended.resolve());
  child.stdin.end();
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    ended.resolve();
  }, CLOSE_DEADLINE_MS);
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) ended.resolve();
  await ended.promise;
  clearTimeout(timer);
}
