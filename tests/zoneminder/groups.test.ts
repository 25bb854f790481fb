import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/zoneminder/database.ts";
import { readGroups } from "../../src/zoneminder/groups.ts";
import { loadMonitors } from "../../src/zoneminder/monitors.ts";
import { readSchema } from "../../src/zoneminder/schema.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";

describe.skipIf(mariadbMayBeSkipped())("groups of monitors", () => {
  let server: Mariadb;
  let lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const databases: Database[] = [];

  beforeAll(async () => {
    server = await startMariadb();
    server.createZoneMinder("old", "1.30");
    server.createZoneMinder("new", "1.38");
    for (const name of ["old", "new"]) databases.push(openDatabase(server, name));
  });
  afterAll(async () => {
    for (const database of databases) await database.stop();
    await server?.stop();
  });
  beforeEach(() => {
    lines = [];
  });

  async function source(which: 0 | 1) {
    const database = databases[which];
    if (!database) throw new Error("no such database");
    return { database, schema: await readSchema(database, { files: [], values: new Map() }), logger };
  }

  it("come with the groups above them, by number and by name", async () => {
    server.sql(
      "DELETE FROM `Groups`; DELETE FROM Groups_Monitors; " +
        "INSERT INTO `Groups` (Id, Name, ParentId) VALUES (1, 'Outside', NULL), (2, 'Garden', 1), (3, 'Inside', NULL); " +
        "INSERT INTO Groups_Monitors (GroupId, MonitorId) VALUES (2, 7), (3, 7), (3, 8)",
      "new",
    );
    const groups = await readGroups(await source(1));
    expect([...groups]).toEqual([
      [7, ["2", "Garden", "1", "Outside", "3", "Inside"]],
      [8, ["3", "Inside"]],
    ]);
  });

  it("that stand above themselves end where they began", async () => {
    server.sql(
      "DELETE FROM `Groups`; DELETE FROM Groups_Monitors; " +
        "INSERT INTO `Groups` (Id, Name, ParentId) VALUES (1, 'A', 2), (2, 'B', 1); " +
        "INSERT INTO Groups_Monitors (GroupId, MonitorId) VALUES (1, 7)",
      "new",
    );
    expect((await readGroups(await source(1))).get(7 as never)).toEqual(["1", "A", "2", "B"]);
  });

  it("of 1.30 are lists in the rows of groups", async () => {
    server.sql(
      "SET sql_mode = ''; DELETE FROM `Groups`; INSERT INTO `Groups` (Id, Name, MonitorIds) VALUES (1, 'Out', '7, 8'), (2, 'None', '')",
      "old",
    );
    const groups = await readGroups(await source(0));
    expect(groups.get(8 as never)).toEqual(["1", "Out"]);
  });

  it("come with the list of monitors, and cost none of it when they cannot be read", async () => {
    server.sql(
      "SET sql_mode = ''; DELETE FROM Monitors; DELETE FROM `Groups`; INSERT INTO Monitors (Id, Name, `Function`, Enabled) VALUES (7, 'Yard', 'Modect', 1); " +
        "INSERT INTO `Groups` (Id, Name, MonitorIds) VALUES (1, 'Out', '7')",
      "old",
    );
    const from = { ...(await source(0)), skip: [] };
    expect((await loadMonitors(from))[0]?.groups).toEqual(["1", "Out"]);
    server.sql("RENAME TABLE `Groups` TO Hidden", "old");
    const [monitor] = await loadMonitors(from);
    expect(monitor).toMatchObject({ id: 7, name: "Yard" });
    expect(monitor).not.toHaveProperty("groups");
    expect(lines.join()).toContain("The groups of monitors could not be read");
  });
});
