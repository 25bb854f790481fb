import { expect, test, vi } from "vitest";
import { createDispatcher } from "../../src/delivery/dispatcher.ts";
import { entriesFor } from "../../src/delivery/lane.ts";
import type { OutboxStore, Settled } from "../../src/delivery/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { anAlarm, eid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel } from "../support/fake-channel.ts";
import { aDecision } from "../support/outbox.ts";
import { recordingLogger } from "../support/server.ts";

const anna = aPerson("anna");

function setUp(store: Partial<OutboxStore> = {}) {
  const channel = createFakeChannel();
  const settled: Settled[] = [];
  const log: Record<string, unknown>[] = [];
  const dispatcher = createDispatcher({
    channel,
    store: { pending: async () => [], drop: async () => 0, ...store },
    settle: async (outcome) => void settled.push(outcome),
    clock: systemClock,
    logger: recordingLogger(log),
    random: () => 0,
  });
  return { channel, settled, log, dispatcher };
}

const noticesOf = (event: number) =>
  aDecision(anAlarm({ eventId: eid(event), seenAt: Date.now() }), [anna]).notices;

test("a notice that is read from the file while it is being handed over is sent once", async () => {
  const reading = Promise.withResolvers<Awaited<ReturnType<OutboxStore["pending"]>>>();
  const { channel, settled, dispatcher } = setUp({ pending: () => reading.promise });
  const [notice] = noticesOf(7);
  if (notice === undefined) throw new Error("no notice");
  dispatcher.backlog([anna.id]);
  dispatcher.add(entriesFor([notice], [7]));
  reading.resolve([{ row: 7, notice, attempts: 0, dueAt: 0 }]);
  await eventually(() => expect(settled).toHaveLength(1));
  await dispatcher.stop();
  expect(channel.attempts).toHaveLength(1);
});

test("a notice of the file goes before one that was decided while the file was read", async () => {
  const reading = Promise.withResolvers<Awaited<ReturnType<OutboxStore["pending"]>>>();
  const { channel, dispatcher } = setUp({ pending: () => reading.promise });
  const [older] = noticesOf(7);
  if (older === undefined) throw new Error("no notice");
  dispatcher.backlog([anna.id]);
  dispatcher.add(entriesFor(noticesOf(8), [8]));
  reading.resolve([{ row: 7, notice: older, attempts: 0, dueAt: 0 }]);
  await eventually(() => expect(channel.accepted.map(({ alarm }) => alarm.eventId)).toEqual([7, 8]));
  await dispatcher.stop();
});

test.each([false, true])(
  "what was decided without the disk comes after everything that waits there (written there meanwhile: %j)",
  async (isSaved) => {
    const file = Array.from({ length: 40 }, (_, index) => index + 1).flatMap((event) =>
      noticesOf(event).map((notice) => ({ row: event, notice, attempts: 0, dueAt: 0 })),
    );
    const [newest] = entriesFor(noticesOf(99), []);
    if (newest === undefined) throw new Error("no notice");
    const pending = vi.fn(async (_of: unknown, except: readonly number[], limit: number) =>
      file
        .filter(
          ({ row, notice }) => !except.includes(row) && !channel.accepted.some(({ id }) => id === notice.id),
        )
        .slice(0, limit),
    );
    const { channel, dispatcher } = setUp({ pending });
    channel.answer = ({ alarm }) => {
      if (alarm.eventId !== 1) return "accept";
      dispatcher.add([newest]);
      if (isSaved) {
        dispatcher.saved(newest, 99);
        file.push({ row: 99, notice: newest.notice, attempts: 0, dueAt: 0 });
      }
      return "accept";
    };
    dispatcher.backlog([anna.id]);
    await eventually(() => expect(channel.accepted).toHaveLength(41));
    await dispatcher.stop();
    expect(channel.accepted.map(({ alarm }) => Number(alarm.eventId))).toEqual([
      ...Array.from({ length: 40 }, (_, index) => index + 1),
      99,
    ]);
  },
);

