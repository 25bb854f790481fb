// Has a large store checked in the background, behind everything else the machine has to do.
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";

/** Exit codes of the process that checks. */
export const CHECKED = { whole: 0, unknown: 2, damaged: 3 } as const;

/** Run unbuilt, the program is a .ts file beside this one; built, a .js file. */
const PROGRAM = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "./file-check-process.ts" : "./file-check-process.js",
    import.meta.url,
  ),
);

/** Calls back when the file is damaged. Never throws: what cannot be checked stays in use. Gives what ends it. */
export function startFileCheck(path: string, onDamaged: () => void): () => void {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM, path], {
    stdio: "ignore",
  });
  // Nobody waits for it: a process that could not be started has no answer.
  child.on("error", () => undefined);
  child.on("exit", (code) => {
    if (code === CHECKED.damaged) onDamaged();
  });
  child.unref();
  lower(child.pid);
  return () => void child.kill("SIGKILL");
}

function lower(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It may have ended already.
  }
}
