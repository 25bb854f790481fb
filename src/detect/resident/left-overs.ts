// What detector processes leave behind: programs of engines, each in a group of its own, and folders for temporary files.
import { mkdtempSync, readlinkSync } from "node:fs";
import { lstat, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";

/** A folder of its own for one process, inside `parent`. Throws the system's error. */
export function makeFolder(parent: string): string {
  return mkdtempSync(path.join(parent, prefix()));
}

/**
 * Kills every process of ours whose environment has the folder as TMPDIR: they inherited it from their detector, and nobody
 * else has it. Their parent is gone, so they cannot be found by that. Never rejects.
 */
export async function killLeftOvers(folder: string): Promise<void> {
  for (const { pid, environment } of await readableProcesses())
    if (environment.includes(markOf(folder))) kill(pid);
}

/**
 * Removes the folders that nobody uses any more, because the whole program was killed and could not: ours, not a link, and no
 * process has it as TMPDIR. Never rejects.
 * @param now ms since 1970.
 */
export async function removeAbandoned(parent: string, now: number): Promise<void> {
  const names = (await readdir(parent).catch(() => [])).filter((name) => name.startsWith(prefix()));
  const old: string[] = [];
  for (const name of names) {
    const folder = path.join(parent, name);
    if (await isOurs(folder, now)) old.push(folder);
  }
  if (old.length === 0) return;
  const used = new Set((await readableProcesses()).flatMap(({ environment }) => environment));
  for (const folder of old)
    if (!used.has(markOf(folder))) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

/** From the folder to its process it is a moment; somebody else may just be there. */
const SETTLED_MS = 60_000;

/**
 * A folder that containers share has processes in it that /proc does not show: the name says to which of the namespaces of
 * processes it belongs (pid_namespaces(7)).
 */
function prefix(): string {
  return `zmes-detector-${namespaceId()}-`;
}

function namespaceId(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

async function isOurs(folder: string, now: number): Promise<boolean> {
  try {
    const is = await lstat(folder);
    return is.isDirectory() && is.uid === process.getuid?.() && now - is.mtimeMs > SETTLED_MS;
  } catch {
    return false;
  }
}

function markOf(folder: string): string {
  return `TMPDIR=${folder}`;
}

interface Running {
  readonly pid: number;
  /** NAME=value */
  readonly environment: readonly string[];
}

/** Of other users' processes the environment cannot be read. */
async function readableProcesses(): Promise<readonly Running[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found: Running[] = [];
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment !== "") found.push({ pid: Number(pid), environment: environment.split("\0") });
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
