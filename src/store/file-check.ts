// Has a large store checked in the background, behind everything else the machine has to do.
import { type ChildProcess, spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { ownProgram } from "../lib/own-program.ts";

/** Exit codes of the process that checks. */
export const CHECKED = { whole: 0, unknown: 2, damaged: 3 } as const;

const PROGRAM = fileURLToPath(ownProgram("./file-check-process", import.meta.url));

/** Calls back when the file is damaged. Never throws: what cannot be checked stays in use. Gives what ends it. */
export function startFileCheck(path: string, onDamaged: () => void): () => void {
  const child = begin(path);
  if (child === null) return () => undefined;
  child.on("exit", (code) => {
    if (code === CHECKED.damaged) onDamaged();
  });
  child.unref();
  lower(child.pid);
  return () => void child.kill("SIGKILL");
}

/** Null, or a process without a pid, where none can be started (no memory, no file handles). */
function begin(path: string): ChildProcess | null {
  try {
    const program = ["--disable-warning=ExperimentalWarning", PROGRAM, path];
    // Its input is ours to close: by that it knows when we are gone.
    const stdio = ["pipe", "ignore", "ignore"] as const;
    return spawn(process.execPath, program, { stdio: [...stdio] }).on("error", () => undefined);
  } catch {
    return null;
  }
}

function lower(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It may have ended already.
  }
}
