import { hashSync } from "bcrypt";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { DatabaseUnavailable } from "../../src/zoneminder/database.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import { createZoneMinderLogins, type Login, type ZoneMinderLogins } from "../../src/zoneminder/users.ts";
import {
  type Mariadb,
  mariadbMayBeSkipped,
  openDatabase,
  type SchemaVersion,
  startMariadb,
} from "../support/mariadb.ts";

const MYSQL = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"; // "password"
const BCRYPT = hashSync("password", 8).replace("$2b", "$2y");

describe.skipIf(mariadbMayBeSkipped())("ZoneMinder's users", () => {
  let server: Mariadb;
  let lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const opened: Database[] = [];

  beforeAll(async () => {
    server = await startMariadb();
    for (const version of ["1.30", "1.36", "1.37.27", "1.38"] as const) {
      const name = database(version);
      server.createZoneMinder(name, version);
      server.sql("SET sql_mode = ''; INSERT INTO Monitors (Id) VALUES (1), (2), (3), (4)", name);
    }
  });
  afterAll(async () => {
    for (const open of opened) await open.stop();
    await server?.stop();
  });
  beforeEach(() => {
    lines = [];
  });

  const database = (version: SchemaVersion) => `zm${version.replaceAll(".", "_")}`;

  /** Fills the tables of that version anew: users by name with the columns that matter. */
  function setUp(
    version: SchemaVersion,
    users: Record<string, Record<string, unknown>>,
    sql = "",
    settings = {},
  ) {
    const rows = Object.entries(users).map(([name, columns], index) => {
      const all = {
        Id: index + 1,
        Username: name,
        Password: BCRYPT,
        Events: "View",
        Monitors: "View",
        ...columns,
      };
      const set = Object.entries(all).map(([column, value]) => `\`${column}\` = ${JSON.stringify(value)}`);
      return `INSERT INTO Users SET ${set.join(", ")};`;
    });
    server.sql(`SET sql_mode = ''; DELETE FROM Users; ${rows.join("")} ${sql}`, database(version));
    const open = openDatabase(server, database(version), logger);
    opened.push(open);
    const conf = { files: [], values: new Map<string, string>(Object.entries(settings)) };
    return createZoneMinderLogins({
      database: open,
      schema: createSchemaSource(open, conf, systemClock),
      options: { queued_logins: 100 },
      clock: systemClock,
      logger,
    });
  }

  function login(logins: ZoneMinderLogins, user: string, password = "password", change: Partial<Login> = {}) {
    return logins.login({ user, password, address: "::1", signal: new AbortController().signal, ...change });
  }

  describe("log in", () => {
    it.each(["1.30", "1.36", "1.37.27", "1.38"] as const)(
      "to %s with the right password only",
      async (version) => {
        const logins = setUp(version, { admin: {} });
        expect(await login(logins, "admin")).toEqual({ outcome: "accepted", user: "admin", rights: "all" });
        for (const [user, password] of [
          ["admin", "Password"],
          ["nobody", "password"],
          ["Admin", "password"],
          ["admin ", "password"],
          ["admin' OR '1'='1", "password"],
          ["", "password"],
          ["admin", ""],
          ["x".repeat(10_000), "password"],
          ["admin", "x".repeat(10_000)],
          ["管理者 🚗", "password"],
        ] as const) {
          expect(await login(logins, user, password)).toEqual({ outcome: "refused" });
        }
        expect(lines.join("")).not.toContain("unforeseen");
      },
    );

    it("with every form of stored password", async () => {
      const overlay = `-ZM-${hashSync(MYSQL, 4)}`;
      const logins = setUp("1.36", {
        bcrypt: {},
        mysql: { Password: MYSQL },
        overlay: { Password: overlay },
        plain: { Password: "password" },
      });
      for (const user of ["bcrypt", "mysql", "overlay", "plain"]) {
        expect(await login(logins, user)).toMatchObject({ outcome: "accepted" });
        expect(await login(logins, user, "wrong")).toEqual({ outcome: "refused" });
      }
    });

    it("not when they are disabled, at once and without a restart", async () => {
      const logins = setUp("1.36", { admin: {}, off: { Enabled: 0 } });
      expect(await login(logins, "off")).toEqual({ outcome: "refused" });
      expect(await login(logins, "admin")).toMatchObject({ outcome: "accepted" });
      server.sql("UPDATE Users SET Enabled = 0", database("1.36"));
      expect(await login(logins, "admin")).toEqual({ outcome: "refused" });
    });

    it("with a changed password at once, and no longer with the old one", async () => {
      const logins = setUp("1.36", { admin: {} });
      expect(await login(logins, "admin")).toMatchObject({ outcome: "accepted" });
      server.sql(`UPDATE Users SET Password = '${hashSync("new", 4)}'`, database("1.36"));
      expect(await login(logins, "admin")).toEqual({ outcome: "refused" });
      expect(await login(logins, "admin", "new")).toMatchObject({ outcome: "accepted" });
    });

    it("whatever the case of their name, where ZoneMinder says so", async () => {
      const users = { Admin: {}, Bob: { Password: "one" }, bob: { Password: "two" } };
      const logins = setUp("1.36", users, "", { ZM_CASE_INSENSITIVE_USERNAMES: "1" });
      expect(await login(logins, "aDMIN")).toMatchObject({ outcome: "accepted", user: "Admin" });
      expect(await login(logins, "bob", "two")).toMatchObject({ outcome: "accepted", user: "bob" });
      expect(await login(logins, "BOB", "two")).toEqual({ outcome: "refused" });
      expect(lines.join("")).toContain("fits several users");
    });

    it("with names of other languages", async () => {
      const logins = setUp("1.36", { Jürgen: {} });
      expect(await login(logins, "Jürgen")).toMatchObject({ outcome: "accepted", user: "Jürgen" });
    });

    it("each for themselves: an odd row costs that login only, and one line", async () => {
      const logins = setUp("1.36", { odd: { Password: "$2y$10$cut" }, empty: { Password: "" }, good: {} });
      const [odd, empty, good] = await Promise.all(
        ["odd", "empty", "good"].map((user) => login(logins, user)),
      );
      expect([odd, empty]).toEqual([{ outcome: "refused" }, { outcome: "refused" }]);
      expect(good).toMatchObject({ outcome: "accepted" });
      expect(lines.filter((line) => line.includes('\\"odd\\"') && line.includes("bcrypt"))).toHaveLength(1);
      expect(lines.join("")).not.toContain("$2y$10$cut");
    });

    it("all at once in a few queries", async () => {
      const names = Array.from({ length: 200 }, (_, i) => `user${i}`);
      const logins = setUp("1.36", Object.fromEntries(names.map((name) => [name, { Password: "plain" }])));
      const before = questions();
      const answers = await Promise.all(names.map((name) => login(logins, name, "plain")));
      expect(answers.every(({ outcome }) => outcome === "accepted")).toBe(true);
      expect(questions() - before).toBeLessThan(60);
    });

    it("not when nobody waits any more", async () => {
      const gone = new AbortController();
      gone.abort();
      const answer = await login(setUp("1.36", { admin: {} }), "admin", "password", { signal: gone.signal });
      expect(answer).toEqual({ outcome: "busy" });
    });

    it("as soon as the database is there, and are not refused before", async () => {
      const logins = setUp("1.36", { admin: {} });
      await server.stopServer();
      expect(await login(logins, "admin")).toEqual({ outcome: "unavailable" });
      expect(await login(logins, "nobody")).toEqual({ outcome: "unavailable" });
      await expect(logins.rightsOf(["admin"])).rejects.toThrow(DatabaseUnavailable);
      await server.startServer();
      expect(await login(logins, "admin")).toMatchObject({ outcome: "accepted" });
    });

    it("after a table was lost for a moment: that is no refusal either", async () => {
      const logins = setUp("1.36", { admin: {} });
      server.sql("RENAME TABLE Users TO Users_away", database("1.36"));
      expect(await login(logins, "admin")).toEqual({ outcome: "unavailable" });
      server.sql("RENAME TABLE Users_away TO Users", database("1.36"));
      expect(await login(logins, "admin")).toMatchObject({ outcome: "accepted" });
    });
  });

  it("that do not exist take as long to refuse as those that do", async () => {
    const logins = setUp("1.36", {
      admin: { Password: hashSync("x", 10) },
      off: { Enabled: 0 },
      plain: { Password: "p" },
    });
    const least = async (user: string, password = "wrong") => {
      const times: number[] = [];
      for (let i = 0; i < 4; i++) {
        const begun = process.cpuUsage();
        expect(await login(logins, user, password)).toEqual({ outcome: "refused" });
        const { user: own, system } = process.cpuUsage(begun);
        times.push(own + system);
      }
      return Math.min(...times);
    };
    const known = await least("admin");
    for (const [user, password] of [["nobody"], ["off"], ["off", "password"], ["plain"]] as const) {
      const ratio = (await least(user, password)) / known;
      expect(ratio).toBeGreaterThan(0.6);
      expect(ratio).toBeLessThan(1.6);
    }
  });

  describe("may see", () => {
    const rights = async (logins: ZoneMinderLogins, ...names: string[]) =>
      Object.fromEntries(
        [...(await logins.rightsOf(names))].map(([name, right]) => [
          name,
          right instanceof Set ? [...right].sort() : right,
        ]),
      );

    it.each(["1.30", "1.36"] as const)("in %s what MonitorIds and Events say", async (version) => {
      const logins = setUp(version, {
        all: { MonitorIds: "" },
        some: { MonitorIds: "2,4,9" },
        none: { Events: "None" },
        off: { Enabled: 0 },
      });
      expect(await rights(logins, "all", "some", "none", "off", "nobody")).toEqual({
        ...{ all: "all", some: [2, 4], none: [], off: null, nobody: null },
      });
    });

    it("in 1.37.27 what the tables say, not the column left behind", async () => {
      const users = { all: { MonitorIds: "1" }, own: {}, group: { Monitors: "None" }, off: { Enabled: 0 } };
      const logins = setUp(
        "1.37.27",
        users,
        `INSERT INTO Groups_Monitors (GroupId, MonitorId) VALUES (5, 3), (5, 4), (6, 4);
         INSERT INTO Monitors_Permissions (MonitorId, UserId, Permission) VALUES (2, 2, 'None'), (1, 3, 'Inherit');
         INSERT INTO Groups_Permissions (GroupId, UserId, Permission) VALUES (5, 3, 'View'), (6, 3, 'None')`,
      );
      expect(await rights(logins, "all", "own", "group", "off")).toEqual({
        ...{ all: "all", own: [1, 3, 4], group: [3], off: null },
      });
    });

    it("in 1.38 what the tables and then the role say, of monitors that are not deleted", async () => {
      const role = { RoleId: 7, Monitors: "None", Events: "None" };
      const logins = setUp(
        "1.38",
        { plain: {}, role, own: role, norole: { ...role, RoleId: 99 } },
        `INSERT INTO Monitors (Id, Deleted) VALUES (5, 1);
         INSERT INTO User_Roles (Id, Name, Events, Monitors) VALUES (7, 'watch', 'View', 'View');
         INSERT INTO Groups_Monitors (GroupId, MonitorId) VALUES (5, 3);
         INSERT INTO Role_Monitors_Permissions (RoleId, MonitorId, Permission) VALUES (7, 1, 'None');
         INSERT INTO Role_Groups_Permissions (RoleId, GroupId, Permission) VALUES (7, 5, 'None');
         INSERT INTO Monitors_Permissions (MonitorId, UserId, Permission) VALUES (1, 3, 'View')`,
      );
      expect(await rights(logins, "plain", "role", "own", "norole")).toEqual({
        ...{ plain: "all", role: [2, 4], own: [1, 2, 4], norole: [] },
      });
    });

    it("what was last changed, for many users in a few queries", async () => {
      const names = Array.from({ length: 300 }, (_, i) => `user${i}`);
      const logins = setUp(
        "1.37.27",
        Object.fromEntries(names.map((name) => [name, {}])),
        "DELETE FROM Monitors_Permissions; DELETE FROM Groups_Permissions",
      );
      await logins.rightsOf(["user1"]);
      const before = questions();
      expect([...(await logins.rightsOf(names)).values()].every((right) => right === "all")).toBe(true);
      expect(questions() - before).toBeLessThan(30);
      server.sql(
        "INSERT INTO Monitors_Permissions (MonitorId, UserId, Permission) VALUES (1, 8, 'None')",
        database("1.37.27"),
      );
      expect(await rights(logins, "user7")).toEqual({ user7: [2, 3, 4] });
    });
  });

  /** How many statements the server has been asked so far. */
  function questions(): number {
    return Number(/\d+/.exec(server.sql("SHOW GLOBAL STATUS LIKE 'Questions'"))?.[0]);
  }
});
