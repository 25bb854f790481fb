// A lock on a file that the kernel takes back however the process ends.
import { closeSync, existsSync, openSync } from "node:fs";
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";

/** A lock that is held. */
export interface FileLock {
  /** Gives it free. The kernel does the same when the process ends in any other way. */
  release(): void;
}

/** SQLite's code for "somebody else holds it" (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;

/**
 * Takes the lock, making its file (0600) when it is missing; null when somebody else holds it. Throws what the system says
 * when there can be no such file. It is an exclusive transaction that is never committed: it needs no space on the disk,
 * works across containers that share the folder, and ends with the process. The file stays; nothing else may open it.
 */
export function tryFileLock(file: string): FileLock | null {
  // Never opened again in this process: closing any descriptor of the file would drop the lock (fcntl(2)).
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  const held = new DatabaseSync(file, { timeout: 0 });
  try {
    // SQLite begins an empty file with its first page, and would want room for a journal before that.
    held.exec("PRAGMA journal_mode = MEMORY");
    held.exec("BEGIN EXCLUSIVE");
  } catch (failure) {
    held.close();
    if (isBusy(failure)) return null;
    throw failure;
  }
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}

function isBusy(failure: unknown): boolean {
  return failure instanceof Error && "errcode" in failure && failure.errcode === SQLITE_BUSY;
}
