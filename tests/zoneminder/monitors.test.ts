import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/zoneminder/database.ts";
import { loadMonitors } from "../../src/zoneminder/monitors.ts";
import { readSchema } from "../../src/zoneminder/schema.ts";
import {
  type Mariadb,
  mariadbMayBeSkipped,
  openDatabase,
  type SchemaVersion,
  startMariadb,
} from "../support/mariadb.ts";

describe.skipIf(mariadbMayBeSkipped())("loading monitors", () => {
  let server: Mariadb;
  let lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const databases = new Map<SchemaVersion, Database>();

  beforeAll(async () => {
    server = await startMariadb();
    for (const version of ["1.30", "1.36", "1.37.27", "1.38"] as const) {
      const name = `zm${version.replaceAll(".", "_")}`;
      server.createZoneMinder(name, version);
      server.sql(
        "SET sql_mode = ''; REPLACE INTO Config SET Name = 'ZM_EVENT_CLOSE_MODE', Value = 'idle'",
        name,
      );
      databases.set(version, openDatabase(server, name));
    }
  });
  afterAll(async () => {
    for (const database of databases.values()) await database.stop();
    await server?.stop();
  });
  beforeEach(() => {
    lines = [];
  });

  const sql = (version: SchemaVersion, text: string) => server.sql(text, `zm${version.replaceAll(".", "_")}`);

  /** Fills the table anew and loads from it. */
  async function load(
    version: SchemaVersion,
    rows: string,
    settings: Record<string, string> = {},
    skip: number[] = [],
  ) {
    sql(version, `SET sql_mode = ''; DELETE FROM Monitors; ${rows}`);
    const database = databases.get(version);
    if (!database) throw new Error("no database of that version");
    const schema = await readSchema(database, { files: [], values: new Map(Object.entries(settings)) });
    return loadMonitors({ database, schema, skip, logger });
  }

  it.each(["1.30", "1.36"] as const)("of %s reads what they do from Function", async (version) => {
    const monitors = await load(
      version,
      `INSERT INTO Monitors (Id, Name, \`Function\`, Enabled) VALUES (1, 'Off', 'None', 1), (2, 'Look', 'Monitor', 1),
       (3, 'Motion', 'Modect', 1), (4, 'All', 'Record', 1), (5, 'Both', 'Mocord', 0), (6, 'Outside', 'Nodect', 1)`,
    );
    expect(monitors.map(({ id, name, recording }) => [id, name, recording])).toEqual([
      [2, "Look", "none"],
      [3, "Motion", "on-motion"],
      [4, "All", "always"],
      [5, "Both", "always"],
      [6, "Outside", "on-motion"],
    ]);
  });

  it.each(["1.37.27", "1.38"] as const)("of %s ignores the Function nobody maintains", async (version) => {
    const monitors = await load(
      version,
      `INSERT INTO Monitors (Id, Name, \`Function\`, Capturing, Recording) VALUES (1, 'Off', 'Mocord', 'None', 'Always'),
       (2, 'Motion', 'None', 'Always', 'OnMotion'), (3, 'Look', 'Mocord', 'Ondemand', 'None'), (4, 'All', 'None', 'Always', 'Always')`,
    );
    expect(monitors.map(({ id, recording }) => [id, recording])).toEqual([
      [2, "on-motion"],
      [3, "none"],
      [4, "always"],
    ]);
  });

  it("leaves out web sites, deleted ones and those to be skipped", async () => {
    const rows = `INSERT INTO Monitors (Id, Name, Type, Deleted) VALUES (1, 'Site', 'WebSite', 0),
      (2, 'Gone', 'Local', 1), (3, 'Skipped', 'Local', 0), (4, 'Here', 'Local', 0)`;
    expect((await load("1.38", rows, {}, [3])).map(({ id }) => id)).toEqual([4]);
  });

  it("keeps names of every language", async () => {
    const monitors = await load("1.36", "INSERT INTO Monitors (Id, Name) VALUES (1, 'Einfahrt Süd 玄関 🚗')");
    expect(monitors[0]?.name).toBe("Einfahrt Süd 玄関 🚗");
    expect((await load("1.30", "INSERT INTO Monitors (Id, Name) VALUES (1, 'Süd')"))[0]?.name).toBe("Süd");
  });

  describe("that close their event on an alarm", () => {
    it("are known from the system's setting up to 1.36", async () => {
      const rows = "INSERT INTO Monitors (Id) VALUES (1)";
      expect((await load("1.36", rows))[0]?.closesEventOnAlarm).toBe(false);
      expect((await load("1.36", rows, { ZM_EVENT_CLOSE_MODE: "alarm" }))[0]?.closesEventOnAlarm).toBe(true);
    });

    it("are known from their own setting, or the system's, from 1.37.53 on", async () => {
      const rows = `INSERT INTO Monitors (Id, EventCloseMode) VALUES (1, 'system'), (2, 'alarm'), (3, 'idle')`;
      const modes = async (mode: string) =>
        (await load("1.38", rows, { ZM_EVENT_CLOSE_MODE: mode })).map(
          (monitor) => monitor.closesEventOnAlarm,
        );
      expect(await modes("alarm")).toEqual([true, true, false]);
      expect(await modes("time")).toEqual([false, true, false]);
    });

    it("are not known when nothing says so", async () => {
      sql("1.30", "DELETE FROM Config WHERE Name = 'ZM_EVENT_CLOSE_MODE'");
      expect((await load("1.30", "INSERT INTO Monitors (Id) VALUES (1)"))[0]?.closesEventOnAlarm).toBeNull();
    });
  });

  describe("of several servers", () => {
    const rows = `DELETE FROM Servers; INSERT INTO Servers (Id, Name) VALUES (7, 'cellar');
      INSERT INTO Monitors (Id, ServerId) VALUES (1, 7), (2, 8), (3, NULL)`;
    it.each([
      ["all, whoever runs them, without a server's name", {}, [1, 2, 3]],
      ["those of the given id", { ZM_SERVER_ID: "8" }, [2]],
      ["those of the named server", { ZM_SERVER_NAME: "cellar" }, [1]],
      ["those of the named host", { ZM_SERVER_HOST: "cellar" }, [1]],
      ["all with a warning when nobody has that name", { ZM_SERVER_HOST: "attic" }, [1, 2, 3]],
    ])("takes %s", async (_name, settings, expected) => {
      expect((await load("1.36", rows, settings)).map(({ id }) => id)).toEqual(expected);
      expect(lines.length).toBe("ZM_SERVER_HOST" in settings && settings.ZM_SERVER_HOST === "attic" ? 1 : 0);
    });
  });

  it("loses only the row that is odd, and says so", async () => {
    // An enum that was given a word it does not know holds '' afterwards.
    const rows = "INSERT INTO Monitors (Id, Name, `Function`) VALUES (1, 'Odd', 'Sleep'), (2, '', 'Modect')";
    const monitors = await load("1.36", rows);
    expect(monitors.map(({ id, name }) => [id, name])).toEqual([[2, "Monitor 2"]]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("Monitor 1 is left out");
  });
});
