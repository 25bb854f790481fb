// The whole daemon: a byte written in shared memory becomes a frame at the clients that may have it.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ToldMark } from "../../src/domain/decision.ts";
import { anAlarm, eid } from "../support/builders.ts";
import { createSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";

let site: Site;

beforeEach(() => {
  site = createSite();
});

afterEach(() => site.remove());

const event = (frame: Record<string, unknown>) => (frame.events as Record<string, unknown>[])[0];

describe("an alarm", () => {
  it("reaches an authenticated client as one event in one frame", async () => {
    await site.start();
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion:Porch" });
    expect(await client.next()).toEqual({
      event: "alarm",
      type: "",
      status: "Success",
      events: [
        {
          Name: "Front Door",
          MonitorName: "Front Door",
          MonitorId: "1",
          EventId: "5060",
          Cause: "Motion:Porch",
          DetectionJson: [],
          RulesObject: {},
        },
      ],
    });
  });

  it("reaches only those who may see its camera, whatever they ask for", async () => {
    await site.start();
    const [admin, guest] = await Promise.all([site.logIn("admin"), site.logIn("guest")]);
    guest.send({ event: "control", data: { type: "filter", monlist: "1,2", intlist: "0,0" } });
    guest.send({ event: "control", data: { type: "version" } });
    await guest.next();
    site.cameras[0].beginAlarm({ eventId: 1, cause: "" });
    await admin.next();
    site.cameras[1].beginAlarm({ eventId: 2, cause: "" });
    expect(event(await guest.next())).toMatchObject({ MonitorId: "2", EventId: "2" });
    expect(guest.untaken()).toEqual([]);
  });

  it("that no longer has an event when the database closed it is told without one", async () => {
    site.zoneminder.events = { notes: async () => null, isOpen: async () => false };
    await site.start();
    const client = await site.logIn();
    site.cameras[0].setState("alarm");
    expect(event(await client.next())).toMatchObject({ EventId: "0" });
  });

  it("comes through when a camera's memory has a layout nobody knows", async () => {
    site.cameras[1].writeBytes(0, Uint8Array.of(1, 2, 0, 0));
    await site.start();
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 3, cause: "" });
    expect(event(await client.next())).toMatchObject({ MonitorId: "1" });
  });
});

describe("the daemon", () => {
  it("is healthy while it scans and gone when it has stopped", async () => {
    await site.start();
    const address = site.url().replace("ws:", "http:");
    const answer = await fetch(`${address}/healthz`);
    expect([answer.status, await answer.text()]).toEqual([200, "ok"]);
    await site.stop();
    await expect(fetch(`${address}/healthz`)).rejects.toThrow();
  });

  it("watches with what it knew before when the database does not answer at the next start", async () => {
    await site.start();
    await site.restart(() => {
      site.zoneminder.loadMonitors = () => Promise.reject(new Error("away"));
    });
    const client = await site.logIn();
    site.cameras[1].beginAlarm({ eventId: 4, cause: "" });
    expect(event(await client.next())).toMatchObject({ Name: "Garage" });
  });

  it("watches every camera that has a file when the database has never answered", async () => {
    site.zoneminder.loadMonitors = () => Promise.reject(new Error("away"));
    await site.start();
    const client = await site.logIn();
    site.cameras[1].beginAlarm({ eventId: 4, cause: "" });
    expect(event(await client.next())).toMatchObject({ Name: "Monitor 2", MonitorId: "2" });
  });

  it("stops within two seconds while clients are connected", async () => {
    await site.start();
    await Promise.all(Array.from({ length: 20 }, () => site.logIn()));
    const before = performance.now();
    await site.stop();
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

describe("a restart", () => {
  it("does not tell a running alarm again", async () => {
    await site.start();
    const first = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "" });
    await first.next();
    await site.restart();
    const second = await site.logIn();
    site.cameras[1].beginAlarm({ eventId: 8, cause: "" });
    expect(event(await second.next())).toMatchObject({ EventId: "8" });
  });

  it("tells an alarm that began meanwhile once, marked late", async () => {
    await site.start();
    await site.restart(() => site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" }));
    const client = await site.logIn();
    expect(event(await client.next())).toMatchObject({ EventId: "7", Late: "true" });
    client.close();
    await client.closed;
    await site.restart();
    const again = await site.logIn();
    site.cameras[1].beginAlarm({ eventId: 8, cause: "" });
    expect(event(await again.next())).toMatchObject({ EventId: "8" });
  });

  it("tells an alarm that began and ended meanwhile, as the database has it", async () => {
    await site.start();
    const { monitors } = await site.zoneminder.loadMonitors();
    const [monitor] = monitors;
    if (!monitor) throw new Error("no monitor");
    site.zoneminder.missedAlarms = async (_, marks) => {
      return marks.some((mark) => mark.event === 9)
        ? []
        : [anAlarm({ monitor, eventId: eid(9), late: true })];
    };
    await site.restart();
    const client = await site.logIn();
    expect(event(await client.next())).toMatchObject({ EventId: "9", Late: "true" });
    await site.restart();
    const again = await site.logIn();
    site.cameras[1].beginAlarm({ eventId: 10, cause: "" });
    expect(event(await again.next())).toMatchObject({ EventId: "10" });
  });

  it("knows since when each camera is watched, so that the first alarm of a quiet one is not missed", async () => {
    const asked: (readonly ToldMark[])[] = [];
    site.zoneminder.missedAlarms = async (_, marks) => {
      asked.push(marks);
      return [];
    };
    const began = Date.now();
    await site.start();
    await site.restart();
    await eventually(() => expect(asked).toHaveLength(1));
    expect(asked[0]?.map(({ monitor, event }) => ({ monitor, event }))).toEqual([
      { monitor: 1, event: null },
      { monitor: 2, event: null },
    ]);
    expect(asked[0]?.[0]?.at).toBeGreaterThanOrEqual(began);
  });

  it("looks again for missed alarms when the database failed at it, whatever the reason", async () => {
    const search = vi
      .fn()
      .mockRejectedValueOnce(new Error("Lock wait timeout exceeded"))
      .mockResolvedValue([]);
    site.zoneminder.missedAlarms = search;
    await site.start();
    await eventually(() => expect(search).toHaveBeenCalledTimes(2));
    expect(
      site.log.filter(({ msg }) => String(msg).startsWith("Missed alarms could not be looked")),
    ).toHaveLength(1);
  });
});
