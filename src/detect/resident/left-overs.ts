// Ends what a detector process started and left behind: programs of engines, each in a group of its own.
import { readdir, readFile } from "node:fs/promises";

/**
 * Kills every process of ours whose environment has the folder as TMPDIR: they inherited it from their detector, and nobody
 * else has it. Their parent is gone, so they cannot be found by that. Never rejects.
 */
export async function killLeftOvers(folder: string): Promise<void> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const mark = `TMPDIR=${folder}`;
  for (const pid of pids) {
    // Of other users' processes it cannot be read.
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.split("\0").includes(mark)) kill(Number(pid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
