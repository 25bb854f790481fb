import { createHash } from "node:crypto";
import pino from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTableDevices, type TableDevices } from "../../src/channels/fcm/notifications.ts";
import { joinSources } from "../../src/channels/fcm/sources.ts";
import type { NoticeId, RecipientId } from "../../src/domain/notice.ts";
import { decide } from "../../src/domain/policy.ts";
import type { Rights } from "../../src/domain/recipient.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { recipientIdOf } from "../../src/store/device-entry.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { createNotifications } from "../../src/zoneminder/notifications.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import { aMonitor, anAlarm, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";
import { type Phones, startPhones } from "../support/phones.ts";

/** As 1.39.2 makes it, without its foreign key. */
const TABLE = `CREATE TABLE Notifications (Id INT UNSIGNED NOT NULL AUTO_INCREMENT, UserId INT UNSIGNED,
  Token VARCHAR(512) NOT NULL, Platform ENUM('android','ios','web') NOT NULL, MonitorList TEXT,
  \`Interval\` INT UNSIGNED NOT NULL DEFAULT 0, PushState ENUM('enabled','disabled') NOT NULL DEFAULT 'enabled',
  AppVersion VARCHAR(32), BadgeCount INT NOT NULL DEFAULT 0, LastNotifiedAt DATETIME, CreatedOn DATETIME,
  UpdatedOn TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (Id), UNIQUE KEY (Token))`;
const PROFILE = "ALTER TABLE Notifications ADD Profile VARCHAR(128)";
const notice = (text: string) => text as NoticeId;
const signal = new AbortController().signal;

