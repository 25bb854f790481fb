// Runs other programs: arguments as they are (no shell), a time limit, killed with its children, bounded output.
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "./clock.ts";
import { reasonOf, systemCode } from "./errors.ts";

export interface ProgramRun {
  /** The program and what it is given, each word as it arrives. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  /** Ends the program, as the time limit does. */
  readonly signal?: AbortSignal;
}

export type ProgramEnd =
  | { readonly kind: "exited"; readonly code: number }
  /** By somebody else's signal. */
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "aborted" }
  /** It never ran. `code` is the system's, such as ENOENT. */
  | { readonly kind: "not-started"; readonly code: string | null; readonly reason: string };

export interface ProgramResult {
  readonly end: ProgramEnd;
  /** What it printed, as far as `outputBytes` allow; bytes that are no UTF-8 are replaced. */
  readonly stdout: string;
  readonly stderr: string;
  /** True when it printed more. */
  readonly isCut: boolean;
  readonly ms: number;
}

export interface ProgramOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Bytes kept of each of the two streams. */
  readonly outputBytes?: number;
  /** From TERM to KILL. */
  readonly graceMs?: number;
}

export interface ProgramRunner {
  /** Never throws: every way to end is an answer. */
  run(program: ProgramRun): Promise<ProgramResult>;
  /** Kills whatever is left, children that outlived their program included. */
  stop(): void;
}

/** A page of text is plenty for most; a program that prints for ever must not fill the memory. */
const OUTPUT_BYTES = 65_536;
/** Between TERM and KILL: time to remove a temporary file. */
const GRACE_MS = 5_000;
/** A program that has ended may leave a child that holds its output open: what is still on its way gets this long. */
const DRAIN_MS = 250;
/** How long a killed process may take to be gone; one that waits for a dead disk never goes. */
const REAP_MS = 1_000;
/** How often children that outlived their program are looked for. */
const LOOK_EVERY_MS = 1_000;
/** Linux takes 128 KiB per argument, with the zero at its end (MAX_ARG_STRLEN). */
const ARGUMENT_BYTES = 131_071;
/** What is left of a longer one: no character of JavaScript takes more than three bytes. */
const CUT_CHARACTERS = 32_000;

/** Builds the runner; nothing runs before `run`. */
export function createProgramRunner(options: ProgramOptions): ProgramRunner {
  const groups = new Set<Group>();
  return {
    async run(program) {
      // From here to the program's listener nothing can come between.
      return program.signal?.aborted ? notRun({ kind: "aborted" }, 0) : runOne(program, options, groups);
    },
    stop() {
      for (const group of groups) group.end("SIGKILL");
      groups.clear();
    },
  };
}

/** The answer when a program was not run at all. */
export function notRun(end: ProgramEnd, ms: number): ProgramResult {
  return { end, stdout: "", stderr: "", isCut: false, ms };
}

async function runOne(
  program: ProgramRun,
  options: ProgramOptions,
  groups: Set<Group>,
): Promise<ProgramResult> {
  const { clock, outputBytes = OUTPUT_BYTES, graceMs = GRACE_MS } = options;
  const startedAt = clock.monotonic();
  const child = begin(program, options);
  if ("kind" in child) return notRun(child, clock.monotonic() - startedAt);
  const stdout = collect(child.stdout, outputBytes);
  const stderr = collect(child.stderr, outputBytes);
  const group = child.pid === undefined ? null : createGroup(child.pid);
  if (group !== null) groups.add(group);
  const end = await ending(child, group, program, graceMs);
  await Promise.race([Promise.all([stdout.done, stderr.done]), pause(DRAIN_MS).then(turnOfLoop)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  const wasEnded = end.kind === "timeout" || end.kind === "aborted";
  const deadline = wasEnded ? clock.monotonic() + graceMs : startedAt + program.timeoutMs;
  if (group !== null) follow(group, groups, deadline, clock);
  return {
    end,
    stdout: stdout.text(),
    stderr: stderr.text(),
    isCut: stdout.isCut() || stderr.isCut(),
    ms: clock.monotonic() - startedAt,
  };
}

function begin({ argv }: ProgramRun, { environment }: ProgramOptions): ChildProcess | ProgramEnd {
  const [file = "", ...rest] = argv;
  try {
    return spawn(file, rest.map(asArgument), {
      // A group of its own, so that its children can be ended with it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
      env: { ...environment },
    });
  } catch (failure) {
    return { kind: "not-started", code: systemCode(failure), reason: reasonOf(failure) };
  }
}

/** No argument can hold a NUL, and one that is too long would keep the program from running at all. */
function asArgument(text: string): string {
  const words = text.replaceAll("\0", "");
  return Buffer.byteLength(words) <= ARGUMENT_BYTES ? words : words.slice(0, CUT_CHARACTERS);
}

/** How the program itself ends; its children and its output are looked after elsewhere. */
function ending(
  child: ChildProcess,
  group: Group | null,
  { timeoutMs, signal }: ProgramRun,
  graceMs: number,
): Promise<ProgramEnd> {
  const { promise, resolve } = Promise.withResolvers<ProgramEnd>();
  const timers: NodeJS.Timeout[] = [];
  let reason: ProgramEnd | null = null;
  const stop = (why: ProgramEnd): void => {
    if (reason !== null || group === null) return;
    reason = why;
    group.end("SIGTERM");
    timers.push(setTimeout(() => group.end("SIGKILL"), graceMs));
    timers.push(setTimeout(resolve, graceMs + REAP_MS, why));
  };
  const onAbort = (): void => stop({ kind: "aborted" });
  timers.push(setTimeout(stop, timeoutMs, { kind: "timeout" } satisfies ProgramEnd));
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

/** The processes of one program. */
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

/** Children that outlive their program may go on until its time is over; those that were told to end get the grace. */
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

/** Reads to the end, so that the program never stands still on a full pipe, and keeps the beginning. */
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** After a standstill timers come before input: what lies in the pipes by then is read first. */
function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
