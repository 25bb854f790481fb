// The thread that owns the SQLite file: a disk that is busy or hangs must never delay an alarm.
import { statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { reasonOf } from "../lib/errors.ts";
import {
  closeQuietly,
  type Database,
  damage,
  isCheckedAtOpen,
  isDamage,
  NewerFormatError,
  openDatabase,
  openForReading,
  setAside,
} from "./database.ts";
import type { Batch, OpenedFile, StoreAnswer, StoreRequest, StoreWork } from "./messages.ts";
import {
  addSockets,
  backlog,
  drop,
  expire,
  insertDecisions,
  noteOutcomes,
  pendingOf,
  prune,
  startOf,
  stillDue,
} from "./outbox-tables.ts";
import { salvage } from "./salvage.ts";

const path = String(workerData);
let database: Database | null = null;
let inode = 0;

parentPort?.on("message", (request: StoreRequest) => parentPort?.postMessage(answer(request)));

function answer({ id, now, work }: StoreRequest): StoreAnswer {
  let aside: StoreAnswer["setAside"] = null;
  try {
    try {
      return { id, setAside: null, outcome: { done: true, value: perform(work) } };
    } catch (failure) {
      shut();
      if (!isDamage(failure)) throw failure;
      const name = setAside(path, now);
      aside = { name, salvaged: 0 };
      aside = { name, salvaged: salvage(name, opened()) };
      return { id, setAside: aside, outcome: { done: true, value: perform(work) } };
    }
  } catch (failure) {
    shut();
    const newer = failure instanceof NewerFormatError ? failure.format : null;
    return { id, setAside: aside, outcome: { done: false, problem: reasonOf(failure), newer } };
  }
}

function perform(work: StoreWork): unknown {
  switch (work.do) {
    case "open":
      return open();
    case "damaged":
      return refuse(work.inode);
    case "write":
      return write(opened(), work);
    case "marks":
      return read((from) => from.prepare("SELECT monitor, event, edge, at, open FROM marks").all());
    case "fact":
      return read(
        (from) => from.prepare("SELECT value FROM facts WHERE key = ?").get(work.key)?.value ?? null,
      );
    case "backlog":
      return read(backlog);
    case "pending":
      return read((from) => pendingOf(from, work));
    case "due":
      return read((from) => stillDue(from, work.ids));
    case "drop":
      return drop(opened(), work);
    case "expire":
      return expire(opened(), work.now, work.limit);
    case "prune":
      return prune(opened(), work.before, work.limit);
    case "start":
      return read((from) => startOf(from, work.key));
    case "changes":
      return read((from) => from.prepare("PRAGMA data_version").get()?.data_version);
    case "close":
      return shut();
  }
}

/** Whether the last run ended in order shows only before the file is opened: SQLite removes an empty -wal then. */
function open(): OpenedFile {
  const wasCutOff = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  opened();
  return { unchecked: wasCutOff && !isCheckedAtOpen(path) ? inode : null };
}

/** Somebody has found damage in the file with this inode; by now it may be another one. */
function refuse(damaged: number): void {
  opened();
  if (inode === damaged) throw damage("found by the check in the background");
}

/** The open file; opened anew when somebody removed or replaced it meanwhile. */
function opened(): Database {
  if (database !== null && statSync(path, { throwIfNoEntry: false })?.ino !== inode) shut();
  if (database === null) {
    database = openDatabase(path);
    inode = statSync(path).ino;
  }
  return database;
}

function write(to: Database, { marks, facts, decisions, outcomes, sockets }: Batch): readonly number[][] {
  const mark = to.prepare(
    "INSERT OR REPLACE INTO marks (monitor, event, edge, at, open) VALUES (?, ?, ?, ?, ?)",
  );
  const fact = to.prepare("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)");
  to.exec("BEGIN IMMEDIATE");
  for (const { monitor, event, edge, at, open } of marks) mark.run(monitor, event, edge, at, open);
  for (const { key, value } of facts) fact.run(key, value);
  const ids = decisions.length === 0 ? [] : insertDecisions(to, decisions);
  if (outcomes.length > 0) noteOutcomes(to, outcomes);
  if (sockets.length > 0) addSockets(to, sockets);
  // A failure anywhere closes the file, which rolls the transaction back.
  to.exec("COMMIT");
  return ids;
}

/** Reads even where the disk cannot be written. */
function read(get: (from: Database) => unknown): unknown {
  let from: Database;
  try {
    from = opened();
  } catch (failure) {
    if (isDamage(failure) || failure instanceof NewerFormatError) throw failure;
    from = openForReading(path);
  }
  try {
    return get(from);
  } finally {
    if (from !== database) closeQuietly(from);
  }
}

function shut(): void {
  if (database !== null) closeQuietly(database);
  database = null;
}
