// One detector process: started without a shell and with little around it, ended with all its children.
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { reasonOf } from "../../lib/errors.ts";
import { FRUGAL } from "./frugality.ts";
import { killLeftOvers, makeFolder } from "./left-overs.ts";
import { type FromProcess, parseFromProcess, type ToProcess } from "./messages.ts";

export interface DetectorProcess {
  readonly pid: number;
  send(message: ToProcess): void;
  /** Ends it and its children, at once. `onEnd` is called when it is gone. */
  kill(): void;
  /** Lets it go on without us; resolves when it has been handed all that was sent. `onEnd` is not called any more. */
  release(): Promise<void>;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
}

export interface ProcessOptions {
  /** The script that node runs. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  onMessage(message: FromProcess): void;
  /** Once; in words, such as "it was killed (SIGKILL)". */
  onEnd(why: string): void;
}

/** Of what it wrote to stderr, the end: where a crash leaves its reason. */
const STDERR_CHARACTERS = 2_000;

/** What it is given of our own environment: where programs and libraries are, languages, and certificates. */
const KEPT = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TZ",
  "LD_LIBRARY_PATH",
  "CUDA_VISIBLE_DEVICES",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/** Throws when no process can be started at all. */
export function startProcess(options: ProcessOptions): DetectorProcess {
  // Whatever it leaves behind when it is killed lies here.
  const folder = makeFolder(tmpdir());
  const clean = async (): Promise<void> => {
    await killLeftOvers(folder);
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  };
  try {
    return watched(begin(options, folder), options, clean);
  } catch (failure) {
    void clean();
    throw failure;
  }
}

/**
 * Every look leaves some MB of pixels outside of the heap and next to nothing in it. A young generation of 1 MB is collected every
 * few looks, and they with it; with the usual one of 16 MB they came to 60 MB in between.
 */
const SMALL_HEAP = ["--max-semi-space-size=1"];
function begin({ script, environment }: ProcessOptions, folder: string): ChildProcess {
  return spawn(process.execPath, [...SMALL_HEAP, script], {
    // A group of its own, so that its children can be ended with it.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    cwd: "/",
    env: reduced(environment, folder),
  });
}

function reduced(own: ProcessOptions["environment"], folder: string): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = own[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...FRUGAL, TMPDIR: folder };
}

function watched(child: ChildProcess, options: ProcessOptions, clean: () => Promise<void>): DetectorProcess {
  const gone = Promise.withResolvers<void>();
  let said = "";
  let hasEnded = false;
  let sent: Promise<void> = Promise.resolve();
  const end = (why: string): void => {
    if (hasEnded) return;
    hasEnded = true;
    killGroup(child.pid); // children that outlived it
    void clean().then(gone.resolve);
    options.onEnd(why);
  };
  child.stderr?.setEncoding("utf8").on("data", (part: string) => {
    said = (said + part).slice(-STDERR_CHARACTERS);
  });
  child.on("error", (failure) => {
    if (child.pid === undefined) end(`it could not be started: ${reasonOf(failure)}`);
  });
  child.on("message", (raw) => {
    const message = parseFromProcess(raw);
    if (message !== null && !hasEnded) options.onMessage(message);
  });
  // Nobody can talk to it any more: it is about to end, or never will by itself.
  child.on("disconnect", () => {
    setTimeout(() => !hasEnded && killGroup(child.pid), SILENT_END_MS).unref();
  });
  // "close" comes after the last of stderr, but not while a grandchild holds it open.
  child.on("exit", (code, signal) => {
    const tell = (): void => end(describe(code, signal, said));
    child.once("close", tell);
    setTimeout(tell, STDERR_DRAIN_MS).unref();
  });
  return {
    pid: child.pid ?? 0,
    send(message) {
      // One that is just ending takes nothing any more; its end is told anyway.
      if (child.connected) sent = new Promise((resolve) => child.send(message, () => resolve()));
    },
    kill: () => killGroup(child.pid),
    async release() {
      hasEnded = true;
      await sent;
      if (child.connected) child.disconnect();
      child.stderr?.destroy();
      child.unref();
      gone.resolve();
    },
    gone: gone.promise,
  };
}

/** What is still on its way from stderr gets this long. */
const STDERR_DRAIN_MS = 100;
/** From the end of the conversation to the end of the process. */
const SILENT_END_MS = 1_000;

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

function describe(code: number | null, signal: NodeJS.Signals | null, said: string): string {
  if (
    /heap out of memory|std::bad_alloc|Cannot allocate memory|allocation failed|to allocate memory|ENOMEM/i.test(
      said,
    )
  )
    return "it ran out of memory";
  const last = said
    .trim()
    .split("\n")
    .findLast((line) => /error|terminate|fatal|what\(\)/i.test(line));
  const words = last === undefined ? "" : `: ${last.trim().slice(0, 300)}`;
  if (signal === "SIGKILL") return "it was killed (SIGKILL), as the kernel does when memory runs out";
  if (signal !== null) return `it crashed (${signal})${words}`;
  return `it ended with ${code}${words}`;
}
