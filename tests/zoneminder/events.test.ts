import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventId } from "../../src/domain/alarm.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { createEvents } from "../../src/zoneminder/events.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import {
  type Mariadb,
  mariadbMayBeSkipped,
  openDatabase,
  type SchemaVersion,
  startMariadb,
} from "../support/mariadb.ts";

const id = (number: number) => number as EventId;

describe.skipIf(mariadbMayBeSkipped())("an event", () => {
  let server: Mariadb;
  const opened: Database[] = [];
  let lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(async () => {
    for (const database of opened) await database.stop();
    await server?.stop();
  });

  function setUp(version: SchemaVersion, name: string, rows: string) {
    server.createZoneMinder(name, version);
    server.sql(`SET sql_mode = ''; ${rows}`, name);
    const database = openDatabase(server, name);
    opened.push(database);
    const schema = createSchemaSource(database, { files: [], values: new Map() }, systemClock);
    return createEvents({ database, schema, logger });
  }

  it.each([
    ["1.30", "EndTime"],
    ["1.36", "EndDateTime"],
  ] as const)("of %s is open until it has an end, and has notes", async (version, end) => {
    const rows = `INSERT INTO Events SET Id = 1, Notes = 'Motion: Straße';
      INSERT INTO Events SET Id = 2, ${end} = NOW()`;
    const events = setUp(version, `zm${version.replace(".", "_")}`, rows);
    expect([await events.isOpen(id(1)), await events.isOpen(id(2)), await events.isOpen(id(3))]).toEqual([
      true,
      false,
      null,
    ]);
    expect([await events.notes(id(1)), await events.notes(id(2)), await events.notes(id(3))]).toEqual([
      "Motion: Straße",
      "",
      null,
    ]);
  });

  it("is unknown, without a complaint, while the database is away", async () => {
    const events = setUp("1.36", "away", "INSERT INTO Events SET Id = 1");
    lines = [];
    await server.stopServer();
    expect([await events.isOpen(id(1)), await events.notes(id(1))]).toEqual([null, null]);
    expect(lines).toEqual([]);
    await server.startServer();
    expect(await events.isOpen(id(1))).toBe(true);
  });

  it("is unknown, with one line, when its table cannot be read", async () => {
    const events = setUp("1.36", "broken", "RENAME TABLE Events TO Events_away");
    lines = [];
    expect(await events.notes(id(1))).toBeNull();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("Event 1 could not be read");
  });
});
