import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogRecord } from "../../src/lib/log.ts";
import { createLogTable, type LogDatabase } from "../../src/zoneminder/log-table.ts";
import { eventually } from "../support/eventually.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";

function saying(message: string, part: Partial<LogRecord> = {}): LogRecord {
  return { time: 1_545_291_092_606, level: "info", room: "server", message, fields: {}, ...part };
}

interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
}

/** A database that can be taken away at will. */
function aDatabase(): LogDatabase & { readonly statements: Statement[]; away: boolean } {
  return {
    statements: [],
    away: false,
    async query(sql, values) {
      if (this.away) throw new Error("Connection lost");
      this.statements.push({ sql, values });
    },
  };
}

function aTable(database: LogDatabase, monotonic = (): number => 0) {
  return createLogTable({
    database,
    level: "info",
    serverId: 2,
    clock: { now: () => 0, monotonic },
    pid: 77,
  });
}

test("a line becomes a row as ZoneMinder's programs write it", async () => {
  const database = aDatabase();
  aTable(database).write(saying("Correct authentication provided by ::1", { level: "warn" }));
  await eventually(() => expect(database.statements).toHaveLength(1));
  expect(database.statements[0]?.values).toEqual([
    "1545291092.606000",
    "zmeventnotification",
    2,
    77,
    -1,
    "WAR",
    "Correct authentication provided by ::1",
    "server",
  ]);
});

test("lines of one moment share a statement", async () => {
  const database = aDatabase();
  const table = aTable(database);
  for (let number = 0; number < 60; number += 1) table.write(saying(`line ${number}`));
  await table.close();
  expect(database.statements.map((each) => each.values.length / 8)).toEqual([50, 10]);
});

test("lines are dropped while the database is away, and counted when it is back", async () => {
  const database = aDatabase();
  let now = 0;
  const table = aTable(database, () => now);
  database.away = true;
  table.write(saying("lost one"));
  await table.close();
  table.write(saying("lost two"));
  database.away = false;
  now = 6000;
  table.write(saying("back"));
  await table.close();
  const messages = database.statements.flatMap((each) =>
    each.values.filter((_, position) => position % 8 === 6),
  );
  expect(messages).toEqual(["2 lines were not put here: the database was away", "back"]);
});

test("a database that never answers costs no more than the limit", async () => {
  const table = aTable({ query: () => new Promise(() => undefined) });
  for (let number = 0; number < 10_000; number += 1) table.write(saying("waiting"));
  const begun = performance.now();
  await table.close();
  expect(performance.now() - begun).toBeLessThan(5_000);
});

describe.skipIf(mariadbMayBeSkipped())("the real table", () => {
  let server: Mariadb;
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(() => server.stop());

  test("of ZoneMinder 1.36 takes the rows", async () => {
    server.createZoneMinder("zm", "1.36");
    const database = openDatabase(server, "zm");
    await database.start(new AbortController().signal);
    const clock = { now: () => 0, monotonic: () => 0 };
    const table = createLogTable({ database, level: "info", serverId: null, clock, pid: 77 });
    table.write(saying("New event 7 reported for Küche 🎥"));
    table.write(saying("x".repeat(100_000), { level: "fatal" }));
    const columns = "TimeKey, Component, ServerId, Pid, Level, Code, Message, File, Line";
    const rows = (): string => server.sql(`SELECT ${columns} FROM Logs ORDER BY Id`, "zm");
    await eventually(() => expect(rows().split("\n")).toHaveLength(3));
    expect(rows().split("\n")[0]).toBe(
      "1545291092.606000\tzmeventnotification\tNULL\t77\t0\tINF\tNew event 7 reported for Küche 🎥\tserver\tNULL",
    );
    await database.stop();
  });
});
