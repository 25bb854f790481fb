// The folder of ZoneMinder's shared memory: says when its files may have been replaced, and which there are.
import { readdirSync, type Stats, statSync } from "node:fs";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";

/** A folder's mtime has the grain of a kernel tick: younger than this, it may hide a second change. */
const YOUNG_MS = 50;
/** All files are compared this often whatever the folder says: a file whose mode was mended changes no folder. */
const FULL_CHECK_MS = 1_000;
/** A missing folder is looked for again this often. */
const RETRY_MS = 1_000;
const FILE_NAME = /^zm\.mmap\.(\d{1,9})$/;

/** "missing" comes once each time the folder goes away; "absent" while it stays away. */
export type DirectoryLook = "quiet" | "files-may-differ" | "missing" | "absent";

export class MapDirectory {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onFilesChanged: () => void;
  #mtime = -1;
  #isMissing = false;
  #nextTry = 0;
  #nextFullCheck = 0;
  #ids: readonly number[] = [];

  /** `onFilesChanged`: the set of `zm.mmap.*` files is another one than at the last look. */
  constructor(path: string, deps: { clock: Clock; logger: Logger; onFilesChanged: () => void }) {
    this.#path = path;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#onFilesChanged = deps.onFilesChanged;
  }

  /** Makes the next look say that files may differ. */
  invalidate(): void {
    this.#mtime = -1;
  }

  /**
   * One `stat` of the folder instead of one of every file: files are compared when its mtime has changed or is too
   * young to be trusted. `now` on the monotonic clock.
   */
  look(now: number): DirectoryLook {
    if (this.#isMissing && now < this.#nextTry) return "absent";
    const found = statOf(this.#path);
    if (typeof found === "string") return this.#onMissing(now, found);
    if (this.#isMissing) this.#logger.info(`${this.#path} is there`);
    this.#isMissing = false;
    const changed = found.mtimeMs !== this.#mtime;
    const young = Math.abs(this.#clock.now() - found.mtimeMs) < YOUNG_MS;
    const due = now >= this.#nextFullCheck;
    if (due) this.#nextFullCheck = now + FULL_CHECK_MS;
    this.#mtime = found.mtimeMs;
    if (changed && this.#readNames()) this.#onFilesChanged();
    return changed || young || due ? "files-may-differ" : "quiet";
  }

  /** Ids of the `zm.mmap.*` files there are now. */
  ids(): readonly number[] {
    this.#readNames();
    return this.#ids;
  }

  #onMissing(now: number, problem: string): DirectoryLook {
    this.#nextTry = now + RETRY_MS;
    if (this.#isMissing) return "absent";
    this.#isMissing = true;
    const { code, message, hint } = new AppError("ZM_MAP_PATH_MISSING", { path: this.#path });
    if (problem === "ENOENT") this.#logger.error(`${message}. ${hint} [${code}]`);
    else this.#logger.error(`${this.#path} cannot be read (${problem}). It is tried again every second`);
    return "missing";
  }

  #readNames(): boolean {
    let names: string[];
    try {
      names = readdirSync(this.#path);
    } catch {
      return false; // gone between two calls: the next look says so
    }
    const ids = names.flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []).map(Number);
    ids.sort((a, b) => a - b);
    const changed = ids.join() !== this.#ids.join();
    this.#ids = ids;
    return changed;
  }
}

/** What the system says of the path, or the name of its error. */
function statOf(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? "ENOENT";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}
