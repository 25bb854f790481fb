import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WINDOW } from "../../src/delivery/lanes.ts";
import type { Notice } from "../../src/domain/notice.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";
import { aDecision, createOutboxSite, type OutboxSite, type OutboxSiteOptions } from "../support/outbox.ts";

const anna = aPerson("anna");
const ben = aPerson("ben");

let channel: FakeChannel;
let site: OutboxSite;
const sites: OutboxSite[] = [];

function build(options: OutboxSiteOptions = {}, channels = [channel]): OutboxSite {
  const built = createOutboxSite(channels, options);
  sites.push(built);
  return built;
}

beforeEach(() => {
  channel = createFakeChannel();
  site = build();
});
afterEach(async () => {
  for (const each of sites.splice(0)) await each.remove();
});

const alarmOf = (event: number) => anAlarm({ eventId: eid(event), seenAt: Date.now() });
const events = (notices: readonly Notice[]) => notices.map(({ alarm }) => Number(alarm.eventId));
const states = (event = 5060) => site.deliveries(event).map(({ state }) => state);
const messages = () => site.log.map((line) => String(line.msg));

describe("a notice", () => {
  test("is on disk, with its verdict and its monitor's mark, before the first attempt", async () => {
    await site.start();
    const seen: unknown[] = [];
    channel.answer = async () => {
      seen.push(site.deliveries().map(({ state, trace }) => [state, trace.length]));
      seen.push((await site.store.marks()).map(({ event }) => event));
      return "accept" as const;
    };
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(channel.accepted).toHaveLength(1));
    expect(seen).toEqual([[["pending", 3]], [5060]]);
  });

  test("that was accepted is noted so, with the other side's words and the moment", async () => {
    await site.start();
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["delivered"]));
    const [record] = site.deliveries();
    expect(record).toMatchObject({ words: "accepted", attempts: 1, label: "phone ...anna" });
    expect(Date.now() - (record?.endedAt ?? 0)).toBeLessThan(5000);
  });

  test("is tried again until it is accepted, always with the same id", async () => {
    await site.start();
    channel.answer = () => (channel.attempts.length < 4 ? "busy" : "accept");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["delivered"]));
    expect(new Set(channel.attempts.map(({ id }) => id))).toEqual(new Set(["1:5060:1/fcm:anna"]));
    expect(site.deliveries()[0]?.attempts).toBe(4);
  });

  test("that met a fault of ours is tried again, and the fault is logged", async () => {
    await site.start();
    channel.answer = () => (channel.attempts.length < 2 ? "crash" : "accept");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["delivered"]));
    expect(messages()).toContain("An attempt to deliver failed unexpectedly");
  });

  test("that waits shows its attempts and the last answer", async () => {
    await site.start();
    channel.answer = () => (channel.attempts.length > 1 ? "hang" : "busy");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() =>
      expect(site.deliveries()[0]).toMatchObject({ state: "pending", attempts: 1, words: "503 try later" }),
    );
  });

  test("that will never be accepted is given up and kept", async () => {
    await site.start();
    channel.answer = () => "refuse";
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["dead"]));
    expect(channel.attempts).toHaveLength(1);
    expect(site.deliveries()[0]?.words).toBe("400 INVALID_ARGUMENT");
  });

  test("that ran out while it waited is recorded as expired, not sent", async () => {
    await site.start();
    channel.answer = () => "busy";
    site.outbox.put([aDecision(alarmOf(5060), [anna], { lifetimeMs: 100 })]);
    await eventually(() => expect(states()).toEqual(["expired"]));
    const { length } = channel.attempts;
    channel.answer = () => "accept";
    site.outbox.put([aDecision(alarmOf(5061), [anna])]);
    await eventually(() => expect(events(channel.accepted)).toEqual([5061]));
    expect(channel.attempts).toHaveLength(length + 1);
  });

  test("of somebody who is not to be told is kept as a verdict alone", async () => {
    await site.start();
    const elsewhere = aPerson("carl", { monitors: new Set([mid(7)]) });
    site.outbox.put([aDecision(alarmOf(5060), [elsewhere, anna])]);
    await eventually(() => expect(states()).toEqual(["refused", "delivered"]));
    expect(site.deliveries()[0]).toMatchObject({ reason: "monitor-off", label: "phone ...carl" });
    expect(channel.attempts).toHaveLength(1);
  });
});

