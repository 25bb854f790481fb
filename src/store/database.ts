// Opens the one SQLite file: its rights, its format, and what happens to a damaged one.
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { NewerFormat } from "./messages.ts";
import { migrations } from "./migrations.ts";

/** An open file. */
export type Database = DatabaseSync;

/** The file is of a newer program; it must not be touched. */
export class NewerFormatError extends Error {
  readonly format: NewerFormat;

  constructor(format: NewerFormat) {
    super(`format ${format.found} is newer than ${format.known}`);
    this.format = format;
  }
}

/** How long to wait for another process that writes; transactions take milliseconds. */
const BUSY_MS = 1000;

/**
 * A larger file is not checked as a whole while it is opened: 32 MiB take 0.3 s of a disk that gives 100 MB/s, and 1 GB
 * took 2 s out of memory and 21 s off the disk. SQLite says itself what is damaged when it gets there.
 */
const CHECKED_AT_OPEN_BYTES = 32 * 1024 * 1024;

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens the file for writing, creating it (0600) or bringing it up to date (a copy named `.before-format-N` is
 * kept). Throws NewerFormatError, or what SQLite says; `isDamage` tells a damaged file from other trouble.
 */
export function openDatabase(path: string, steps: readonly string[] = migrations): Database {
  refuseNewer(versionInHeader(path), steps.length);
  // Created first so that it never exists with wider rights; -wal and -shm get the rights of the file.
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    prepare(database, path, steps);
    return database;
  } catch (failure) {
    closeQuietly(database);
    throw failure;
  }
}

/** Whether opening the file checks all of it. */
export function isCheckedAtOpen(path: string): boolean {
  return statSync(path).size <= CHECKED_AT_OPEN_BYTES;
}

/** What SQLite throws for a damaged file. */
export function damage(words: string): Error {
  return Object.assign(new Error(words), { errcode: SQLITE_CORRUPT });
}

/** Opens a file for reading only: beside a running program, or on a disk that cannot be written. */
export function openForReading(path: string): Database {
  refuseNewer(versionInHeader(path), migrations.length);
  const url = pathToFileURL(path);
  // Where neither -shm nor anything else can be made, `immutable` shows at least what is in the file itself.
  url.search = "?mode=ro&immutable=1";
  return (
    readable(() => new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })) ??
    readable(() => openWithoutShm(path)) ??
    new DatabaseSync(url, { readOnly: true })
  );
}

/** A full disk has no room for the -shm file; locked for itself alone, SQLite keeps it in memory (wal.html, 8). */
function openWithoutShm(path: string): Database {
  const url = pathToFileURL(path);
  url.search = "?mode=rw";
  const database = new DatabaseSync(url);
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  return database;
}

/** The file, when it can be read together with its -wal; null when that fails. Throws for a damaged one. */
function readable(open: () => Database): Database | null {
  let database: Database | null = null;
  try {
    database = open();
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return database;
  } catch (failure) {
    if (database !== null) closeQuietly(database);
    if (isDamage(failure)) throw failure;
    return null;
  }
}

/** Opens an existing file of just this format for writing, beside a running program. */
export function openAsIs(path: string): Database {
  refuseNewer(versionInHeader(path), migrations.length);
  const url = pathToFileURL(path);
  url.search = "?mode=rw";
  return new DatabaseSync(url, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
}

/** True when the error says that the file itself is damaged. */
export function isDamage(failure: unknown): boolean {
  if (!(failure instanceof Error) || !("errcode" in failure) || typeof failure.errcode !== "number")
    return false;
  const primary = failure.errcode & 0xff;
  return primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB;
}

/** Puts a damaged file out of the way, for a person to look at; returns its new name. */
export function setAside(path: string, now: number): string {
  const moment = new Date(now).toISOString().replace(/[-:]/g, "").replace(/\..*/, "Z");
  const name = `${path}.damaged-${moment}`;
  for (const suffix of ["-wal", "-shm", ""]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, name + suffix);
  }
  return name;
}

/** Closes; a disk that fails meanwhile was reported where it was written. */
export function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {
    // Nothing is lost by it: what was committed is in the file or its -wal.
  }
}

function prepare(database: Database, path: string, steps: readonly string[]): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  refuseNewer(version, steps.length);
  const check = isCheckedAtOpen(path) ? database.prepare("PRAGMA quick_check(1)").get()?.quick_check : "ok";
  if (check !== "ok") throw damage(String(check));
  if (version > 0 && version < steps.length) keepCopy(database, path, version);
  // FULL: what was acknowledged survives a power cut, too.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 1048576;");
  if (version < steps.length) migrate(database, version, steps);
}

function migrate(database: Database, version: number, steps: readonly string[]): void {
  const missing = steps.slice(version).join("\n");
  database.exec(`BEGIN IMMEDIATE; ${missing} PRAGMA user_version = ${steps.length}; COMMIT;`);
  // The header of the file itself must say the new version: refuseNewer reads it there.
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

function keepCopy(database: Database, path: string, version: number): void {
  const copy = `${path}.before-format-${version + 1}`;
  rmSync(copy, { force: true });
  // VACUUM INTO accepts an empty file, which then keeps its rights.
  closeSync(openSync(copy, "wx", 0o600));
  database.prepare("VACUUM INTO ?").run(copy);
}

function refuseNewer(found: number, known: number): void {
  if (found > known) throw new NewerFormatError({ found, known });
}

/** `user_version` as bytes 60 to 63 of the file have it (sqlite.org/fileformat.html), read without SQLite. */
function versionInHeader(path: string): number {
  if (!existsSync(path)) return 0;
  const header = Buffer.alloc(100);
  const file = openSync(path, "r");
  try {
    const length = readSync(file, header, 0, 100, 0);
    const isSqlite = length === 100 && header.toString("latin1", 0, 16) === "SQLite format 3\0";
    return isSqlite ? header.readUInt32BE(60) : 0;
  } finally {
    closeSync(file);
  }
}
