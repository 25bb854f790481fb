// One process per data directory: a lock the kernel takes back however the process ends.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { AppError, reasonOf } from "../lib/errors.ts";

/** A lock that is held. */
export interface Lock {
  /** Gives the directory free. The kernel does the same when the process ends in any other way. */
  release(): void;
}

/** SQLite's code for "somebody else holds it" (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;

/**
 * Takes the data directory, making it (0750) when it is missing. Throws ALREADY_RUNNING with the process that
 * holds it, or DATA_DIR_UNUSABLE. The lock is an exclusive transaction on `zmes.lock` that is never committed:
 * it needs no space on the disk, works across containers that share the folder, and ends with the process.
 */
export function lockDataDirectory(directory: string, pid: number = process.pid): Lock {
  const file = path.join(directory, "zmes.lock");
  const pidFile = path.join(directory, "zmes.pid");
  const held = openLock(directory, file);
  try {
    // SQLite begins an empty file with its first page, and would want room for a journal before that.
    held.exec("PRAGMA journal_mode = MEMORY");
    held.exec("BEGIN EXCLUSIVE");
  } catch (failure) {
    held.close();
    if (isBusy(failure)) throw new AppError("ALREADY_RUNNING", { directory, pid: pidIn(pidFile) }, failure);
    throw unusable(directory, failure);
  }
  notePid(pidFile, pid);
  return {
    release() {
      if (!held.isOpen) return;
      forgetPid(pidFile);
      held.close();
    },
  };
}

function openLock(directory: string, file: string): DatabaseSync {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    // Never opened again in this process: closing any descriptor of the file would drop the lock (fcntl(2)).
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    return new DatabaseSync(file, { timeout: 0 });
  } catch (failure) {
    throw unusable(directory, failure);
  }
}

function unusable(directory: string, failure: unknown): AppError {
  return new AppError("DATA_DIR_UNUSABLE", { path: directory, problem: reasonOf(failure) }, failure);
}

function isBusy(failure: unknown): boolean {
  return failure instanceof Error && "errcode" in failure && failure.errcode === SQLITE_BUSY;
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
