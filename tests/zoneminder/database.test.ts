import { chmodSync, existsSync } from "node:fs";
import { userInfo } from "node:os";
import pino from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createDatabase, type Database, DatabaseUnavailable } from "../../src/zoneminder/database.ts";
import type { DatabaseTarget } from "../../src/zoneminder/database-target.ts";
import { makeCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { type Mariadb, mariadbMayBeSkipped, startMariadb } from "../support/mariadb.ts";

const silent = pino({ level: "silent" });

describe.skipIf(mariadbMayBeSkipped())("TLS to the database", () => {
  const good = makeCertificate();
  const other = makeCertificate();
  let server: Mariadb;
  const opened: Database[] = [];
  beforeAll(async () => {
    // The server runs as another user and must be able to read them.
    chmodSync(good.folder, 0o755);
    chmodSync(good.key, 0o644);
    const tls = [`--ssl-cert=${good.cert}`, `--ssl-key=${good.key}`, "--bind-address=127.0.0.1,127.0.0.2"];
    server = await startMariadb({ tcp: true, args: tls });
    server.sql("CREATE DATABASE zm; CREATE USER tls@'127.0.0.%' IDENTIFIED BY 'x' REQUIRE SSL");
    server.sql("GRANT ALL ON zm.* TO tls@'127.0.0.%'");
  });
  afterAll(async () => {
    for (const database of opened) await database.stop();
    await server?.stop();
    good.remove();
    other.remove();
  });

  function connect(host: string, tls: DatabaseTarget["tls"]): Promise<unknown> {
    const tcp = { host, port: server.port };
    const target = { sockets: [], tcp, database: "zm", user: "tls", password: "x", tls };
    const database = createDatabase(target, { logger: silent, clock: systemClock });
    opened.push(database);
    return database.query("SHOW STATUS LIKE 'Ssl_version'");
  }
  const plain = { key: null, cert: null };

  it("is spoken when a CA is named", async () => {
    const answer = await connect("127.0.0.1", { ca: good.cert, verify: "chain", ...plain });
    expect(answer).toEqual([{ Variable_name: "Ssl_version", Value: expect.stringContaining("TLS") }]);
    await expect(connect("127.0.0.1", null)).rejects.toThrow(/Access denied/);
  });

  it("compares the name or address only when asked to", async () => {
    for (const host of ["localhost", "127.0.0.1"]) {
      await expect(connect(host, { ca: good.cert, verify: "identity", ...plain })).resolves.toHaveLength(1);
    }
    await expect(connect("127.0.0.2", { ca: good.cert, verify: "chain", ...plain })).resolves.toHaveLength(1);
    await expect(connect("127.0.0.2", { ca: good.cert, verify: "identity", ...plain })).rejects.toThrow(
      /127\.0\.0\.2/,
    );
  });

  it("refuses a server that another CA vouches for, unless verifying is switched off", async () => {
    await expect(connect("127.0.0.1", { ca: other.cert, verify: "chain", ...plain })).rejects.toThrow(
      DatabaseUnavailable,
    );
    await expect(connect("127.0.0.1", { ca: other.cert, verify: "off", ...plain })).resolves.toHaveLength(1);
  });

  it("names a CA file that cannot be read", async () => {
    const missing = connect("127.0.0.1", { ca: "/nonexistent/ca.pem", verify: "chain", ...plain });
    await expect(missing).rejects.toThrow(/\/nonexistent\/ca\.pem/);
  });
});

describe.skipIf(mariadbMayBeSkipped())("the connection to the database", () => {
  let server: Mariadb;
  const opened: Database[] = [];
  let lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });

  beforeAll(async () => {
    server = await startMariadb({ tcp: true });
    server.sql(
      "CREATE DATABASE zm CHARACTER SET utf8mb4; GRANT ALL ON zm.* TO zmuser@localhost, zmuser@'127.0.0.1'",
    );
    server.sql(
      "CREATE TABLE T (Id BIGINT UNSIGNED, Name TEXT); INSERT INTO T VALUES (9007199254740991, 'Straße 防犯 🚗')",
      "zm",
    );
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.stop();
    lines = [];
  });
  afterAll(async () => server?.stop());

  function open(change: Partial<DatabaseTarget> = {}): Database {
    const target: DatabaseTarget = {
      ...{ sockets: [server.socket], tcp: null, database: "zm" },
      ...{ user: "zmuser", password: "zmpass", tls: null },
      ...change,
    };
    const database = createDatabase(target, { logger, clock: systemClock });
    opened.push(database);
    return database;
  }
  const said = (words: string) => lines.filter((line) => line.includes(words)).length;

  it("is made through the Unix socket that exists", async () => {
    const database = open({ sockets: ["/nonexistent/mysqld.sock", server.socket] });
    expect(await database.query("SELECT 1 AS One")).toEqual([{ One: 1 }]);
    expect(database.isUp()).toBe(true);
  });

  it("is made over TCP when no socket exists", async () => {
    const database = open({ sockets: ["/nonexistent/s"], tcp: { host: "127.0.0.1", port: server.port } });
    expect(await database.query("SELECT 1 AS One")).toEqual([{ One: 1 }]);
  });

  it("lets in a user whom the operating system vouches for", async () => {
    const user = userInfo().username;
    server.sql(`CREATE USER IF NOT EXISTS '${user}'@localhost; GRANT ALL ON *.* TO '${user}'@localhost`);
    server.sql(`ALTER USER '${user}'@localhost IDENTIFIED VIA unix_socket`);
    expect(await open({ user, password: "" }).query("SELECT 1 AS One")).toEqual([{ One: 1 }]);
  });

  it("carries every letter and large ids unharmed, both ways", async () => {
    const rows = await open().query("SELECT Id, Name FROM T WHERE Name = ? AND Id = ?", [
      "Straße 防犯 🚗",
      9007199254740991,
    ]);
    expect(rows).toEqual([{ Id: 9007199254740991, Name: "Straße 防犯 🚗" }]);
  });

  it("never lets a value become part of the statement, whatever sql_mode the server has", async () => {
    server.sql("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'");
    const rows = await open().query("SELECT Id FROM T WHERE Name = ?", ["\\' OR 1=1 -- "]);
    server.sql("SET GLOBAL sql_mode = DEFAULT");
    expect(rows).toEqual([]);
  });

  it("says that the database is away for a wrong password, without repeating it", async () => {
    const database = open({ password: "falsch-geheim" });
    await expect(database.query("SELECT 1")).rejects.toThrow(DatabaseUnavailable);
    expect(said("Cannot reach the database")).toBe(1);
    expect(lines.join()).toContain("Access denied");
    expect(lines.join()).not.toContain("falsch-geheim");
  });

  it("takes every refusal at the door for an absent database, and comes back by itself", async () => {
    server.sql("ALTER USER zmuser@localhost ACCOUNT LOCK");
    const database = open();
    await database.start(new AbortController().signal);
    await expect(database.query("SELECT 1")).rejects.toThrow(DatabaseUnavailable);
    expect(database.isUp()).toBe(false);
    server.sql("ALTER USER zmuser@localhost ACCOUNT UNLOCK");
    await vi.waitFor(() => expect(said("The database is back")).toBe(1), { timeout: 15_000 });
  });

  it("tells a faulty statement from an absent database", async () => {
    const database = open();
    const failure = database.query("SELECT Nothing FROM T");
    await expect(failure).rejects.toThrow(/Nothing/);
    await expect(failure).rejects.not.toThrow(DatabaseUnavailable);
    expect(await database.query("SELECT 1 AS One")).toEqual([{ One: 1 }]);
  });

  it("says once when the database goes and once when it is back, and comes back by itself", async () => {
    const database = open();
    const states: boolean[] = [];
    database.onStateChange((up) => states.push(up));
    await database.query("SELECT 1");
    await server.stopServer();
    expect(existsSync(server.socket)).toBe(false);
    for (let i = 0; i < 5; i++) await expect(database.query("SELECT 1")).rejects.toThrow(DatabaseUnavailable);
    await server.startServer();
    await vi.waitFor(() => expect(database.isUp()).toBe(true), { timeout: 15_000 });
    expect(await database.query("SELECT 1 AS One")).toEqual([{ One: 1 }]);
    expect(states).toEqual([true, false, true]);
    expect(said("Lost the database")).toBe(1);
    expect(said("The database is back after")).toBe(1);
  });

  it("notices by itself that the database went while nobody asked", async () => {
    const database = open();
    await database.query("SELECT 1");
    await server.stopServer();
    await eventually(() => expect(database.isUp()).toBe(false));
    await server.startServer();
  });

  it("survives a restart between two questions without a word", async () => {
    const database = open();
    await Promise.all([1, 2, 3, 4].map(() => database.query("SELECT SLEEP(0.05)")));
    const ids = server.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'zmuser'").trim();
    server.sql(
      ids
        .split("\n")
        .map((id) => `KILL ${id};`)
        .join(""),
    );
    expect(await database.query("SELECT 1 AS One")).toEqual([{ One: 1 }]);
    expect(said("Lost")).toBe(0);
  });

  it("may be absent at start", async () => {
    await server.stopServer();
    const database = open();
    await database.start(new AbortController().signal);
    await eventually(() => expect(said("Cannot reach the database")).toBe(1));
    await server.startServer();
    await vi.waitFor(() => expect(said("The database is back")).toBe(1), { timeout: 15_000 });
  });

  it("gives up on a server that hangs, and ends even then", async () => {
    const database = open();
    await database.query("SELECT 1");
    await server.freeze();
    try {
      const asked = performance.now();
      // More questions than connections: those in the queue must not wait for ever either.
      const answers = await Promise.allSettled(Array.from({ length: 8 }, () => database.query("SELECT 1")));
      expect(
        answers.every(
          (answer) => answer.status === "rejected" && answer.reason instanceof DatabaseUnavailable,
        ),
      ).toBe(true);
      expect(performance.now() - asked).toBeLessThan(9_000);
      const stopped = performance.now();
      await database.stop();
      expect(performance.now() - stopped).toBeLessThan(4_000);
    } finally {
      server.thaw();
    }
  });

  it("refuses questions after its end and ends twice without complaint", async () => {
    const database = open();
    await database.query("SELECT 1");
    await Promise.all([database.stop(), database.stop()]);
    await expect(database.query("SELECT 1")).rejects.toThrow(DatabaseUnavailable);
    expect(said("Lost")).toBe(0);
  });
});
