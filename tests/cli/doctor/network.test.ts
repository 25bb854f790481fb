/** The checks that ask others: database, broker, push, and our own port. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clock, compare } from "../../../src/cli/doctor/clock.ts";
import { tryConnection } from "../../../src/cli/doctor/connection.ts";
import { database } from "../../../src/cli/doctor/database.ts";
import { doublePush } from "../../../src/cli/doctor/double-push.ts";
import { mqtt } from "../../../src/cli/doctor/mqtt.ts";
import { push } from "../../../src/cli/doctor/push.ts";
import { sharedMemory } from "../../../src/cli/doctor/shared-memory.ts";
import { starter } from "../../../src/cli/doctor/starter.ts";
import { doctor } from "../../../src/cli/doctor.ts";
import { createSimulatedCamera } from "../../../src/demo/simulated-camera.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { testIo } from "../../support/command-io.ts";
import { createPatient, type Patient, said } from "../../support/doctor.ts";
import { freePort } from "../../support/free-port.ts";
import { type Mariadb, mariadbMayBeSkipped, startMariadb } from "../../support/mariadb.ts";
import { mosquittoMayBeSkipped, startMosquitto } from "../../support/mosquitto.ts";
import { startRelay } from "../../support/relay.ts";
import { startServer } from "../../support/server.ts";

let patient: Patient;
beforeEach(() => {
  patient = createPatient();
});
afterEach(() => patient.remove());

describe.skipIf(mariadbMayBeSkipped())("beside a database", () => {
  let mariadb: Mariadb;
  beforeAll(async () => {
    mariadb = await startMariadb();
    mariadb.createZoneMinder("zm", "1.38");
    mariadb.sql("CREATE DATABASE other; GRANT ALL ON other.* TO 'zmuser'@'localhost'");
    mariadb.sql(
      "DELETE FROM Config WHERE Name = 'ZM_DYN_CURR_VERSION'; INSERT INTO Config SET Name = 'ZM_DYN_CURR_VERSION', Value = '1.38.0'",
      "zm",
    );
  }, 60_000);
  afterAll(() => mariadb.stop());

  const zm = (change: Readonly<Record<string, string>> = {}) =>
    patient.writeZmConf({
      ZM_DB_HOST: `localhost:${mariadb.socket}`,
      ZM_DB_NAME: "zm",
      ZM_DB_USER: "zmuser",
      ZM_DB_PASS: "zmpass",
      ZM_PATH_MAP: join(patient.folder, "shm"),
      ZM_PATH_BIN: join(patient.folder, "bin"),
      ...change,
    });

  test("a database in order says where it is and of which release", async () => {
    zm();
    const lines = said(await patient.examine(database));
    expect(lines[0]).toMatch(/^ok: Logged in to zm at .*; it has \d+ monitors/);
    expect(lines[1]).toBe("ok: Its tables are those of ZoneMinder 1.38.0");
  });

  test("a wrong password is a refused login, and is not repeated", async () => {
    zm({ ZM_DB_PASS: "not-the-password" });
    const [found] = await patient.examine(database);
    expect(found).toMatchObject({ level: "problem", text: expect.stringContaining("refuses the login") });
    expect(JSON.stringify(found)).not.toContain("not-the-password");
  });

  test("a database that is not ZoneMinder's, and one that is not there", async () => {
    zm({ ZM_DB_NAME: "other" });
    expect((await patient.examine(database))[0]?.fix).toContain("ZM_DB_NAME");
    zm({ ZM_DB_HOST: "localhost:/nowhere/socket" });
    expect((await patient.examine(database))[0]?.text).toContain("cannot be reached");
  });

  test("each monitor that should run is looked for in shared memory", async () => {
    zm();
    mariadb.sql(
      "DELETE FROM Monitors; INSERT INTO Monitors (Id, Name, Capturing) VALUES (1,'Garage','Always'),(2,'Door','Always'),(3,'Hall','Always'),(4,'Off','None')",
      "zm",
    );
    mkdirSync(join(patient.folder, "shm"));
    const camera = createSimulatedCamera({ directory: join(patient.folder, "shm"), id: 1 });
    camera.create();
    camera.setIdle();
    const odd = Buffer.alloc(4096);
    odd.writeUInt32LE(12_345, 0);
    writeFileSync(join(patient.folder, "shm/zm.mmap.2"), odd);
    expect(said(await patient.examine(sharedMemory))).toEqual([
      expect.stringMatching(/^ok: 1 of 3 monitors can be watched in /),
      expect.stringMatching(
        /^problem: Monitor 2 \(Door\): the layout of its shared memory is not known \(12345 bytes\)/,
      ),
      "warning: Monitor 3 (Hall): its camera process does not run",
    ]);
  });

  test("shared memory that is not there is a problem", async () => {
    zm();
    expect((await patient.examine(sharedMemory))[0]?.text).toContain("does not exist");
  });

  test("who starts the server is read from ZoneMinder's own option", async () => {
    zm();
    mkdirSync(join(patient.folder, "bin"));
    writeFileSync(join(patient.folder, "bin/zmeventnotification.pl"), "#!/usr/bin/perl\n");
    mariadb.sql(
      "DELETE FROM Config WHERE Name = 'ZM_OPT_USE_EVENTNOTIFICATION'; INSERT INTO Config SET Name = 'ZM_OPT_USE_EVENTNOTIFICATION', Value = '1'",
      "zm",
    );
    expect(said(await patient.examine(starter))).toEqual([
      "problem: OPT_USE_EVENTNOTIFICATION is on, and ZoneMinder starts the original with it",
    ]);
  });

  test("where ZoneMinder spans several machines, the switch of this one counts", async () => {
    zm({ ZM_SERVER_HOST: "attic" });
    mariadb.sql(
      "ALTER TABLE Servers ADD COLUMN IF NOT EXISTS zmeventnotification TINYINT DEFAULT 1; DELETE FROM Servers; INSERT INTO Servers SET Id = 7, Name = 'attic', zmeventnotification = 0",
      "zm",
    );
    expect(said(await patient.examine(starter))).toEqual([
      "warning: Nothing starts it when the machine starts",
    ]);
  });

  test("the clock is compared with the database's", async () => {
    zm();
    expect(said(await patient.examine(clock))).toEqual(["ok: The clock agrees with the database's"]);
    const late = { clock: { now: () => Date.now() - 60_000, monotonic: () => performance.now() } };
    expect(said(await patient.examine(clock, {}, late))).toEqual([
      expect.stringMatching(/^warning: The clock is (59|60|61) s behind the database's/),
    ]);
  });

  test("a phone that ZoneMinder knows as well is a warning", async () => {
    zm();
    mariadb.sql(
      "CREATE TABLE IF NOT EXISTS Notifications (Id INT PRIMARY KEY, UserId INT, Token VARCHAR(512), Platform VARCHAR(10), MonitorList TEXT, `Interval` INT DEFAULT 0, PushState VARCHAR(10), AppVersion VARCHAR(10), BadgeCount INT, LastNotifiedAt DATETIME); REPLACE INTO Notifications (Id, Token, Platform, PushState) VALUES (1, 'tokenA', 'ios', 'enabled')",
      "zm",
    );
    const file = join(patient.folder, "tokens.txt");
    writeFileSync(file, "tokenA:1:0:ios:enabled\n");
    const fcm = { enable: true, token_file: file };
    expect(said(await patient.examine(doublePush, { fcm }))).toEqual([
      "warning: 1 phones are known to ZoneMinder and to zmes: both may push to them",
    ]);
    writeFileSync(file, "");
    expect((await patient.examine(doublePush, { fcm }))[0]?.level).toBe("ok");
  });
});

test("without zm.conf, what only the database says is skipped", async () => {
  chmodSync(patient.folder, 0o755);
  const away = { zoneminder: { ok: false, problem: "no" } as const };
  for (const check of [database, sharedMemory, starter, doublePush])
    expect((await patient.examine(check, { fcm: { enable: true } }, away))[0]?.level).toBe("skipped");
});

test("a clock that is ahead is told apart from one that is behind", () => {
  expect(compare(-90_000, "that of x", 60_000).text).toBe("The clock is 90 s ahead of that of x");
});

describe.skipIf(mosquittoMayBeSkipped())("beside a broker", () => {
  test("the right login is let in, a wrong one refused, and no password is repeated", async () => {
    const login = { username: "zm", password: "right-word" };
    const broker = await startMosquitto({ login });
    try {
      const section = { enable: true, server: `127.0.0.1:${broker.port}`, ...login };
      expect(said(await patient.examine(mqtt, { mqtt: section }))).toEqual([
        `ok: The broker 127.0.0.1:${broker.port} lets us in`,
      ]);
      const [found] = await patient.examine(mqtt, { mqtt: { ...section, password: "wrong-word" } });
      expect(found).toMatchObject({ level: "problem", text: expect.stringContaining("refuses the login") });
      expect(JSON.stringify(found)).not.toContain("wrong-word");
    } finally {
      await broker.stop();
    }
  });

  test("a broker without logins is told, as muting by MQTT then stays off", async () => {
    const broker = await startMosquitto();
    try {
      const found = await patient.examine(mqtt, {
        mqtt: { enable: true, server: `127.0.0.1:${broker.port}` },
      });
      expect(said(found)[0]).toContain("lets everybody in");
    } finally {
      await broker.stop();
    }
  });

  test("a broker that hangs is given up in time", async () => {
    const broker = await startMosquitto();
    broker.freeze();
    try {
      const [found] = await patient.examine(mqtt, {
        mqtt: { enable: true, server: `127.0.0.1:${broker.port}` },
      });
      expect(found).toMatchObject({ level: "problem", text: expect.stringContaining("cannot be reached") });
    } finally {
      broker.thaw();
      await broker.stop();
    }
  });
});

test("a broker that is not there is a problem", async () => {
  const section = { enable: true, server: `127.0.0.1:${await freePort()}` };
  const [found] = await patient.examine(mqtt, { mqtt: section });
  expect(found).toMatchObject({ level: "problem", text: expect.stringContaining("ECONNREFUSED") });
});

describe("push", () => {
  test("the push proxy is reached and sent nothing", async () => {
    const relay = await startRelay();
    try {
      const fcm = { enable: true, fcm_v1_url: relay.url, fcm_v1_key: "the-key" };
      const found = await patient.examine(push, { fcm });
      expect(said(found)[0]).toMatch(/^ok: The push proxy .* is reached/);
      expect(relay.accepted).toEqual([]);
    } finally {
      await relay.stop();
    }
  });

  test("a proxy that is not there is a problem, no key at all a warning, a wrong file a problem", async () => {
    const away = {
      enable: true,
      fcm_v1_url: `http://127.0.0.1:${await freePort()}/x`,
      fcm_v1_key: "the-key",
    };
    const found = await patient.examine(push, { fcm: away });
    expect(found).toMatchObject([{ level: "problem", text: expect.stringContaining("ECONNREFUSED") }]);
    expect(JSON.stringify(found)).not.toContain("the-key");
    expect(await patient.examine(push, { fcm: { enable: true } })).toMatchObject([{ level: "warning" }]);
    const file = join(patient.folder, "google-services.json");
    writeFileSync(file, '{"project_info": {}}');
    expect(
      await patient.examine(push, { fcm: { enable: true, fcm_service_account_file: file } }),
    ).toMatchObject([{ level: "problem", text: expect.stringContaining("google-services.json of an app") }]);
  });
});

describe("the way of a client", () => {
  const target = { ca: [], checkName: true, login: null, startIt: "Start it." };

  test("a name that does not exist ends at the first step", async () => {
    const found = await tryConnection({ ...target, url: new URL("wss://no-such-host.invalid:9000") });
    expect(said(found)).toEqual([expect.stringMatching(/^problem: Name: there is no host called/)]);
  });

  test("a port that is closed ends at TCP, with the command that starts the server", async () => {
    const found = await tryConnection({ ...target, url: new URL(`ws://127.0.0.1:${await freePort()}`) });
    expect(found.at(-1)).toMatchObject({
      level: "problem",
      text: expect.stringContaining("TCP"),
      fix: "Start it.",
    });
  });

  test("on a computer without configuration, --url looks at the way there and at nothing else", async () => {
    const server = await startServer();
    const io = testIo({ ZMES_CONFIG: join(patient.folder, "absent.yml") });
    const code = await doctor.run(["--json", "--url", `ws://127.0.0.1:${server.port}`], io);
    await server.stop();
    expect(JSON.parse(io.out()).checks.map(({ check }: { check: string }) => check)).toEqual(["self-test"]);
    expect(code).toBe(0);
  });

  test("clear text where TLS is expected ends at TLS", async () => {
    const server = await startServer();
    const found = await tryConnection({ ...target, url: new URL(`wss://127.0.0.1:${server.port}`) });
    await server.stop();
    expect(found.at(-1)).toMatchObject({
      level: "problem",
      text: expect.stringMatching(/^TLS: 127\.0\.0\.1:\d+ does not speak it$/),
    });
  });

  test("a certificate that is not trusted is a warning, and the way goes on", async () => {
    const certificate = makeCertificate();
    const server = await startServer({ ssl: { enable: true, cert: certificate.cert, key: certificate.key } });
    const url = new URL(`wss://localhost:${server.port}`);
    const found = await tryConnection({ ...target, url: new URL(url) });
    const elsewhere = await tryConnection({ ...target, url: new URL(`wss://127.0.0.2:${server.port}`) });
    await server.stop();
    certificate.remove();
    expect(said(found)).toEqual([
      expect.stringMatching(/^ok: Name/),
      expect.stringMatching(/^ok: TCP/),
      expect.stringMatching(/^warning: TLS: this machine does not know who signed/),
      "ok: WebSocket: connected",
      expect.stringMatching(/^ok: Login: version 8\.0\.0 answers/),
    ]);
    expect(elsewhere.at(-1)?.level).toBe("problem");
  });

  test("a certificate for another name ends at TLS", async () => {
    const certificate = makeCertificate();
    const server = await startServer({
      ssl: { enable: true, cert: certificate.cert, key: certificate.key },
      network: { address: "0.0.0.0" },
    });
    const found = await tryConnection({ ...target, url: new URL(`wss://127.0.0.2:${server.port}`) });
    await server.stop();
    certificate.remove();
    expect(found.at(-1)?.text).toBe("TLS: the certificate is not made out to 127.0.0.2");
  });

  test("a web server is not taken for ours", async () => {
    const web = createHttpServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await new Promise((resolve) => web.once("listening", resolve));
    const { port } = web.address() as AddressInfo;
    const found = await tryConnection({ ...target, url: new URL(`ws://127.0.0.1:${port}`) });
    web.close();
    expect(found.at(-1)).toMatchObject({ level: "problem", text: expect.stringContaining("WebSocket:") });
  });

  test("a right password is let in and a wrong one named, without repeating it", async () => {
    const server = await startServer();
    const url = new URL(server.url);
    const good = await tryConnection({ ...target, url, login: { user: "admin", password: "secret" } });
    const bad = await tryConnection({ ...target, url, login: { user: "admin", password: "hunter2" } });
    await server.stop();
    expect(good.at(-1)?.text).toBe("Login: admin is let in");
    expect(bad.at(-1)?.text).toContain("BADAUTH");
    expect(JSON.stringify(bad)).not.toContain("hunter2");
  });
});
