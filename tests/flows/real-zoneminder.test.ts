/** The whole program beside a real ZoneMinder: what its cameras see reaches clients over ws and wss. */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually } from "../support/eventually.ts";
import { connect, type Listener, logIn, type ReceivedAlarm } from "../support/listener.ts";
import { type Program, startProgram } from "../support/program.ts";
import {
  cameraFile,
  cancelAlarm,
  down,
  forceAlarm,
  query,
  realZoneMinderMayBeSkipped,
  restartCamera,
  startDatabase,
  stopDatabase,
  UP_MS,
  untilState,
  up,
} from "../support/real-zoneminder.ts";

const FRONT_DOOR = 1; // alarms only when forced
const GARAGE = 2; // one event per motion
const YARD = 3; // motion inside one continuous event

/** Something moves for 3 of every 8 seconds; a busy machine may miss one round. */
const MOTION_MS = 30_000;

describe.skipIf(realZoneMinderMayBeSkipped())("beside a real ZoneMinder", () => {
  let program: Program;
  const clients: Listener[] = [];

  beforeAll(async () => {
    await up();
    program = await startProgram();
  }, UP_MS);

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });

  afterAll(async () => {
    await program?.stop();
    await down();
  }, 60_000);

  it("tells a forced alarm, with the event ZoneMinder opened for it", async () => {
    const client = await listenAs("admin", "admin");
    const alarm = await duringForcedAlarm(() => firstAlarm(client, FRONT_DOOR));
    const [row] = await query(
      `SELECT Id, Cause FROM Events WHERE MonitorId = ${FRONT_DOOR} ORDER BY Id DESC LIMIT 1`,
    );
    expect(alarm).toMatchObject({ EventId: row?.[0], Cause: row?.[1], Name: "FrontDoor" });
    expect(client.alarms(FRONT_DOOR)).toHaveLength(1);
  });

  it("links to the picture that ZoneMinder takes of the alarm", async () => {
    const client = await listenAs("admin", "admin");
    const { Picture } = await duringForcedAlarm(() => firstAlarm(client, FRONT_DOOR));
    const response = await fetch(Picture ?? "");
    expect(response.status).toBe(200);
    const shown = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect(shown.format).toBe("jpeg");
    expect(shown.width).toBeGreaterThan(100);
  });

  it("tells real motion, each with an event of its own", async () => {
    const client = await listenAs("admin", "admin");
    const told = await alarms(client, GARAGE, 2);
    const events = await query(`SELECT Id FROM Events WHERE MonitorId = ${GARAGE} AND Cause = 'Motion'`);
    for (const { EventId, Cause } of told) {
      expect(events).toContainEqual([EventId]);
      expect(Cause).toMatch(/^Motion/);
    }
    expect(new Set(told.map(({ EventId }) => EventId)).size).toBe(2);
  });

  it("tells every alarm inside one event of a continuous recording", async () => {
    const client = await listenAs("admin", "admin");
    const told = await alarms(client, YARD, 3);
    const [row] = await query(
      `SELECT Id, Cause FROM Events WHERE MonitorId = ${YARD} AND EndDateTime IS NULL`,
    );
    expect(told.map(({ EventId }) => EventId)).toEqual([row?.[0], row?.[0], row?.[0]]);
    expect(row?.[1]).toContain("Continuous");
  });

  it("neither loses nor invents an alarm when the camera's process is restarted in the middle of one", async () => {
    const client = await listenAs("admin", "admin");
    const before = await duringForcedAlarm(async () => {
      const alarm = await firstAlarm(client, FRONT_DOOR);
      const file = statSync(cameraFile(FRONT_DOOR)).ino;
      await restartCamera(FRONT_DOOR);
      const isNew = () => expect(statSync(cameraFile(FRONT_DOOR)).ino).not.toBe(file);
      await vi.waitFor(isNew, { timeout: 20_000 });
      await untilState(FRONT_DOOR, ["IDLE"]);
      return alarm;
    });
    const told = await duringForcedAlarm(() => alarms(client, FRONT_DOOR, 2));
    expect(told[0]).toEqual(before);
    expect(told[1]?.EventId).not.toBe(before.EventId);
    expect(client.alarms(FRONT_DOOR)).toHaveLength(2);
  });

  it("shows a user only the monitor that ZoneMinder lets him see, whatever he asks for", async () => {
    const admin = await listenAs("admin", "admin");
    const restricted = await listenAs("garage", "garage-only", { monlist: "1,2,3", intlist: "0,0,0" });
    await duringForcedAlarm(() => firstAlarm(admin, FRONT_DOOR));
    await firstAlarm(admin, YARD);
    await firstAlarm(restricted, GARAGE);
    expect(new Set(restricted.alarms().map(({ MonitorId }) => MonitorId))).toEqual(new Set(["2"]));
  });

  it.each([
    ["a disabled user", "former", "no-longer"],
    ["a wrong password", "admin", "wrong"],
    ["a user ZoneMinder does not know", "nobody", "admin"],
  ])("refuses %s", async (_who, user, password) => {
    const client = await logIn(program.url, user, password);
    clients.push(client);
    expect(client.messages).toMatchObject([{ event: "auth", status: "Fail", reason: "BADAUTH" }]);
  });

  describe("when the database goes away", () => {
    let client: Listener;

    beforeAll(async () => {
      client = await logIn(program.url, "admin", "admin");
      await stopDatabase();
    });

    it("goes on telling what ZoneMinder sees, without an event where ZoneMinder could make none", async () => {
      const alreadyTold = client.alarms(GARAGE).length;
      const told = await alarms(client, GARAGE, alreadyTold + 2);
      expect(told.at(-1)).toMatchObject({ EventId: "0", Name: "Garage", Cause: "Motion" });
    });

    it("goes on answering its clients", async () => {
      client.send({ event: "control", data: { type: "version" } });
      expect(await client.message("control")).toMatchObject({ type: "version", status: "Success" });
    });

    it("turns a newcomer away for now, not for good", async () => {
      const newcomer = await connect(program.url);
      newcomer.send({ event: "auth", data: { user: "admin", password: "admin" } });
      await vi.waitFor(() => expect(newcomer.isOpen()).toBe(false), { timeout: 15_000 });
      // A "Fail" would tell zmNinjaNg to give up.
      expect(newcomer.messages).toEqual([]);
    });

    it("tells alarms with their events again once it is back", async () => {
      await startDatabase();
      await untilState(FRONT_DOOR, ["IDLE"]);
      const alarm = await duringForcedAlarm(() => firstAlarm(client, FRONT_DOOR));
      expect(await query(`SELECT MonitorId FROM Events WHERE Id = ${alarm.EventId}`)).toEqual([["1"]]);
    });

    it("lets newcomers in again once it is back", async () => {
      const newcomer = await vi.waitFor(() => listenAs("admin", "admin"), { timeout: 15_000, interval: 200 });
      expect(newcomer.isOpen()).toBe(true);
    });

    afterAll(async () => {
      await client?.close();
      await startDatabase();
    });
  });

  it("serves wscat over ws", async () => {
    const alarm = await alarmSeenByWscat(program.url, []);
    expect(alarm).toMatchObject({ MonitorId: "1", Name: "FrontDoor", Cause: "Forced Web" });
  });

  it("serves wscat over wss", async () => {
    const secure = await startProgram({ tls: true });
    try {
      const alarm = await alarmSeenByWscat(secure.url, ["--no-check"]);
      expect(alarm).toMatchObject({ MonitorId: "1", Name: "FrontDoor", Cause: "Forced Web" });
    } finally {
      await secure.stop();
    }
  });

  it("ends within two seconds when it is told to", async () => {
    const client = await listenAs("admin", "admin");
    const asked = performance.now();
    expect(await program.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(2000);
    await eventually(() => expect(client.isOpen()).toBe(false));
  });

  it("tells what hooks found, of forced alarms and of motion, and keeps it in the notes when the event is closed", {
    timeout: 2 * MOTION_MS + 60_000,
  }, async () => {
    const found = "detected:person:97%";
    const asked = await startProgram({
      hooks: { start: `#!/bin/sh\necho "${found}"\n`, end: '#!/bin/sh\necho "$4"\n' },
    });
    try {
      const client = await logIn(asked.url, "admin", "admin");
      clients.push(client);
      const forced = await duringForcedAlarm(() => firstAlarm(client, FRONT_DOOR));
      expect(forced.Cause).toBe(`${found} Forced Web`);
      const motion = await firstLiveAlarm(client, GARAGE);
      expect(motion.Cause).toMatch(new RegExp(`^${found} Motion`));
      for (const { EventId: event } of [forced, motion]) {
        const ends = () =>
          [FRONT_DOOR, GARAGE]
            .flatMap((monitor) => client.alarms(monitor))
            .filter(({ EventId, Cause }) => EventId === event && Cause.startsWith("End:"));
        await vi.waitFor(() => expect(ends()).toHaveLength(1), { timeout: MOTION_MS, interval: 100 });
        await vi.waitFor(
          async () => {
            const [row] = await query(
              `SELECT EndDateTime IS NOT NULL, Notes FROM Events WHERE Id = ${event}`,
            );
            expect(row?.[0]).toBe("1");
            expect(row?.[1]?.split(found)).toHaveLength(2);
          },
          { timeout: 10_000, interval: 200 },
        );
      }
    } finally {
      await asked.stop();
    }
  });

  async function listenAs(user: string, password: string, lists = {}): Promise<Listener> {
    const client = await logIn(program.url, user, password, lists);
    clients.push(client);
    expect(client.messages[0]).toMatchObject({ event: "auth", status: "Success" });
    return client;
  }
});

