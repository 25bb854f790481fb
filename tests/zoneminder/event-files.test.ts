import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PictureKind } from "../../src/domain/picture.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { createEventFiles, type EventFiles } from "../../src/zoneminder/event-files.ts";
import { eventFolders } from "../../src/zoneminder/event-folder.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import { eid, mid } from "../support/builders.ts";
import {
  type Mariadb,
  mariadbMayBeSkipped,
  openDatabase,
  type SchemaVersion,
  startMariadb,
} from "../support/mariadb.ts";
import { aGif, aJpeg } from "../support/pictures.ts";
import { recordingLogger } from "../support/server.ts";

describe("the folder of an event", () => {
  const facts = { monitor: mid(3), event: eid(77), start: "2026-03-01 05:04:09" };

  it.each([
    ["Deep", "3/26/03/01/05/04/09"],
    ["Medium", "3/2026-03-01/77"],
    ["Shallow", "3/77"],
  ])("is named by the scheme %s", (scheme, folder) => {
    expect(eventFolders({ ...facts, scheme })[0]).toBe(folder);
  });

  it("is looked for a day earlier and later too, because database and host may keep different time zones", () => {
    expect(eventFolders({ ...facts, scheme: "Medium" }).slice(1)).toEqual([
      "3/2026-02-28/77",
      "3/2026-03-02/77",
    ]);
    expect(eventFolders({ ...facts, scheme: "Deep" }).slice(1)).toEqual([
      "3/26/03/01/.77",
      "3/26/02/28/.77",
      "3/26/03/02/.77",
    ]);
  });

  it("never leads upwards, whatever the rows say", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (scheme, start) => {
        for (const folder of eventFolders({ ...facts, scheme, start }))
          expect(folder).toMatch(/^3\/[\d/-]*\.?\d+$/);
      }),
    );
  });
});