describe("one recipient", () => {
  test("gets its notices in their order, the end after the start, whatever fails", async () => {
    await site.start();
    const alarm = alarmOf(5060);
    channel.answer = () => (channel.attempts.length % 3 === 0 ? "accept" : "busy");
    site.outbox.put([aDecision(alarm, [anna])]);
    site.outbox.put([aDecision({ ...alarm, phase: "ended" }, [anna]), aDecision(alarmOf(5061), [anna])]);
    await eventually(() => expect(channel.accepted).toHaveLength(3));
    expect(channel.accepted.map(({ id }) => id)).toEqual([
      "1:5060:1/fcm:anna",
      "1:5060:1:end/fcm:anna",
      "1:5061:1/fcm:anna",
    ]);
  });

  test("that is gone loses what waited for it; others lose nothing", async () => {
    await site.start();
    channel.answer = ({ recipient }) => (recipient === anna.id ? "gone" : "accept");
    site.outbox.put([5060, 5061, 5062].map((event) => aDecision(alarmOf(event), [anna, ben])));
    await eventually(() => {
      for (const event of [5060, 5061, 5062]) expect(states(event)).toEqual(["dropped", "delivered"]);
    });
    expect(site.deliveries(5062)[0]?.words).toBe("404 UNREGISTERED");
    expect(channel.attempts.filter(({ recipient }) => recipient === anna.id)).toHaveLength(1);
  });

  test("that is gone may come back and is told again", async () => {
    await site.start();
    channel.answer = () => "gone";
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["dropped"]));
    channel.answer = () => "accept";
    site.outbox.put([aDecision(alarmOf(5061), [anna])]);
    await eventually(() => expect(states(5061)).toEqual(["delivered"]));
  });

  test("that does not answer delays nobody else", async () => {
    channel = createFakeChannel({ concurrency: 2 });
    site = build();
    await site.start();
    channel.answer = ({ recipient }) => (recipient === anna.id ? "hang" : "accept");
    const others = ["1", "2", "3", "4", "5"].map((name) => aPerson(name));
    site.outbox.put([5060, 5061].map((event) => aDecision(alarmOf(event), [anna, ...others])));
    await eventually(() => expect(channel.accepted).toHaveLength(10));
  });
});

describe("a channel", () => {
  test("is never given more attempts at once than it can bear", async () => {
    channel = createFakeChannel({ concurrency: 3 });
    site = build();
    await site.start();
    channel.answer = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return "accept" as const;
    };
    const people = Array.from({ length: 40 }, (_, index) => aPerson(String(index)));
    site.outbox.put([aDecision(alarmOf(5060), people)]);
    await eventually(() => expect(channel.accepted).toHaveLength(40));
    expect(channel.mostAtOnce).toBe(3);
  });

  test("that fails is reported once, and once when it is well again", async () => {
    await site.start();
    channel.answer = () => (channel.attempts.length < 6 ? "busy" : "accept");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(messages()).toContain("No notice waits for another attempt any more"));
    const count = messages().filter((each) => each === "Notices cannot be delivered and are tried again");
    expect(count).toHaveLength(1);
  });

  test("that refuses everything for the same reason is one line in the log, until it takes something", async () => {
    await site.start();
    channel.answer = ({ alarm }) => (alarm.eventId === 5063 ? "accept" : "refuse");
    for (const event of [5060, 5061, 5062, 5063, 5064]) site.outbox.put([aDecision(alarmOf(event), [anna])]);
    await eventually(() => expect(states(5064)).toEqual(["dead"]));
    expect(messages().filter((each) => each.startsWith("A notice was refused for good"))).toHaveLength(2);
  });

  test("that is back is tried at once", async () => {
    await site.start();
    channel.answer = () => (channel.attempts.length === 1 ? "later" : "accept");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(site.deliveries()[0]?.attempts).toBe(1));
    channel.back();
    await eventually(() => expect(channel.accepted).toHaveLength(1));
  });

  test("with thousands of notices behind a dead endpoint keeps them on disk, and delivers all in order", async () => {
    await site.start();
    let isDead = true;
    channel.answer = async () => {
      if (channel.accepted.length === WINDOW / 2) {
        // There is room in memory again, but older ones still wait on disk.
        site.outbox.put([aDecision(alarmOf(99_999), [anna])]);
        await site.store.flush();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return isDead ? "crash" : "accept";
    };
    const count = WINDOW + 1500;
    const all = Array.from({ length: count }, (_, index) => 10_000 + index);
    site.outbox.put(all.map((event) => aDecision(alarmOf(event), [anna])));
    await eventually(() => expect(channel.attempts.length).toBeGreaterThan(0));
    isDead = false;
    channel.back();
    await vi.waitFor(() => expect(channel.accepted.length).toBe(count + 1), { timeout: 15_000 });
    expect(events(channel.accepted)).toEqual([...all, 99_999]);
  });
});

