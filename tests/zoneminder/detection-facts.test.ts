import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { type Database, DatabaseUnavailable } from "../../src/zoneminder/database.ts";
import { createDetectionFacts, type DetectionFacts } from "../../src/zoneminder/detection-facts.ts";
import { createSchemaSource } from "../../src/zoneminder/schema.ts";
import {
  type Mariadb,
  mariadbMayBeSkipped,
  openDatabase,
  type SchemaVersion,
  startMariadb,
} from "../support/mariadb.ts";
import { recordingLogger } from "../support/server.ts";

describe.skipIf(mariadbMayBeSkipped())("what a detector wants to know", () => {
  let server: Mariadb;
  let folder = "";
  let number = 0;
  const opened: Database[] = [];

  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(async () => {
    for (const database of opened) await database.stop();
    await server?.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-facts-"));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  function setUp(
    version: SchemaVersion,
    rows: string,
    settings: Record<string, string> = {},
  ): DetectionFacts {
    number += 1;
    const name = `zm${number}`;
    server.createZoneMinder(name, version);
    server.sql(`SET sql_mode = ''; ${rows}`, name);
    const database = openDatabase(server, name);
    opened.push(database);
    const own = { ZM_DIR_EVENTS: "own", ZM_PATH_WEB: folder, ...settings };
    const conf = { files: [], values: new Map(Object.entries(own)) };
    const schema = createSchemaSource(database, conf, systemClock);
    return createDetectionFacts({ database, schema, clock: systemClock, logger: recordingLogger([]) });
  }

  const FRAMES = `INSERT INTO Frames (EventId, FrameId, Type, Delta, Score) VALUES (7, 1, 'Normal', 0.1, 0),
    (7, 2, 'Alarm', 0.2, 10), (7, 3, 'Alarm', 0.3, 40), (7, 10, 'Bulk', 1.0, 0), (7, 110, 'Bulk', 21.0, 0);`;

  it.each([
    ["1.30", "StartTime = '2026-11-22 05:04:09', EndTime = NOW()", "", "3/26/11/22/05/04/09"],
    [
      "1.34",
      "StartTime = '2026-11-22 05:04:09', EndTime = NOW(), Scheme = 'Shallow', DefaultVideo = '7-video.mp4'",
      "7-video.mp4",
      "3/7",
    ],
    [
      "1.36",
      "StartDateTime = '2026-11-22 05:04:09', EndDateTime = NOW(), Scheme = 'Medium', DefaultVideo = '7-video.mp4'",
      "7-video.mp4",
      "3/2026-11-22/7",
    ],
    [
      "1.38",
      "StartDateTime = '2026-11-22 05:04:09', EndDateTime = NOW(), DefaultVideo = '7-video.h264.mp4', MaxScoreFrameId = 3",
      "7-video.h264.mp4",
      "3/2026-11-22/7",
    ],
  ] as const)("is read from the tables of %s", async (version, row, video, place) => {
    const facts = setUp(version, `INSERT INTO Events SET Id = 7, MonitorId = 3, ${row}; ${FRAMES}`);
    expect(await facts.event(7, [10])).toEqual({
      kind: "event",
      event: 7,
      monitor: 3,
      root: join(folder, "own"),
      folders: expect.arrayContaining([place]),
      isOpen: false,
      video,
      digits: 5,
      bestFrame: 3,
      alarmFrame: 2,
      frameTimes: { 2: 0.2, 3: 0.3, 10: 1 },
    });
  });

  const OPEN = "INSERT INTO Events SET Id = 7, MonitorId = 3, StartDateTime = '2026-11-22 05:04:09'";

  it("has the time of a frame between two rows, and none beyond the last row", async () => {
    const facts = setUp("1.36", `${OPEN}; ${FRAMES}`);
    expect((await facts.event(7, [60, 111]))?.frameTimes).toEqual({ 2: 0.2, 3: 0.3, 60: 11 });
  });

  it("knows of an event that has just begun that it is open, and no frames", async () => {
    const facts = setUp("1.38", OPEN);
    expect(await facts.event(7, [1])).toMatchObject({
      isOpen: true,
      bestFrame: null,
      alarmFrame: null,
      frameTimes: {},
    });
  });

  it("waits a moment for the row of an event, and says when there is none", async () => {
    const facts = setUp("1.38", "");
    const name = `zm${number}`;
    const coming = facts.event(7, []);
    server.sql(`SET sql_mode = ''; ${OPEN}`, name);
    expect(await coming).toMatchObject({ event: 7, monitor: 3 });
    expect(await facts.event(8, [])).toBeNull();
    expect(await facts.event(0, [])).toBeNull();
  });

  it("knows how many digits the names of frames have", async () => {
    const facts = setUp("1.36", OPEN, { ZM_EVENT_IMAGE_DIGITS: "7" });
    expect((await facts.event(7, []))?.digits).toBe(7);
  });

  const SERVERS = "INSERT INTO Servers (Id, Name) VALUES (1, 'a'), (2, 'b')";
  const STORAGES =
    "INSERT INTO Storage (Id, Path, Name, ServerId) VALUES (4, '/nowhere/of/a', 'A', 1), (5, '/nowhere/of/b', 'B', 2), (6, '/nowhere/c', 'C', NULL)";
  it.each([
    [4, "/nowhere/of/a"],
    [5, null],
    [6, "/nowhere/c"],
  ])("knows whether storage %i is on this server", async (storage, root) => {
    const rows = `${SERVERS}; ${STORAGES}; ${OPEN}, StorageId = ${storage}`;
    const facts = setUp("1.38", rows, { ZM_SERVER_HOST: "a" });
    expect((await facts.event(7, []))?.root).toBe(root);
  });

  it("takes the folder of another server's storage where it is mounted here", async () => {
    const rows = `${SERVERS}; INSERT INTO Storage (Id, Path, ServerId) VALUES (5, '${folder}/b', 2); ${OPEN}, StorageId = 5`;
    const facts = setUp("1.38", rows, { ZM_SERVER_HOST: "a" });
    expect((await facts.event(7, []))?.root).toBeNull();
    mkdirSync(join(folder, "b/3/2026-11-22/7"), { recursive: true });
    expect((await facts.event(7, []))?.root).toBe(join(folder, "b"));
  });

  it("knows that the events of another server's camera in the usual folder are there, not here", async () => {
    const rows = `${SERVERS}; INSERT INTO Monitors SET Id = 3, Name = 'x', ServerId = 2; ${OPEN}`;
    const facts = setUp("1.38", rows, { ZM_SERVER_HOST: "a" });
    expect((await facts.event(7, []))?.root).toBeNull();
  });

  it.each(["1.30", "1.34", "1.36", "1.38"] as const)("reads monitor and zones of %s", async (version) => {
    const facts = setUp(
      version,
      `INSERT INTO Monitors SET Id = 3, Name = 'Drive', Width = 1920, Height = 1080;
       INSERT INTO Monitors SET Id = 4, Name = 'Door';
       INSERT INTO Zones SET MonitorId = 3, Name = 'All', Type = 'Active', Units = 'Percent', Coords = '0,0 99.5,0 99.5,99.5 0,99.5';
       INSERT INTO Zones SET MonitorId = 3, Name = 'Tree', Type = 'Preclusive', Units = 'Pixels', Coords = '0,0 10,0 10,10';
       INSERT INTO Zones SET MonitorId = 4, Name = 'Other', Coords = '0,0 10,0 10,10'`,
    );
    expect(await facts.monitor(3)).toEqual({
      id: 3,
      name: "Drive",
      width: 1920,
      height: 1080,
      zones: [
        { name: "All", type: "Active", units: "Percent", coords: "0,0 99.5,0 99.5,99.5 0,99.5" },
        { name: "Tree", type: "Preclusive", units: "Pixels", coords: "0,0 10,0 10,10" },
      ],
    });
    expect(await facts.monitor(99)).toBeNull();
  });

  it("says that the database is away rather than that there is no event", async () => {
    const facts = setUp("1.38", OPEN);
    expect(await facts.event(7, [])).not.toBeNull();
    for (const database of opened) await database.stop();
    await expect(facts.event(7, [])).rejects.toThrow(DatabaseUnavailable);
    await expect(facts.monitor(3)).rejects.toThrow(DatabaseUnavailable);
  });
});
