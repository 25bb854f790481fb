import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/zoneminder/database.ts";
import { createSchemaSource, readSchema } from "../../src/zoneminder/schema.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";

const noConf = { files: [], values: new Map<string, string>() };

describe.skipIf(mariadbMayBeSkipped())("the schema", () => {
  let server: Mariadb;
  const opened: Database[] = [];
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(async () => {
    for (const database of opened) await database.stop();
    await server?.stop();
  });
  function open(name: string): Database {
    const database = openDatabase(server, name);
    opened.push(database);
    return database;
  }

  it.each([
    ["1.30", "1.30.4", { StartTime: true, Capturing: false, Monitors_Permissions: false, User_Roles: false }],
    [
      "1.34",
      "1.34.26",
      { StartTime: true, Capturing: false, Monitors_Permissions: false, User_Roles: false },
    ],
    ["1.36", "1.36.", { StartTime: false, Capturing: false, Monitors_Permissions: false, User_Roles: false }],
    [
      "1.37.27",
      "1.37.27",
      { StartTime: false, Capturing: true, Monitors_Permissions: true, User_Roles: false },
    ],
    ["1.38", "1.38.4", { StartTime: false, Capturing: true, Monitors_Permissions: true, User_Roles: true }],
  ] as const)("of %s is told apart by its tables and columns", async (version, _full, expected) => {
    const name = `zm${version.replaceAll(".", "_")}`;
    server.createZoneMinder(name, version);
    const schema = await readSchema(open(name), noConf);
    expect({
      StartTime: schema.has("Events", "StartTime"),
      Capturing: schema.has("Monitors", "Capturing"),
      Monitors_Permissions: schema.has("Monitors_Permissions"),
      User_Roles: schema.has("User_Roles"),
    }).toEqual(expected);
    expect(schema.has("Events", "StartDateTime")).toBe(!expected.StartTime);
    if (version !== "1.36") expect(schema.version).not.toBeNull();
  });

  it("lets zm.conf win over the table Config", async () => {
    server.createZoneMinder("conf", "1.30");
    const database = open("conf");
    const values = new Map([["ZM_PATH_MAP", "/run/zm-shm"]]);
    expect((await readSchema(database, noConf)).setting("ZM_PATH_MAP")).toBe("/dev/shm");
    expect((await readSchema(database, { files: [], values })).setting("ZM_PATH_MAP")).toBe("/run/zm-shm");
  });

  it("is refused with a hint when the database is not ZoneMinder's", async () => {
    server.sql("CREATE DATABASE empty; GRANT ALL ON empty.* TO zmuser@localhost");
    await expect(readSchema(open("empty"), noConf)).rejects.toThrow(/ZM_DB_NAME/);
  });

  it("is read again after a minute, and at once after a failure", async () => {
    server.sql("CREATE DATABASE later; GRANT ALL ON later.* TO zmuser@localhost");
    let now = 0;
    const source = createSchemaSource(open("later"), noConf, { now: () => now, monotonic: () => now });
    await expect(source()).rejects.toThrow(/no tables/);
    server.sql("DROP DATABASE later");
    server.createZoneMinder("later", "1.34");
    expect((await source()).has("Events", "StartTime")).toBe(true);
    server.sql("ALTER TABLE Events CHANGE StartTime StartDateTime DATETIME", "later");
    expect((await source()).has("Events", "StartTime")).toBe(true);
    now = 60_000;
    expect((await source()).has("Events", "StartTime")).toBe(false);
  });
});
