// The whole daemon over a database of ZoneMinder and a folder of events: the link in a message shows the picture.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createChannels } from "../../src/cli/run/channels.ts";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import { createDaemon, type Daemon } from "../../src/daemon.ts";
import { explainAlarm } from "../../src/delivery/history.ts";
import { createSimulatedCamera, type SimulatedCamera } from "../../src/demo/simulated-camera.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createPictureMaker } from "../../src/server/picture-maker.ts";
import { createPictures } from "../../src/server/pictures.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { createKeyFile } from "../../src/store/key-file.ts";
import { createKnownRights } from "../../src/store/known-rights.ts";
import { createStore } from "../../src/store/store.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { createEventFiles } from "../../src/zoneminder/event-files.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import { createZoneMinderLogins } from "../../src/zoneminder/users.ts";
import { parseVersion } from "../../src/zoneminder/version.ts";
import { aMonitor, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";
import { type Phones, startPhones } from "../support/phones.ts";
import { aJpeg } from "../support/pictures.ts";
import { connectClient } from "../support/ws-client.ts";

const logger = pino({ level: "silent" });

describe.skipIf(mariadbMayBeSkipped())("an alarm with a picture", () => {
  let server: Mariadb;
  let database: Database;
  let folder = "";
  let camera: SimulatedCamera;
  let daemon: Daemon;
  let phones: Phones;

  beforeAll(async () => {
    server = await startMariadb();
    server.createZoneMinder("zm", "1.38");
    server.sql(
      `SET sql_mode = '';
       INSERT INTO Monitors SET Id = 1, Name = 'Front Door';
       INSERT INTO Users SET Username = 'anna', Password = 'secret', Enabled = 1, Events = 'View', Monitors = 'View';
       INSERT INTO Users SET Username = 'bert', Password = 'secret', Enabled = 1, Events = 'View', Monitors = 'View';`,
      "zm",
    );
    database = openDatabase(server, "zm");
  });
  afterAll(async () => {
    await database?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-flow-"));
    camera = createSimulatedCamera({ directory: folder, id: 1 });
    camera.create();
    const script = join(folder, "push.sh");
    writeFileSync(script, `#!/bin/sh\nfor word in "$@"; do echo "$word"; done > ${folder}/given\n`);
    chmodSync(script, 0o755);
    daemon = await startDaemon({ script });
  });
  afterEach(async () => {
    await daemon.stop();
    await phones.stop();
    camera.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startDaemon({ script }: { readonly script: string }): Promise<Daemon> {
    const clock = systemClock;
    const usual = defaultConfig();
    const config: Config = {
      ...usual,
      network: { ...usual.network, address: "127.0.0.1", port: 0 },
      ssl: { ...usual.ssl, enable: false },
      customize: { ...usual.customize, include_picture: true },
      pictures: { ...usual.pictures, public_url: "https://cameras.example.org" },
      push: { ...usual.push, use_api_push: true, api_push_script: `'${script}'` },
      hook: { ...usual.hook, hook_pass_image_path: true },
    };
    const conf = { files: [], values: new Map([["ZM_DIR_EVENTS", join(folder, "events")]]) };
    const schema = createSchemaSource(database, conf, clock);
    const files = createEventFiles({ database, schema, clock, logger });
    const logins = createZoneMinderLogins({ database, schema, options: config.limits, clock, logger });
    const pictures = createPictures({
      ...config,
      key: createKeyFile({ directory: folder, logger }),
      rights: createKnownRights({ source: logins, memory: null, clock }),
      maker: createPictureMaker({ source: files, logger }),
      clock,
      logger,
    });
    phones = await startPhones(logger);
    const channels = createChannels({
      mutes: { isMuted: () => false, set: () => undefined },
      config: { ...config, fcm: { ...config.fcm, enable: false } },
      version: "8.0.0",
      devices: phones.devices,
      phones: { rows: async () => [], rightsOf: async () => new Map() } as never,
      memory: { fact: async () => undefined, putFact: () => undefined },
      picture: async () => null,
      readPicture: pictures.jpegOf,
      eventFolder: files.folder,
      clock,
      logger,
    });
    const made = createDaemon({
      config,
      version: "8.0.0",
      zoneminder: {
        mapPath: folder,
        part: { name: "database", start: async () => undefined, stop: async () => undefined },
        loadMonitors: async () => ({
          monitors: [aMonitor({ id: mid(1), name: "Front Door" })],
          version: parseVersion("1.38.4"),
        }),
        logins,
        events: { notes: async () => null, isOpen: async () => null },
        missedAlarms: async () => [],
        onAvailable: () => undefined,
      },
      store: createStore({ path: join(folder, "zmes.db"), clock, logger }),
      pictures,
      channels,
      clock,
      logger,
    });
    await made.start();
    return made;
  }

  async function logIn(user: string) {
    const client = await connectClient(`ws://127.0.0.1:${daemon.address()?.port}`);
    client.send({ event: "auth", data: { user, password: "secret" } });
    expect(await client.next()).toMatchObject({ status: "Success" });
    return client;
  }

  const fetchLink = (link: string) =>
    fetch(link.replace("https://cameras.example.org", `http://127.0.0.1:${daemon.address()?.port}`));

  async function pictureOf(client: Awaited<ReturnType<typeof logIn>>): Promise<string> {
    const message = (await client.next()) as { events?: { Picture?: string }[] };
    return message.events?.[0]?.Picture ?? "";
  }

  it("tells each user a link of their own, which shows it as soon as ZoneMinder has written it", async () => {
    const [anna, bert] = [await logIn("anna"), await logIn("bert")];
    server.sql(
      "SET sql_mode = ''; INSERT INTO Events SET Id = 70, MonitorId = 1, StartDateTime = '2026-11-22 05:00:00'",
      "zm",
    );
    camera.beginAlarm({ eventId: 70, cause: "Motion" });
    const links = await Promise.all([pictureOf(anna), pictureOf(bert)]);
    expect(links[0]).toMatch(/^https:\/\/cameras\.example\.org\/p\/[\w-]+$/);
    expect(links[0]).not.toBe(links[1]);
    const showing = fetchLink(links[0]);
    const place = join(folder, "events/1/2026-11-22/70");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "alarm.jpg"), (await aJpeg(1280, 720)).subarray(0, 400));
    writeFileSync(join(place, "alarm.jpg"), await aJpeg(1280, 720));
    const response = await showing;
    expect(response.status).toBe(200);
    expect(await sharp(Buffer.from(await response.arrayBuffer())).metadata()).toMatchObject({ width: 800 });

    server.sql("UPDATE Users SET Enabled = 0 WHERE Username = 'anna'", "zm");
    expect((await fetchLink(links[0])).status).toBe(404);
    expect((await fetchLink(links[1])).status).toBe(200);
    server.sql("DELETE FROM Events WHERE Id = 70", "zm");
    expect((await fetchLink(links[1])).status).toBe(404);
    anna.close();
    bert.close();
  });

  it("is told to the push script with the folder of its event, and the history knows the exit code", async () => {
    server.sql(
      "SET sql_mode = ''; REPLACE INTO Events SET Id = 71, MonitorId = 1, StartDateTime = '2026-11-22 05:00:00', EndDateTime = NOW()",
      "zm",
    );
    camera.beginAlarm({ eventId: 71, cause: 'Motion "; touch x' });
    await eventually(() => {
      expect(readFileSync(join(folder, "given"), "utf8").trim().split("\n")).toEqual([
        "71",
        "1",
        "Front Door",
        'Motion "; touch x',
        "event_start",
        join(folder, "events/1/2026-11-22/71"),
      ]);
    });
    await eventually(() => {
      const history = openHistory(join(folder, "zmes.db"), { write: false });
      try {
        const words = history.alarmsOfEvent(71).flatMap(explainAlarm).join("\n");
        expect(words).toMatch(/script push\.sh: .*exit code 0/);
      } finally {
        history.close();
      }
    });
  });
});