test("a disk that takes no acknowledgement makes nothing be sent twice", async () => {
  const settled = Promise.withResolvers<void>();
  site = build({ wrap: (store) => ({ ...store, settle: () => settled.promise }) });
  await site.start();
  const count = WINDOW + 200;
  const all = Array.from({ length: count }, (_, index) => 10_000 + index);
  site.outbox.put(all.map((event) => aDecision(alarmOf(event), [anna])));
  await eventually(() => expect(events(channel.accepted)).toEqual(all));
  expect(channel.attempts).toHaveLength(count);
  settled.resolve();
});

describe("after a restart", () => {
  test("what waited on disk is delivered, in its order and with its attempts", async () => {
    await site.start();
    channel.answer = () => "hang";
    site.outbox.put([5060, 5061].map((event) => aDecision(alarmOf(event), [anna])));
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    channel.answer = () => "accept";
    await site.restart();
    await eventually(() => expect(events(channel.accepted)).toEqual([5060, 5061]));
    expect(messages()).toContain("Notices that waited on disk are delivered now");
  });

  test("what ran out meanwhile is recorded as expired and said", async () => {
    await site.start();
    channel.answer = () => "hang";
    site.outbox.put([aDecision(alarmOf(5060), [anna], { lifetimeMs: 50 })]);
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    await site.stop();
    await eventually(() => expect(site.deliveries()[0]?.expiresAt).toBeLessThan(Date.now()));
    await site.restart();
    expect(states()).toEqual(["expired"]);
    expect(messages()).toContain("Notices that waited on disk had expired; they are recorded so, not sent");
    expect(channel.attempts).toHaveLength(1);
  });

  test("what was accepted is not sent again", async () => {
    await site.start();
    site.outbox.put([aDecision(alarmOf(5060), [anna, ben])]);
    await eventually(() => expect(channel.accepted).toHaveLength(2));
    await site.restart();
    site.outbox.put([aDecision(alarmOf(5061), [anna])]);
    await eventually(() => expect(channel.accepted).toHaveLength(3));
    expect(events(channel.attempts)).toEqual([5060, 5060, 5061]);
  });
});

describe("the end", () => {
  test("waits for nobody who does not answer", async () => {
    await site.start();
    channel.deliver = () => new Promise(() => undefined); // does not even listen to its signal
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["pending"]));
    const begun = performance.now();
    await site.stop();
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(states()).toEqual(["pending"]);
  });

  test("lets an attempt that is nearly through be noted", async () => {
    await site.start();
    const nearlyThrough = Promise.withResolvers<"accept">();
    channel.answer = () => nearlyThrough.promise;
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    const stopping = site.stop();
    nearlyThrough.resolve("accept");
    await stopping;
    expect(states()).toEqual(["delivered"]);
  });
});

test("a file that somebody removed takes no other notice for the one that was sent", async () => {
  await site.start();
  channel.answer = ({ alarm }) => (alarm.eventId === 5060 ? "hang" : "accept");
  site.outbox.put([aDecision(alarmOf(5060), [anna])]);
  await eventually(() => expect(channel.attempts).toHaveLength(1));
  for (const suffix of ["", "-wal", "-shm"]) rmSync(site.file + suffix, { force: true });
  site.outbox.put([aDecision(alarmOf(5061), [anna])]); // has the number of the first one
  await eventually(() => expect(states(5061)).toEqual(["pending"]));
  await site.store.settle([
    { id: 1, createdAt: 1, state: "delivered", words: "", attempts: 1, at: 1, dueAt: 1 },
  ]);
  expect(states(5061)).toEqual(["pending"]);
});