/** Leaves the camera at rest, so that a test that fails does not fail those after it. */
async function duringForcedAlarm<T>(work: () => Promise<T>): Promise<T> {
  await forceAlarm(FRONT_DOOR);
  try {
    return await work();
  } finally {
    await cancelAlarm(FRONT_DOOR);
  }
}

async function alarms(client: Listener, monitorId: number, count: number): Promise<readonly ReceivedAlarm[]> {
  return await vi.waitFor(
    () => {
      const told = client.alarms(monitorId);
      if (told.length < count) throw new Error(`${told.length} alarms of camera ${monitorId}, not ${count}`);
      return told.slice(0, count);
    },
    { timeout: MOTION_MS, interval: 20 },
  );
}

async function firstAlarm(client: Listener, monitorId: number): Promise<ReceivedAlarm> {
  const [alarm] = await alarms(client, monitorId, 1);
  if (alarm === undefined) throw new Error("no alarm");
  return alarm;
}

/** What it hears first may be the end of an alarm that ran when it logged in, or one that the program missed. */
async function firstLiveAlarm(client: Listener, monitorId: number): Promise<ReceivedAlarm> {
  return await vi.waitFor(
    () => {
      const begun = client.alarms(monitorId).find(({ Cause, Late }) => !(Late || Cause.startsWith("End:")));
      if (begun === undefined) throw new Error(`no alarm of camera ${monitorId} began`);
      return begun;
    },
    { timeout: MOTION_MS, interval: 20 },
  );
}

