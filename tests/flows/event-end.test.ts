// The whole daemon: the end of an event is told once, to everybody who may hear of it, also over a restart.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openHistory } from "../../src/store/history-file.ts";
import { eid } from "../support/builders.ts";
import { createSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";

let site: Site;
let channel: FakeChannel;

beforeEach(() => {
  channel = createFakeChannel();
  channel.people = [aPerson("27a387")];
  site = createSite(
    (config) => ({ ...config, customize: { ...config.customize, send_event_end_notification: true } }),
    [channel],
  );
});

afterEach(() => site.remove());

const event = (frame: Record<string, unknown>) => (frame.events as Record<string, unknown>[])[0];
const phases = () => channel.accepted.map(({ alarm }) => alarm.phase);

describe("the end of an event", () => {
  it("is told once to each of several sockets, with one prefix each", async () => {
    await site.start();
    const clients = await Promise.all([site.logIn(), site.logIn(), site.logIn()]);
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion All" });
    for (const client of clients) await client.next();
    site.cameras[0].setState("idle");
    for (const client of clients)
      expect(event(await client.next())).toMatchObject({ EventId: "7", Cause: "End:Motion All" });
    expect(clients.flatMap((client) => client.untaken())).toEqual([]);
  });

  it("goes to durable channels after its beginning", async () => {
    await site.start();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion All" });
    await eventually(() => expect(phases()).toEqual(["started"]));
    site.cameras[0].setState("idle");
    await eventually(() => expect(phases()).toEqual(["started", "ended"]));
  });

  it("carries the notes of the event as its cause", async () => {
    site.zoneminder.events = { notes: async () => "Motion: Front, Drive", isOpen: async () => null };
    await site.start();
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    await client.next();
    site.cameras[0].setState("idle");
    expect(event(await client.next())).toMatchObject({ Cause: "End:Motion: Front, Drive" });
  });

  it("is told of a camera whose memory goes away", async () => {
    await site.start();
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    await client.next();
    site.cameras[0].remove();
    expect(event(await client.next())).toMatchObject({ Cause: "End:Motion" });
  });

  it("is not told to somebody whose interval kept back its beginning", async () => {
    await site.start();
    const [patient, other] = await Promise.all([site.logIn(), site.logIn()]);
    patient.send({ event: "control", data: { type: "filter", monlist: "1", intlist: "600" } });
    patient.send({ event: "control", data: { type: "version" } });
    await patient.next();
    for (const id of [1, 2]) {
      site.cameras[0].beginAlarm({ eventId: id, cause: "Motion" });
      await other.next();
      site.cameras[0].setState("idle");
      await other.next();
    }
    const got = [event(await patient.next()), event(await patient.next())];
    expect(got.map((each) => each?.EventId)).toEqual(["1", "1"]);
    expect(patient.untaken()).toEqual([]);
  });

  it("is told once when it came while the program was away", async () => {
    await site.start();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion All" });
    await eventually(() => expect(phases()).toEqual(["started"]));
    await site.restart(() => site.cameras[0].setState("idle"));
    await eventually(() => expect(phases()).toEqual(["started", "ended"]));
    expect(channel.accepted[1]?.alarm).toMatchObject({ cause: "Motion All", late: true });
    await site.restart();
    expect(phases()).toEqual(["started", "ended"]);
  });

  it("that came while the program was away waits for clients on their way back", async () => {
    await site.start();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion All" });
    await eventually(() => expect(phases()).toEqual(["started"]));
    await site.restart(() => site.cameras[0].setState("idle"));
    await eventually(() => expect(phases()).toEqual(["started", "ended"]));
    const client = await site.logIn();
    await eventually(() => expect(client.untaken()).toHaveLength(1));
    expect(event(await client.next())).toMatchObject({
      EventId: "7",
      Cause: "End:Motion All",
      Late: "true",
    });
  });

  it.each([
    ["before a client logs in", false],
    ["before a client that has logged in was told of its beginning", true],
  ])("follows the beginning of a late alarm that ends %s", async (_when, isLoggedInBefore) => {
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion All" });
    await site.start();
    await eventually(() => expect(phases()).toEqual(["started"]));
    const early = isLoggedInBefore ? await site.logIn() : null;
    site.cameras[0].setState("idle");
    await eventually(() => expect(phases()).toEqual(["started", "ended"]));
    const client = early ?? (await site.logIn());
    await eventually(() => expect(client.untaken()).toHaveLength(2));
    expect(event(await client.next())).toMatchObject({ EventId: "7", Cause: "Motion All", Late: "true" });
    expect(event(await client.next())).toMatchObject({ EventId: "7", Cause: "End:Motion All" });
  });

  it("is told when the alarm went on over a restart", async () => {
    await site.start();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion All" });
    await eventually(() => expect(phases()).toEqual(["started"]));
    await site.restart();
    const client = await site.logIn();
    site.cameras[0].setState("idle");
    expect(event(await client.next())).toMatchObject({ EventId: "7", Cause: "End:Motion All" });
    await eventually(() => expect(phases()).toEqual(["started", "ended"]));
  });

  it("stands in the history beside its beginning, with the sockets of each", async () => {
    await site.start();
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    await client.next();
    site.cameras[0].setState("idle");
    await client.next();
    await eventually(() => {
      const history = openHistory(site.dataFile, { write: false });
      const records = history.alarmsOfEvent(eid(7));
      history.close();
      expect(records.map(({ alarm, sockets }) => [alarm.phase, sockets?.told])).toEqual([
        ["started", 1],
        ["ended", 1],
      ]);
    });
  });
});

it("the end of an event is told to nobody while the configuration does not ask for it", async () => {
  await site.remove();
  site = createSite((config) => config, [channel]);
  await site.start();
  const client = await site.logIn();
  site.cameras[0].beginAlarm({ eventId: 7, cause: "" });
  await client.next();
  site.cameras[0].setState("idle");
  site.cameras[1].beginAlarm({ eventId: 8, cause: "" });
  expect(event(await client.next())).toMatchObject({ EventId: "8" });
});