test("a file that cannot be read is asked again after a pause, not without end", async () => {
  const pending = vi.fn(async () => null);
  const { dispatcher } = setUp({ pending });
  dispatcher.backlog([anna.id]);
  await eventually(() => expect(pending).toHaveBeenCalledTimes(2));
  await dispatcher.stop();
});

test("a moment far in the future, left by a clock that was set back, holds nothing back", async () => {
  const [notice] = noticesOf(7);
  if (notice === undefined) throw new Error("no notice");
  const year = 365 * 86_400_000;
  const stored = { row: 7, notice: { ...notice, expiresAt: Date.now() + year }, attempts: 3 };
  const { channel, dispatcher } = setUp({
    pending: async (_of, except) => (except.length > 0 ? [] : [{ ...stored, dueAt: Date.now() + year }]),
  });
  dispatcher.backlog([anna.id]);
  await eventually(() => expect(channel.accepted).toHaveLength(1));
  await dispatcher.stop();
});

test("begins no attempt once it is stopped", async () => {
  const { channel, dispatcher } = setUp();
  await dispatcher.stop();
  dispatcher.add(entriesFor(noticesOf(7), [7]));
  dispatcher.backlog([anna.id]);
  expect(channel.attempts).toEqual([]);
});

test("what is held is tried as soon as it may be, in order, and its looks count as no attempts", async () => {
  const { channel, settled, log, dispatcher } = setUp();
  let isKnown = false;
  channel.answer = () => (isKnown ? "accept" : "hold");
  dispatcher.add(entriesFor([...noticesOf(7), ...noticesOf(8)], [7, 8]));
  await eventually(() => expect(settled).toHaveLength(1));
  expect(settled[0]).toMatchObject({ state: "pending", words: "nobody knows its rights", attempts: 0 });
  await eventually(() => expect(channel.attempts.length).toBeGreaterThan(1));
  isKnown = true;
  await eventually(() => expect(channel.accepted).toHaveLength(2));
  await dispatcher.stop();
  expect(channel.accepted.map(({ alarm }) => alarm.eventId)).toEqual([7, 8]);
  expect(settled).toHaveLength(3);
  expect(settled.slice(1)).toMatchObject([
    { state: "delivered", attempts: 1 },
    { state: "delivered", attempts: 1 },
  ]);
  expect(log.map(({ msg }) => msg)).toContain("Notices cannot be delivered and are tried again");
});

test("what a recipient may not be told of is dropped with the reason, and the next is tried", async () => {
  const { channel, settled, dispatcher } = setUp();
  channel.answer = ({ alarm }) => (alarm.eventId === 7 ? "forbid" : "accept");
  dispatcher.add(entriesFor([...noticesOf(7), ...noticesOf(8)], [7, 8]));
  await eventually(() => expect(settled).toHaveLength(2));
  await dispatcher.stop();
  expect(settled).toMatchObject([
    { state: "dropped", words: "its user may not see it" },
    { state: "delivered" },
  ]);
});

test("what is held for too long expires, and says why it was held", async () => {
  const { channel, settled, dispatcher } = setUp();
  channel.answer = () => "hold";
  const soon = Date.now() + 300;
  dispatcher.add(
    entriesFor(
      noticesOf(7).map((notice) => ({ ...notice, expiresAt: soon })),
      [7],
    ),
  );
  await eventually(() => expect(settled.at(-1)?.state).toBe("expired"));
  await dispatcher.stop();
  expect(settled.at(-1)?.words).toBe("nobody knows its rights");
});

test("many that are held are looked at more seldom, so that others have their turn", async () => {
  const { channel, settled, dispatcher } = setUp();
  channel.answer = ({ recipient }) => (recipient === anna.id ? "accept" : "hold");
  const people = Array.from({ length: 900 }, (_, index) => aPerson(`nobody-${index}`));
  dispatcher.add(
    entriesFor(
      aDecision(anAlarm({ seenAt: Date.now() }), people).notices,
      people.map((_, index) => index + 1),
    ),
  );
  dispatcher.add(entriesFor(noticesOf(7), [9000]));
  await eventually(() => expect(channel.accepted).toHaveLength(1));
  await dispatcher.stop();
  const waits = settled.filter(({ state }) => state === "pending").map(({ at, dueAt }) => dueAt - at);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1800);
});