describe.skipIf(mariadbMayBeSkipped())("pictures of events", () => {
  let server: Mariadb;
  let folder = "";
  let jpeg: Buffer;
  let number = 0;
  const opened: Database[] = [];
  const log: Record<string, unknown>[] = [];

  beforeAll(async () => {
    server = await startMariadb();
    jpeg = await aJpeg();
  });
  afterAll(async () => {
    for (const database of opened) await database.stop();
    await server?.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-files-"));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  /** An installation of that version whose events lie in `folder`. */
  function setUp(version: SchemaVersion, rows: string, waitMs = 300): EventFiles {
    number += 1;
    const name = `zm${number}`;
    server.createZoneMinder(name, version);
    server.sql(`SET sql_mode = ''; ${rows}`, name);
    const database = openDatabase(server, name);
    opened.push(database);
    const conf = {
      files: [],
      values: new Map([
        ["ZM_DIR_EVENTS", "own"],
        ["ZM_PATH_WEB", folder],
      ]),
    };
    const schema = createSchemaSource(database, conf, systemClock);
    return createEventFiles({ database, schema, clock: systemClock, logger: recordingLogger(log), waitMs });
  }

  function put(file: string, bytes: Buffer | string = jpeg): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), bytes);
  }

  const find = (files: EventFiles, kind: PictureKind, event: number, monitor = 3) =>
    files.find({ event: eid(event), monitor: mid(monitor), kind });
  const fetch = async (files: EventFiles, kind: PictureKind = "alarm", event = 7, monitor = 3) => {
    const found = await find(files, kind, event, monitor);
    return found === null || found === "unknown" ? null : found.read();
  };

  const CLOSED = "MonitorId = 3, StartDateTime = '2026-11-22 05:04:09', EndDateTime = NOW()";
  const OPEN = "MonitorId = 3, StartDateTime = '2026-11-22 05:04:09'";

  it.each([
    ["1.30", "MonitorId = 3, StartTime = '2026-11-22 05:04:09', EndTime = NOW()", "own/3/26/11/22/05/04/09"],
    [
      "1.34",
      "MonitorId = 3, StartTime = '2026-11-22 05:04:09', EndTime = NOW(), Scheme = 'Deep'",
      "own/3/26/11/22/05/04/09",
    ],
    ["1.36", `${CLOSED}, Scheme = 'Medium', StorageId = 0`, "own/3/2026-11-22/7"],
    ["1.38", `${CLOSED}, Scheme = 'Shallow'`, "own/3/7"],
    ["1.36", `${CLOSED}, Scheme = 'Deep'`, "own/3/26/11/22/05/04/09"],
  ] as const)("are found in %s with %s", async (version, row, where) => {
    const files = setUp(version, `INSERT INTO Events SET Id = 7, ${row}`);
    put(`${where}/alarm.jpg`);
    expect(await fetch(files)).toEqual(jpeg);
    expect(await files.folder(eid(7))).toBe(join(folder, where));
  });

  it("are found in 1.30 without deep storage", async () => {
    const files = setUp(
      "1.30",
      `INSERT INTO Events SET Id = 7, MonitorId = 3, StartTime = NOW(), EndTime = NOW();
       INSERT INTO Config SET Name = 'ZM_USE_DEEP_STORAGE', Value = '0'`,
    );
    put("own/3/7/00001-capture.jpg");
    expect(await fetch(files, 1)).toEqual(jpeg);
  });

  it("are found in the storage of the event, not in the usual one", async () => {
    const files = setUp(
      "1.36",
      `INSERT INTO Storage SET Id = 9, Name = 'big', Path = '${folder}/big', Scheme = 'Shallow';
       INSERT INTO Events SET Id = 7, ${CLOSED}, Scheme = 'Medium', StorageId = 9`,
    );
    put("own/3/2026-11-22/7/alarm.jpg", await aJpeg(8, 8));
    put("big/3/2026-11-22/7/alarm.jpg");
    expect(await fetch(files)).toEqual(jpeg);
  });

  it("are found although the database keeps another time zone", async () => {
    const files = setUp("1.36", `INSERT INTO Events SET Id = 7, ${CLOSED}, Scheme = 'Deep'`);
    put("own/3/26/11/21/23/04/09/alarm.jpg");
    symlinkSync("23/04/09", join(folder, "own/3/26/11/21/.7"));
    expect(await fetch(files)).toEqual(jpeg);
  });

  describe("of one event", () => {
    let files: EventFiles;
    beforeEach(() => {
      const frames = [
        [1, "Normal", 0],
        [4, "Alarm", 20],
        [5, "Alarm", 90],
      ]
        .map(([id, type, score]) => `(7, ${id}, '${type}', ${score})`)
        .join();
      files = setUp(
        "1.36",
        `INSERT INTO Events SET Id = 7, ${CLOSED}, Scheme = 'Shallow';
         INSERT INTO Frames (EventId, FrameId, Type, Score) VALUES ${frames}`,
      );
    });

    it("are what was asked for: every kind is another file", async () => {
      const names = {
        alarm: "alarm.jpg",
        snapshot: "snapshot.jpg",
        objdetect_jpg: "objdetect.jpg",
        12: "00012-capture.jpg",
      };
      for (const [index, name] of Object.values(names).entries())
        put(`own/3/7/${name}`, await aJpeg(20 + index));
      const gif = await aGif();
      put("own/3/7/objdetect.gif", gif);
      const sizes = [];
      for (const kind of ["alarm", "snapshot", "objdetect_jpg", 12] as const)
        sizes.push(await fetch(files, kind));
      expect(new Set(sizes.map((bytes) => bytes?.toString("base64"))).size).toBe(4);
      expect(await fetch(files, "objdetect")).toEqual(gif);
      expect(await fetch(files, "objdetect_gif")).toEqual(gif);
      expect(await fetch(files, "objdetect_mp4")).toEqual(await fetch(files, "objdetect_jpg"));
      expect(await fetch(files, "best")).toEqual(await fetch(files, "objdetect_jpg"));
    });

    it.each([
      ["alarm", "00004-capture.jpg"],
      ["snapshot", "00005-capture.jpg"],
      ["alarm", "snapshot.jpg"],
      ["snapshot", "alarm.jpg"],
      ["objdetect", "snapshot.jpg"],
      ["best", "snapshot.jpg"],
      [250, "alarm.jpg"],
      ["alarm", "00001-capture.jpg"],
    ] as const)("%s: where there is only %s, that is shown", async (kind, name) => {
      put(`own/3/7/${name}`);
      expect(await fetch(files, kind)).toEqual(jpeg);
    });

    it("are not shown when ZoneMinder has written only half of them", async () => {
      put("own/3/7/alarm.jpg", jpeg.subarray(0, jpeg.length - 2));
      put("own/3/7/snapshot.jpg", "");
      expect(await fetch(files)).toBeNull();
      put("own/3/7/00001-capture.jpg");
      expect(await fetch(files)).toEqual(jpeg);
    });

    it("are not read while they change", async () => {
      put("own/3/7/alarm.jpg");
      const found = await find(files, "alarm", 7);
      put("own/3/7/alarm.jpg", jpeg.subarray(0, 100));
      expect(found).toMatchObject({ stamp: expect.any(String) });
      if (found !== null && found !== "unknown") expect(await found.read()).toBeNull();
    });

    it("are not shown for another monitor, nor for an event that does not exist", async () => {
      put("own/3/7/alarm.jpg");
      expect(await fetch(files, "alarm", 7, 4)).toBeNull();
      expect(await fetch(files, "alarm", 8, 3)).toBeNull();
    });

    it("never come from outside the storage, and never from anything but a file", async () => {
      put("elsewhere/alarm.jpg");
      put("elsewhere/secret.jpg");
      mkdirSync(join(folder, "own/3"), { recursive: true });
      symlinkSync(join(folder, "elsewhere"), join(folder, "own/3/7"));
      expect(await fetch(files)).toBeNull();
      rmSync(join(folder, "own/3/7"));
      mkdirSync(join(folder, "own/3/7"));
      symlinkSync(join(folder, "elsewhere/secret.jpg"), join(folder, "own/3/7/alarm.jpg"));
      execFileSync("mkfifo", [join(folder, "own/3/7/snapshot.jpg")]);
      mkdirSync(join(folder, "own/3/7/00001-capture.jpg"));
      expect(await fetch(files)).toBeNull();
    });
  });

  it("never come from outside, whatever stands in the rows", async () => {
    put("secret/alarm.jpg");
    const files = setUp(
      "1.34",
      `INSERT INTO Events SET Id = 7, MonitorId = 3, StartTime = '0000-00-00 00:00:00', EndTime = NOW(), StorageId = 5;
       INSERT INTO Storage SET Id = 5, Path = '../../../../../../..'`,
    );
    expect(await fetch(files)).toBeNull();
  });

  it("have as many digits in their names as ZoneMinder is told to write", async () => {
    const files = setUp(
      "1.36",
      `INSERT INTO Events SET Id = 7, ${CLOSED}, Scheme = 'Shallow';
       REPLACE INTO Config SET Name = 'ZM_EVENT_IMAGE_DIGITS', Value = '7', Id = 999`,
    );
    put("own/3/7/0000012-capture.jpg");
    expect(await fetch(files, 12)).toEqual(jpeg);
  });

  describe("of an event that has just begun", () => {
    let files: EventFiles;
    beforeEach(() => {
      files = setUp("1.36", `INSERT INTO Events SET Id = 7, ${OPEN}, Scheme = 'Shallow'`, 1_500);
    });

    it("are waited for until they are whole", async () => {
      const fetching = fetch(files);
      setTimeout(() => put("own/3/7/alarm.jpg", jpeg.subarray(0, 100)), 100);
      setTimeout(() => put("own/3/7/alarm.jpg"), 250);
      expect(await fetching).toEqual(jpeg);
    });

    it("are replaced by the best there is when they do not come", async () => {
      put("own/3/7/snapshot.jpg");
      const begun = performance.now();
      expect(await fetch(files)).toEqual(jpeg);
      expect(performance.now() - begun).toBeGreaterThan(1_400);
    });

    it("are found where ZoneMinder moved the event meanwhile", async () => {
      const name = `zm${number}`;
      const fetching = fetch(files);
      put("other/3/7/alarm.jpg");
      server.sql(
        `INSERT INTO Storage SET Id = 9, Name = 'other', Path = '${folder}/other';
         UPDATE Events SET StorageId = 9`,
        name,
      );
      expect(await fetching).toEqual(jpeg);
    });

    it("have a folder that a script is given, at the latest when the wait is over", async () => {
      expect(await files.folder(eid(7))).toBe(join(folder, "own/3/7"));
    });
  });

  it("are where they were while the database is away, those that were not looked for before are not known", async () => {
    const files = setUp(
      "1.36",
      `INSERT INTO Events SET Id = 7, StorageId = 0, Scheme = 'Shallow', ${CLOSED};
       INSERT INTO Events SET Id = 8, StorageId = 0, Scheme = 'Shallow', ${OPEN};
       INSERT INTO Events SET Id = 9, StorageId = 0, Scheme = 'Shallow', ${CLOSED}`,
    );
    for (const event of [7, 8, 9]) put(`own/3/${event}/snapshot.jpg`);
    expect(await fetch(files, "snapshot")).toEqual(jpeg);
    expect(await fetch(files, "snapshot", 8)).toEqual(jpeg);
    await server.stopServer();
    try {
      expect(await fetch(files, "snapshot")).toEqual(jpeg);
      expect(await fetch(files, "alarm", 8)).toEqual(jpeg);
      expect(await fetch(files, "snapshot", 7, 4)).toBeNull();
      rmSync(join(folder, "own/3/8"), { recursive: true });
      expect(await fetch(files, "snapshot", 8)).toBeNull();
      expect(await find(files, "snapshot", 9)).toBe("unknown");
      expect(await files.folder(eid(9))).toBeNull();
    } finally {
      await server.startServer();
    }
  });
});
