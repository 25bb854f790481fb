import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EventId } from "../../src/domain/alarm.ts";
import type { Monitor, MonitorId } from "../../src/domain/monitor.ts";
import { type LastTold, missedAlarms } from "../../src/zoneminder/catch-up.ts";
import type { Database } from "../../src/zoneminder/database.ts";
import { readSchema } from "../../src/zoneminder/schema.ts";
import { type Mariadb, mariadbMayBeSkipped, openDatabase, startMariadb } from "../support/mariadb.ts";

const VERSIONS = ["1.30", "1.34", "1.36", "1.38"] as const;
const gate: Monitor = { id: 1 as MonitorId, name: "Gate", recording: "on-motion", closesEventOnAlarm: false };
const yard: Monitor = { ...gate, id: 2 as MonitorId, name: "Yard" };

describe.skipIf(mariadbMayBeSkipped()).each(VERSIONS)("alarms missed, from the tables of %s", (version) => {
  let server: Mariadb;
  let database: Database;
  const [start, end] =
    version === "1.30" || version === "1.34" ? ["StartTime", "EndTime"] : ["StartDateTime", "EndDateTime"];
  let now = 0;

  beforeAll(async () => {
    server = await startMariadb();
    server.createZoneMinder("zm", version);
    server.sql(
      "SET sql_mode = ''; INSERT INTO Monitors (Id, PostEventCount, AlarmFrameCount) VALUES (1, 5, 2), (2, 5, 2)",
      "zm",
    );
    database = openDatabase(server, "zm");
  });
  afterAll(async () => {
    await database?.stop();
    await server?.stop();
  });
  beforeEach(() => {
    server.sql("DELETE FROM Frames; DELETE FROM Events", "zm");
    now = Math.floor(Date.now() / 1000) * 1000;
  });

  /** An event that began and ended so many seconds ago (`to` null: still open), with alarm frames as [second ago, frame]. */
  function event(id: number, monitor: Monitor, from: number, to: number | null, frames: [number, number][]) {
    const ago = (seconds: number) => `FROM_UNIXTIME(${now / 1000 - seconds})`;
    const rows = frames.map(([at, frame]) => `(${id}, ${frame}, 'Alarm', ${ago(at)}, 10)`);
    server.sql(
      `SET sql_mode = ''; INSERT INTO Events SET Id = ${id}, MonitorId = ${monitor.id}, Cause = 'Motion', ${start} = ${ago(from)},
         ${end} = ${to === null ? "NULL" : ago(to)}, AlarmFrames = ${to === null ? "NULL" : frames.length};
       INSERT INTO Frames (EventId, FrameId, Type, TimeStamp, Score) VALUES (${id}, 1, 'Normal', ${ago(from)}, 0)
         ${rows.map((row) => `, ${row}`).join("")}`,
      "zm",
    );
  }
  const told = (monitor: Monitor, eventId: number | null, ago: number, edge = 1): LastTold => ({
    ...{ monitor: monitor.id, event: eventId as EventId | null, edge, at: now - ago * 1000 },
  });
  async function missed(marks: readonly LastTold[], monitors = [gate, yard]) {
    const schema = await readSchema(database, { files: [], values: new Map() });
    return missedAlarms({ database, schema, monitors, marks, now, maxAge: 300 });
  }
  const ids = async (...marks: LastTold[]) => (await missed(marks)).map(({ id }) => String(id));

  it("are told oldest first, as late, of every monitor with something told before", async () => {
    event(11, yard, 60, 50, [
      [59, 5],
      [58, 6],
    ]);
    event(12, gate, 100, 90, [
      [99, 5],
      [98, 6],
    ]);
    event(13, gate, 20, null, [
      [19, 5],
      [18, 6],
    ]);
    const alarms = await missed([told(gate, 5, 1000), told(yard, 6, 1000)]);
    expect(alarms.map(({ id }) => id)).toEqual(["1:12:1", "2:11:1", "1:13:1"]);
    expect(alarms[0]).toMatchObject({
      phase: "started",
      late: true,
      seenAt: now,
      cause: "Motion",
      monitor: gate,
    });
  });

  it("are none of a monitor that was never watched before, nor of one that is not watched", async () => {
    event(11, gate, 60, 50, [
      [59, 5],
      [58, 6],
    ]);
    expect(await ids()).toEqual([]);
    expect(await missed([told(gate, 5, 1000)], [yard])).toEqual([]);
  });

  it("are none that were told already", async () => {
    event(11, gate, 60, 50, [
      [59, 5],
      [58, 6],
      [57, 7],
    ]);
    expect(await ids(told(gate, 11, 58))).toEqual([]);
    expect(await ids(told(gate, 12, 30))).toEqual([]);
  });

  it("are none that began too long ago", async () => {
    event(11, gate, 400, 280, [
      [390, 5],
      [389, 6],
      [388, 7],
    ]);
    expect(await ids(told(gate, 5, 1000))).toEqual([]);
  });

  it("are none without an alarm, or with too few frames for one", async () => {
    event(11, gate, 60, 50, []);
    event(12, gate, 40, 30, [[39, 5]]);
    expect(await ids(told(gate, 5, 1000))).toEqual([]);
  });

  it("are found in a continuous event that began long before", async () => {
    event(11, gate, 5000, null, [
      [60, 40_000],
      [59, 40_010],
      [58, 40_011],
    ]);
    expect(await ids(told(gate, 5, 6000))).toEqual(["1:11:1"]);
  });

  it("carry the next edge where the event told of went on to another alarm", async () => {
    const always: Monitor = { ...gate, recording: "always" };
    event(11, gate, 3000, null, [
      [200, 100],
      [199, 105],
      [198, 107],
      [60, 1500],
      [59, 1501],
    ]);
    expect((await missed([told(gate, 11, 199, 3)], [always])).map(({ id }) => id)).toEqual(["1:11:4"]);
  });

  // Up to 1.36 an event on motion is one alarm: ALERT lasts until MinSectionLength, however long nothing moves.
  it("are none where the one alarm of an event on motion paused, up to 1.36", async () => {
    event(11, gate, 100, null, [
      [60, 5],
      [59, 6],
      [40, 200],
      [39, 210],
    ]);
    const again = version === "1.38" ? ["1:11:2"] : [];
    expect(await ids(told(gate, 11, 59))).toEqual(again);
  });

  it("are none where the alarm told of merely went on", async () => {
    event(11, gate, 3000, null, [
      [200, 100],
      [199, 104],
      [197, 108],
      [195, 112],
      [190, 117],
    ]);
    expect(await ids(told(gate, 11, 199))).toEqual([]);
  });

  it("are found after an alarm that had no event", async () => {
    event(11, gate, 60, 50, [
      [59, 5],
      [58, 6],
    ]);
    expect(await ids(told(gate, null, 100))).toEqual(["1:11:1"]);
    expect(await ids(told(gate, null, 30))).toEqual([]);
  });

  it("are found in the very second the last one ended", async () => {
    event(12, gate, 60, 50, [
      [59, 5],
      [58, 6],
    ]);
    expect(await ids(told(gate, 11, 58.5))).toEqual(["1:12:1"]);
  });

  it("are found when ZoneMinder began to count anew", async () => {
    event(1, gate, 60, 50, [
      [59, 5],
      [58, 6],
    ]);
    expect(await ids(told(gate, 5000, 100))).toEqual(["1:1:1"]);
  });

  it("are found by the event's own count where its frames are gone", async () => {
    event(11, gate, 60, 50, []);
    server.sql("UPDATE Events SET AlarmFrames = 7", "zm");
    expect(await ids(told(gate, 5, 1000))).toEqual(["1:11:1"]);
  });
});
