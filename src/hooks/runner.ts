// Runs a script: arguments as they are (no shell), a time limit, killed with its children, a few at a time.
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../lib/clock.ts";
import { reasonOf, systemCode } from "../lib/errors.ts";

interface ScriptRun {
  /** The program and what it is given, each word as it arrives. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  /** Ends the script, as the time limit does. */
  readonly signal?: AbortSignal;
}

export type ScriptEnd =
  | { readonly kind: "exited"; readonly code: number }
  /** By somebody else's signal. */
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "aborted" }
  /** It never ran. `code` is the system's, such as ENOENT. */
  | { readonly kind: "not-started"; readonly code: string | null; readonly reason: string };

export interface ScriptResult {
  readonly end: ScriptEnd;
  /** What it printed, as far as `outputBytes` allow; bytes that are no UTF-8 are replaced. */
  readonly stdout: string;
  readonly stderr: string;
  /** True when it printed more. */
  readonly isCut: boolean;
  readonly ms: number;
}

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

export interface Runner {
  /** Never throws: every way to end is an answer. */
  run(script: ScriptRun): Promise<ScriptResult>;
  /** Kills whatever is left, children that outlived their script included. */
  stop(): void;
}

/** A page of text per alarm is plenty; a script that prints for ever must not fill the memory. */
const OUTPUT_BYTES = 65_536;
/** Between TERM and KILL: time to remove a temporary file. */
const GRACE_MS = 5_000;
/** A script that has ended may leave a child that holds its output open: what is still on its way gets this long. */
const DRAIN_MS = 250;
/** How long a killed process may take to be gone; one that waits for a dead disk never goes. */
const REAP_MS = 1_000;
/** How often children that outlived their script are looked for. */
const LOOK_EVERY_MS = 1_000;
/** Where scripts, and programs that a script names without their folder, are looked for: what the original sets. */
export const SCRIPT_PATH = "/bin:/usr/bin";
/** Scripts begin here, whatever folder this program was started in. */
const SCRIPT_FOLDER = "/";
/** Linux takes 128 KiB per argument, with the zero at its end (MAX_ARG_STRLEN). */
const ARGUMENT_BYTES = 131_071;
/** What is left of a longer one: no character of JavaScript takes more than three bytes. */
const CUT_CHARACTERS = 32_000;