describe("another process", () => {
  function beside(job: (history: ReturnType<typeof openHistory>) => number): number {
    const history = openHistory(site.file, { write: true });
    try {
      return job(history);
    } finally {
      history.close();
    }
  }

  test("may have a notice that was given up sent again", async () => {
    await site.start();
    channel.answer = () => "refuse";
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["dead"]));
    channel.answer = () => "accept";
    expect(
      beside((history) =>
        history.retry(site.deliveries()[0]?.id ?? 0, Date.now(), new Map([["fcm", 3_600_000]])),
      ),
    ).toBe(1);
    await eventually(() => expect(states()).toEqual(["delivered"]));
  });

  test("gives a notice that is sent again the time its channel has, however often", async () => {
    await site.start();
    channel.answer = () => "refuse";
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(states()).toEqual(["dead"]));
    const now = Date.now();
    const again = () =>
      beside((history) =>
        history.retry(site.deliveries()[0]?.id ?? 0, now + 60_000, new Map([["fcm", 5_000]])),
      );
    again();
    again();
    expect(site.deliveries()[0]?.expiresAt).toBe(now + 65_000);
  });

  test("may have a notice that waits tried at once", async () => {
    await site.start();
    channel.answer = () => (channel.attempts.length === 1 ? "later" : "accept");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(site.deliveries()[0]?.attempts).toBe(1));
    beside((history) =>
      history.retry(site.deliveries()[0]?.id ?? 0, Date.now(), new Map([["fcm", 3_600_000]])),
    );
    await eventually(() => expect(states()).toEqual(["delivered"]));
  });

  test("may drop a notice that waits, and it is not sent", async () => {
    await site.start();
    channel.answer = ({ alarm }) =>
      alarm.eventId === 5060 && channel.accepted.length === 0 ? "hang" : "accept";
    site.outbox.put([5060, 5061].map((event) => aDecision(alarmOf(event), [anna])));
    await eventually(() => expect(states(5061)).toEqual(["pending"]));
    beside((history) => history.drop(site.deliveries(5061)[0]?.id ?? 0, Date.now()));
    await site.restart();
    channel.answer = () => "accept";
    await site.restart();
    await eventually(() => expect(states(5060)).toEqual(["delivered"]));
    expect(states(5061)).toEqual(["dropped"]);
  });
});