/** Logs in with wscat, filters for camera 1, forces an alarm there and gives what wscat printed of it. */
async function alarmSeenByWscat(url: string, options: readonly string[]): Promise<unknown> {
  const auth = JSON.stringify({
    event: "auth",
    data: { user: "admin", password: "admin", monlist: "1", intlist: "0" },
  });
  const program = join(import.meta.dirname, "../../node_modules/wscat/bin/wscat");
  const args = [program, "--no-color", "--connect", url, "--execute", auth, "--wait", "-1", ...options];
  // wscat ends with its standard input, so that stays open until we are done.
  const wscat = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  let printed = "";
  wscat.stdout.on("data", (chunk) => (printed += String(chunk)));
  const line = async (event: string) =>
    await eventually(() => {
      const lines = printed.split("\n").filter((text) => text.startsWith("{") && text.endsWith("}"));
      const messages = lines.map(
        (text) => JSON.parse(text) as { event: string; events?: readonly unknown[] },
      );
      const found = messages.find((message) => message.event === event);
      if (found === undefined) throw new Error(`wscat printed no "${event}": ${printed}`);
      return found;
    });
  try {
    await line("auth");
    const { events } = await duringForcedAlarm(() => line("alarm"));
    return events?.[0];
  } finally {
    wscat.kill();
  }
}