/** Builds the runner; nothing runs before `run`. */
export function createRunner(options: RunnerOptions): Runner {
  const { concurrency, clock } = options;
  const groups = new Set<Group>();
  const waiting: (() => void)[] = [];
  let running = 0;

  return {
    async run(script) {
      const startedAt = clock.monotonic();
      const aborted = () => nothing({ kind: "aborted" }, clock.monotonic() - startedAt);
      if (!(await takeTurn(script.signal))) return aborted();
      try {
        // Since the turn came: from here to the script's listener nothing can come between.
        if (script.signal?.aborted) return aborted();
        return await runOne(script, options, groups);
      } finally {
        running -= 1;
        for (const look of waiting.splice(0)) look();
      }
    },
    stop() {
      for (const group of groups) group.end("SIGKILL");
      groups.clear();
    },
  };

  /** Waits until there is room and takes it; false when nobody wants it any more. Whoever asked first looks first. */
  async function takeTurn(signal: AbortSignal | undefined): Promise<boolean> {
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

async function runOne(script: ScriptRun, options: RunnerOptions, groups: Set<Group>): Promise<ScriptResult> {
  const { clock, outputBytes = OUTPUT_BYTES, graceMs = GRACE_MS } = options;
  const startedAt = clock.monotonic();
  const child = begin(script, options);
  if ("kind" in child) return nothing(child, clock.monotonic() - startedAt);
  const stdout = collect(child.stdout, outputBytes);
  const stderr = collect(child.stderr, outputBytes);
  const group = child.pid === undefined ? null : createGroup(child.pid);
  if (group !== null) groups.add(group);
  const end = await ending(child, group, script, graceMs);
  await Promise.race([Promise.all([stdout.done, stderr.done]), pause(DRAIN_MS)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  const wasEnded = end.kind === "timeout" || end.kind === "aborted";
  const deadline = wasEnded ? clock.monotonic() + graceMs : startedAt + script.timeoutMs;
  if (group !== null) follow(group, groups, deadline, clock);
  return {
    end,
    stdout: stdout.text(),
    stderr: stderr.text(),
    isCut: stdout.isCut() || stderr.isCut(),
    ms: clock.monotonic() - startedAt,
  };
}

function begin(script: ScriptRun, { environment }: RunnerOptions): ChildProcess | ScriptEnd {
  const [program = "", ...rest] = script.argv;
  try {
    return spawn(program, rest.map(asArgument), {
      // A group of its own, so that its children can be ended with it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: SCRIPT_FOLDER,
      env: scriptEnvironment(environment),
    });
  } catch (failure) {
    return { kind: "not-started", code: systemCode(failure), reason: reasonOf(failure) };
  }
}

/** No argument can hold a NUL, and one that is too long would keep the script from running at all. */
function asArgument(text: string): string {
  const words = text.replaceAll("\0", "");
  return Buffer.byteLength(words) <= ARGUMENT_BYTES ? words : words.slice(0, CUT_CHARACTERS);
}

/** How the script itself ends; its children and its output are looked after elsewhere. */
function ending(
  child: ChildProcess,
  group: Group | null,
  { timeoutMs, signal }: ScriptRun,
  graceMs: number,
): Promise<ScriptEnd> {
  const { promise, resolve } = Promise.withResolvers<ScriptEnd>();
  const timers: NodeJS.Timeout[] = [];
  let reason: ScriptEnd | null = null;
  const stop = (why: ScriptEnd): void => {
    if (reason !== null || group === null) return;
    reason = why;
    group.end("SIGTERM");
    timers.push(setTimeout(() => group.end("SIGKILL"), graceMs));
    timers.push(setTimeout(resolve, graceMs + REAP_MS, why));
  };
  const onAbort = (): void => stop({ kind: "aborted" });
  timers.push(setTimeout(stop, timeoutMs, { kind: "timeout" } satisfies ScriptEnd));
  signal?.addEventListener("abort", onAbort, { once: true });
  child.on("error", (error) =>
    resolve({ kind: "not-started", code: systemCode(error), reason: reasonOf(error) }),
  );
  child.on("exit", (code, name) => {
    resolve(reason ?? (code === null ? { kind: "killed", signal: name ?? "" } : { kind: "exited", code }));
  });
  return promise.finally(() => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

/** The processes of one script. */
interface Group {
  /** False once none of them is left. */
  isAlive(): boolean;
  end(signal: "SIGTERM" | "SIGKILL"): void;
}

function createGroup(pid: number): Group {
  const tell = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, signal);
    } catch (failure) {
      return systemCode(failure) === "EPERM"; // it became another user
    }
  };
  return { isAlive: () => tell(0), end: (signal) => void tell(signal) };
}

/** Children that outlive their script may go on until its time is over; those that were told to end get the grace. */
function follow(group: Group, groups: Set<Group>, deadline: number, clock: Clock): void {
  if (!group.isAlive()) {
    groups.delete(group);
    return;
  }
  const timer = setInterval(() => {
    if (groups.has(group) && group.isAlive() && clock.monotonic() >= deadline) group.end("SIGKILL");
    else if (groups.has(group) && group.isAlive()) return;
    groups.delete(group);
    clearInterval(timer);
  }, LOOK_EVERY_MS).unref();
}

interface Collected {
  readonly done: Promise<void>;
  text(): string;
  isCut(): boolean;
}

/** Reads to the end, so that the script never stands still on a full pipe, and keeps the beginning. */
function collect(stream: Readable | null, limit: number): Collected {
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let kept = 0;
  let isCut = false;
  stream?.on("data", (chunk: Buffer) => {
    const part = chunk.subarray(0, limit - kept);
    if (part.length > 0) chunks.push(Buffer.from(part));
    kept += part.length;
    if (part.length < chunk.length) isCut = true;
  });
  stream?.on("close", resolve).on("error", () => resolve());
  if (stream === null) resolve();
  return { done: promise, text: () => Buffer.concat(chunks).toString("utf8"), isCut: () => isCut };
}

function nothing(end: ScriptEnd, ms: number): ScriptResult {
  return { end, stdout: "", stderr: "", isCut: false, ms };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
