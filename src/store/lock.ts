// One process per data directory: a lock the kernel takes back however the process ends.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { AppError, reasonOf } from "../lib/errors.ts";
import { type FileLock, tryFileLock } from "../lib/file-lock.ts";

/**
 * Takes the data directory, making it (0750) when it is missing. Throws ALREADY_RUNNING with the process that
 * holds it, or DATA_DIR_UNUSABLE.
 */
export function lockDataDirectory(directory: string, pid: number = process.pid): FileLock {
  const file = path.join(directory, "zmes.lock");
  const pidFile = path.join(directory, "zmes.pid");
  const held = openLock(directory, file);
  if (held === null) throw new AppError("ALREADY_RUNNING", { directory, pid: pidIn(pidFile) });
  notePid(pidFile, pid);
  let isReleased = false;
  return {
    release() {
      if (isReleased) return;
      isReleased = true;
      forgetPid(pidFile);
      held.release();
    },
  };
}

function openLock(directory: string, file: string): FileLock | null {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    return tryFileLock(file);
  } catch (failure) {
    throw new AppError("DATA_DIR_UNUSABLE", { path: directory, problem: reasonOf(failure) }, failure);
  }
}

/** Only for people: a full disk leaves the file empty, and the lock is held all the same. */
function notePid(file: string, pid: number): void {
  try {
    // Never through a link that somebody else put there.
    rmSync(file, { force: true });
    writeFileSync(file, `${pid}\n`, { mode: 0o640, flag: "wx" });
  } catch {
    // Then a second process cannot name this one.
  }
}

function forgetPid(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A disk that has become read-only; the next process writes over it.
  }
}

function pidIn(file: string): string {
  try {
    return readFileSync(file, "utf8").trim() || "unknown";
  } catch {
    return "unknown";
  }
}