describe.skipIf(mariadbMayBeSkipped())("ZoneMinder's table Notifications", () => {
  let server: Mariadb;
  let lines: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  const ends: (() => Promise<void>)[] = [];
  let database: Database;
  let name = "";
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterEach(async () => {
    lines = [];
    for (const end of ends.splice(0).reverse()) await end();
    facts.clear();
  });
  afterAll(() => server?.stop());

  /** A ZoneMinder with user 1, anna, and these rows; the devices push sees in it. */
  async function setUp(
    rows: string,
    {
      rights = "all",
      profile = true,
      table = true,
    }: { rights?: Rights | null; profile?: boolean; table?: boolean } = {},
  ): Promise<TableDevices> {
    name = `zm_${createHash("md5")
      .update(rows + Math.random())
      .digest("hex")}`;
    server.createZoneMinder(name, "1.38");
    const statements = [...(table ? [TABLE] : []), ...(profile && table ? [PROFILE] : []), rows];
    server.sql(`INSERT INTO Users SET Id = 1, Username = 'anna'; ${statements.join(";")}`, name);
    return await openTable({ rights });
  }

  /** What the data directory keeps over a restart, as JSON. */
  const facts = new Map<string, string>();
  const memory = {
    fact: async (key: string) => JSON.parse(facts.get(key) ?? "null"),
    putFact: (key: string, value: unknown) => void facts.set(key, JSON.stringify(value)),
  };

  /** The devices of a program that starts now. */
  async function openTable({
    rights = "all",
    lastKnown,
  }: {
    readonly rights?: Rights | null;
    readonly lastKnown?: Rights | null | undefined;
  } = {}): Promise<TableDevices> {
    database = openDatabase(server, name);
    const schema = createSchemaSource(database, { files: [], values: new Map() }, systemClock);
    const devices = createTableDevices({
      table: {
        ...createNotifications({ database, schema }),
        rightsOf: async (users) => new Map(users.map((user) => [user, rights])),
        lastKnown: () => lastKnown,
      },
      memory,
      idOf: recipientIdOf,
      clock: systemClock,
      logger,
    });
    ends.push(
      () => database.stop(),
      () => devices.stop(),
    );
    await devices.start(signal);
    return devices;
  }

  const row = (fields: string) => `INSERT INTO Notifications SET UserId = 1, ${fields}`;
  const inTable = (column: string) =>
    server.sql(`SELECT ${column} FROM Notifications ORDER BY Id`, name).trim();
  const labels = (devices: TableDevices) => devices.recipients().map(({ label }) => label);
  const ready = (devices: TableDevices, count = 1) =>
    eventually(() => expect(devices.recipients()).toHaveLength(count));
  const idOf = recipientIdOf;
  const first = (devices: TableDevices) => {
    const [recipient] = devices.recipients();
    if (recipient === undefined) throw new Error("nobody");
    return recipient;
  };

  it("gives its enabled phones, with their app, profile and badge", async () => {
    const devices = await setUp(
      [
        row(
          "Token = 'first-phone-27a387', Platform = 'ios', Profile = 'Home', BadgeCount = 4, AppVersion = '1.1.14'",
        ),
        row("Token = 'other-phone-9f665f', Platform = 'android', PushState = 'disabled'"),
        row("Token = 'a-browser-1234567', Platform = 'web'"),
      ].join(";"),
    );
    await ready(devices);
    expect(labels(devices)).toEqual(["phone ...27a387"]);
    expect(devices.find(first(devices).id)).toMatchObject({
      platform: "ios",
      profile: "Home",
      app: "zmninja-ng",
      badge: 4,
      owner: "anna",
    });
  });

  it("is read without profiles from 1.39.2", async () => {
    const devices = await setUp(row("Token = 'first-phone-27a387', Platform = 'ios'"), { profile: false });
    await ready(devices);
    expect(devices.find(first(devices).id)?.profile).toBeNull();
  });

  it("limits a phone to its list and to what its user may see", async () => {
    const devices = await setUp(row("Token = 'first-phone-27a387', Platform = 'ios', MonitorList = '1,2'"), {
      rights: new Set([mid(2), mid(3)]),
    });
    await ready(devices);
    const { preferences } = first(devices);
    const verdicts = [1, 2, 3].map((id) =>
      decide(anAlarm({ monitor: aMonitor({ id: mid(id) }) }), preferences, 0),
    );
    expect(verdicts.map(({ send }) => send)).toEqual([false, true, false]);
  });

  it.each([
    ["a disabled user", "UserId = 1", null],
    ["nobody, while ZoneMinder asks for logins", "UserId = NULL", "all" as const],
  ])("tells nothing to a phone of %s", async (_whose, owner, rights) => {
    const devices = await setUp(
      row(`Token = 'first-phone-27a387', Platform = 'ios'`).replace("UserId = 1", owner),
      {
        rights,
      },
    );
    await ready(devices);
    expect(decide(anAlarm(), first(devices).preferences, 0)).toMatchObject({ reason: "not-permitted" });
  });

  it("tells a phone of nobody where ZoneMinder asks for no login", async () => {
    const rows = `INSERT INTO Config (Name, Value) VALUES ('ZM_OPT_USE_AUTH', '0');
      INSERT INTO Notifications SET Token = 'first-phone-27a387', Platform = 'ios'`;
    const devices = await setUp(rows);
    await ready(devices);
    expect(decide(anAlarm(), first(devices).preferences, 0).send).toBe(true);
  });

  it("has one interval for all monitors of a phone, kept over a restart", async () => {
    const devices = await setUp(
      row(
        "Token = 'first-phone-27a387', Platform = 'ios', `Interval` = 60, LastNotifiedAt = FROM_UNIXTIME(1000)",
      ),
    );
    await ready(devices);
    const { preferences } = first(devices);
    const other = anAlarm({ monitor: aMonitor({ id: mid(2) }) });
    expect(decide(other, preferences, 1_059_000)).toMatchObject({ reason: "too-soon" });
    expect(decide(other, preferences, 1_060_000).send).toBe(true);
    expect(preferences.intervals.has(mid(2))).toBe(true);
    preferences.lastTold.set(mid(2), 1_060_000);
    expect(decide(anAlarm(), preferences, 1_100_000)).toMatchObject({ reason: "too-soon" });
  });

  it("keeps badge and moment of what was delivered, and the same badge for another attempt", async () => {
    const devices = await setUp(row("Token = 'first-phone-27a387', Platform = 'ios', BadgeCount = 4"));
    await ready(devices);
    const { id } = first(devices);
    expect([devices.takeBadge(id, notice("a")), devices.takeBadge(id, notice("a"))]).toEqual([5, 5]);
    const begun = Date.now();
    devices.noteDelivered(id, notice("a"));
    await eventually(() => expect(inTable("BadgeCount")).toBe("5"));
    const told = Number(inTable("UNIX_TIMESTAMP(LastNotifiedAt)")) * 1000;
    // The table keeps whole seconds.
    expect([told > begun - 1_000, told <= Date.now() + 1_000]).toEqual([true, true]);
  });

  it("loses a phone that Google called dead", async () => {
    const devices = await setUp(row("Token = 'first-phone-27a387', Platform = 'ios'"));
    await ready(devices);
    const { id } = first(devices);
    devices.forget(id, "UNREGISTERED");
    expect([devices.find(id), devices.recipients()]).toEqual([null, []]);
    await eventually(() => expect(inTable("COUNT(*)")).toBe("0"));
  });

  describe("at a start while the database is away", () => {
    const PHONE = "Token = 'first-phone-27a387', Platform = 'ios', MonitorList = '1,2', BadgeCount = 4";

    /** A run that has read the table, then one that cannot. */
    async function afterRestart(lastKnown: Rights | null | undefined, statement = "SELECT 1") {
      const before = await setUp(row(PHONE));
      await ready(before);
      await eventually(() => expect(facts.size).toBe(1));
      await before.stop();
      await database.stop();
      server.sql(statement, name);
      await server.stopServer();
      return await openTable({ lastKnown });
    }
    afterEach(() => server.startServer());

    it("tells the phones last known, by the rights last known", async () => {
      const devices = await afterRestart(new Set([mid(2)]));
      expect(labels(devices)).toEqual(["phone ...27a387"]);
      const { preferences, id } = first(devices);
      const verdicts = [1, 2].map((monitor) =>
        decide(anAlarm({ monitor: aMonitor({ id: mid(monitor) }) }), preferences, 0),
      );
      expect(verdicts.map(({ send }) => send)).toEqual([false, true]);
      expect(devices.takeBadge(id, notice("a"))).toBe(5);
      expect(devices.isRead()).toBe(false);
    });

    it("holds what is for a phone of whose user nothing was ever known", async () => {
      const devices = await afterRestart(undefined);
      expect(devices.rightsOf(first(devices).id)).toBe("unknown");
    });

    it("forgets a phone whose row is gone when the database is back", async () => {
      const devices = await afterRestart("all", "DELETE FROM Notifications");
      expect(labels(devices)).toEqual(["phone ...27a387"]);
      await server.startServer();
      await eventually(() => expect(devices.recipients()).toEqual([]));
      expect([...facts.values()].join()).not.toContain("first-phone");
    }, 20_000);
  });

  it("writes what it knows when a row changes, and not with every message", async () => {
    const devices = await setUp(row("Token = 'first-phone-27a387', Platform = 'ios', BadgeCount = 4"));
    await ready(devices);
    const { id } = first(devices);
    devices.takeBadge(id, notice("a"));
    devices.noteDelivered(id, notice("a"));
    await eventually(() => expect(inTable("BadgeCount")).toBe("5"));
    expect([...facts.values()].join()).toContain('"badge":4');
    await devices.stop();
    expect([...facts.values()].join()).toContain('"badge":5');
    devices.forget(id, "UNREGISTERED");
    expect([...facts.values()].join()).not.toContain("first-phone");
  });

  it("is not troubled by anything that was kept", async () => {
    facts.set("phones in ZoneMinder's table", '{"rows":[{"token":7}],"openToAll":"yes"}');
    const devices = await setUp(row("Token = 'first-phone-27a387', Platform = 'ios'"));
    await ready(devices);
  });

  it("that is not there is said once, and harms nothing", async () => {
    const devices = await setUp("SELECT 1", { table: false });
    await eventually(() => expect(lines.join()).toContain("this ZoneMinder has no table Notifications"));
    expect(devices.recipients()).toEqual([]);
  });

  describe("beside the phones that registered with this server", () => {
    let phones: Phones;
    async function both(state: "enabled" | "disabled") {
      phones = await startPhones(logger);
      ends.push(() => phones.stop());
      phones.register({ token: "first-phone-27a387", platform: "ios", state });
      const table = await setUp(
        `${row("Token = 'first-phone-27a387', Platform = 'ios'")}; ${row("Token = 'second-phone-9f665f', Platform = 'ios'")}`,
      );
      await ready(table, 2);
      return joinSources(phones.devices, table);
    }
    const known = idOf("first-phone-27a387");
    const inBoth = (ids: readonly { readonly id: RecipientId }[]) =>
      ids.filter(({ id }) => id === known).length;

    it("a phone that both know is told once, and both keep the same badge", async () => {
      const joined = await both("enabled");
      expect(joined.recipients()).toHaveLength(2);
      expect(inBoth(joined.recipients())).toBe(1);
      expect(joined.recipients()).toBe(joined.recipients());
      expect(joined.takeBadge(known, notice("a"))).toBe(1);
      joined.noteDelivered(known, notice("a"));
      expect(phones.devices.find(known)).toMatchObject({ badge: 1, invocations: { count: 1 } });
      await eventually(() => expect(inTable("BadgeCount")).toBe("1\n0"));
    });

    it("a phone whose push is off here is told because it is on there", async () => {
      const joined = await both("disabled");
      expect(inBoth(joined.recipients())).toBe(1);
      expect(joined.find(known)?.pushState).toBe("enabled");
    });

    it("a dead phone is forgotten in both", async () => {
      const joined = await both("enabled");
      joined.forget(known, "UNREGISTERED");
      expect([joined.find(known), joined.recipients().length]).toEqual([null, 1]);
      expect(phones.devices.all()).toEqual([]);
      await eventually(() => expect(inTable("Token")).toBe("second-phone-9f665f"));
    });
  });
});