describe("a store that cannot be written", () => {
  const refusing = (options: { isRefusing: boolean }) => ({
    wrap: (store: OutboxSite["store"]) => ({
      ...store,
      save: async (decisions: Parameters<typeof store.save>[0]) =>
        options.isRefusing ? null : store.save(decisions),
    }),
  });

  test("costs no notice: it is sent from memory, said and counted", async () => {
    site = build(refusing({ isRefusing: true }));
    await site.start();
    channel.answer = () => (channel.attempts.length < 3 ? "busy" : "accept");
    site.outbox.put([aDecision(alarmOf(5060), [anna])]);
    await eventually(() => expect(channel.accepted).toHaveLength(1));
    expect(site.outbox.health()).toEqual({ unsaved: 1, lost: 0 });
    expect(messages()).toContain("Notices could not be saved: they are sent from memory, unsaved");
  });

  test("gets what it missed as soon as it can be written, with what came of it meanwhile", async () => {
    const options = { isRefusing: true };
    site = build(refusing(options));
    await site.start();
    channel.answer = ({ recipient }) => (recipient === anna.id ? "accept" : "busy");
    site.outbox.put([aDecision(alarmOf(5060), [anna, ben])]);
    await eventually(() => expect(channel.accepted).toHaveLength(1));
    options.isRefusing = false;
    await eventually(() => expect(states()).toEqual(["delivered", "pending"]));
    channel.answer = () => "accept";
    await eventually(() => expect(states()).toEqual(["delivered", "delivered"]));
    expect(channel.accepted).toHaveLength(2);
  });

  test("costs memory up to a limit only, and says what was lost", async () => {
    site = build(refusing({ isRefusing: true }));
    await site.start();
    channel.answer = () => "hang";
    const people = Array.from({ length: 1000 }, (_, index) => aPerson(String(index)));
    for (let event = 1; event <= 11; event += 1) site.outbox.put([aDecision(alarmOf(event), people)]);
    await eventually(() => expect(site.outbox.health()).toEqual({ unsaved: 10_000, lost: 1000 }));
  });

  test("that only hangs is not waited for, and is told the outcome once it answers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const answer = Promise.withResolvers<void>();
    site = build({
      wrap: (store) => ({
        ...store,
        async save(decisions) {
          await answer.promise;
          return store.save(decisions);
        },
      }),
    });
    try {
      await site.start();
      site.outbox.put([aDecision(alarmOf(5060), [anna])]);
      await vi.advanceTimersByTimeAsync(6000);
      expect(channel.accepted).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
    answer.resolve();
    await eventually(() => expect(states()).toEqual(["delivered"]));
    expect(channel.attempts).toHaveLength(1);
  });

  test("that has hung for too long once holds up no other notice until it answers, and their order stays", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const answer = Promise.withResolvers<void>();
    site = build({
      wrap: (store) => ({
        ...store,
        async save(decisions) {
          await answer.promise;
          return store.save(decisions);
        },
      }),
    });
    const accepted = () => channel.accepted.map(({ alarm }) => alarm.eventId);
    try {
      await site.start();
      site.outbox.put([aDecision(alarmOf(5060), [anna])]);
      await vi.advanceTimersByTimeAsync(4000);
      site.outbox.put([aDecision(alarmOf(5061), [anna])]);
      await vi.advanceTimersByTimeAsync(1100);
      expect(accepted()).toEqual([5060, 5061]);
      site.outbox.put([aDecision(alarmOf(5062), [anna])]);
      await vi.advanceTimersByTimeAsync(100);
      expect(accepted()).toEqual([5060, 5061, 5062]);
    } finally {
      vi.useRealTimers();
    }
    answer.resolve();
    await eventually(() => expect([5060, 5061, 5062].flatMap(states)).toEqual(Array(3).fill("delivered")));
    site.outbox.put([aDecision(alarmOf(5063), [anna])]);
    await eventually(() => expect(accepted()).toEqual([5060, 5061, 5062, 5063]));
    expect(site.outbox.health().unsaved).toBe(3);
  });
});

describe("the history", () => {
  test("is forgotten after the days it is kept, a few rows at a time; what still waits stays", async () => {
    const old = Date.now() - 15 * 86_400_000;
    await site.start();
    channel.answer = ({ alarm }) => (alarm.eventId === 5061 ? "hang" : "accept");
    const people = Array.from({ length: 700 }, (_, index) => aPerson(String(index)));
    site.outbox.put([
      aDecision(anAlarm({ seenAt: old }), people),
      aDecision(anAlarm({ seenAt: old, eventId: eid(5061), monitor: aMonitor({ id: mid(2) }) }), [anna]),
      aDecision(alarmOf(5062), [ben]),
    ]);
    await eventually(() => expect(channel.accepted).toHaveLength(701));
    await site.restart();
    await eventually(() => expect(states(5060)).toEqual([]));
    expect(states(5061)).toEqual(["pending"]);
    expect(states(5062)).toEqual(["delivered"]);
  });

  test("counts the clients on sockets, those that came late as well", async () => {
    await site.start();
    const alarm = alarmOf(5060);
    site.outbox.noteSockets([{ alarm, counts: { told: 2, refused: { "monitor-off": 1 } } }]);
    site.outbox.put([aDecision(alarm, [])]);
    await site.store.flush();
    site.outbox.noteSockets([{ alarm, counts: { told: 1, refused: { "monitor-off": 1 } } }]);
    await site.store.flush();
    const history = openHistory(site.file, { write: false });
    expect(history.alarmsOfEvent(5060)[0]?.sockets).toEqual({ told: 3, refused: { "monitor-off": 2 } });
    history.close();
  });
});
