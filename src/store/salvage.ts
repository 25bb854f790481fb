// Takes out of a damaged file what can still be read: notices that wait, marks and facts.
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { closeQuietly, type Database } from "./database.ts";

type Row = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

/** Copies it into the new file and gives the number of notices that were saved. Never throws. */
export function salvage(damaged: string, to: Database): number {
  const from = opened(damaged);
  if (from === null) return 0;
  try {
    to.exec("BEGIN IMMEDIATE");
    const saved = copyAll(from, to);
    to.exec("COMMIT");
    return saved;
  } catch {
    // A full disk: the damaged file still has everything, for a person to look at.
    if (to.isTransaction) to.exec("ROLLBACK");
    return 0;
  } finally {
    closeQuietly(from);
  }
}

function copyAll(from: Database, to: Database): number {
  for (const table of ["marks", "facts"]) for (const row of readable(from, table)) insert(to, table, row);
  let saved = 0;
  for (const row of readable(from, "deliveries", "WHERE state = 'pending'")) {
    const [alarm] = readable(from, "alarms", `WHERE rowid = ${Number(row.alarm)}`);
    if (alarm === undefined) continue;
    insert(to, "alarms", alarm);
    insert(to, "deliveries", row);
    saved += 1;
  }
  return saved;
}

/** From both ends of the table up to the damage; indexes may be damaged as well and are left alone. */
function readable(from: Database, table: string, where = ""): readonly Row[] {
  const rows = new Map<unknown, Row>();
  for (const order of ["ASC", "DESC"]) {
    try {
      const query = `SELECT rowid AS place, * FROM ${table} NOT INDEXED ${where} ORDER BY rowid ${order}`;
      for (const { place, ...row } of from.prepare(query).iterate()) rows.set(place, row);
    } catch {
      // Perhaps the other end can be read; a file of an older form does not have every table.
    }
  }
  return [...rows.values()];
}

function insert(to: Database, table: string, row: Row): void {
  const columns = Object.keys(row);
  const places = columns.map(() => "?").join(", ");
  const text = `INSERT OR IGNORE INTO ${table} (${columns.join(", ")}) VALUES (${places})`;
  to.prepare(text).run(...Object.values(row));
}

function opened(path: string): Database | null {
  try {
    return new DatabaseSync(path, { readOnly: true });
  } catch {
    return null;
  }
}
