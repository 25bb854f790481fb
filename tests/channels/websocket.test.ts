import { expect, test } from "vitest";
import type { LiveReceiver } from "../../src/channels/live-receiver.ts";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import { alarmFrame, supplementaryFrame } from "../../src/channels/websocket-message.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import { createRefusals, plainBriefing } from "../../src/domain/briefing.ts";
import type { Recipient } from "../../src/domain/recipient.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { aMonitor, anAlarm, aRecipient, briefed, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger } from "../support/server.ts";

interface FakeReceiver extends LiveReceiver {
  recipient: Recipient;
  readonly written: Buffer[];
  isOpen: boolean;
}

function receiver(recipient: Recipient = aRecipient(), onWrite = () => {}): FakeReceiver {
  const written: Buffer[] = [];
  return {
    user: "anna",
    address: "192.0.2.1",
    loggedInAt: 0,
    recipient,
    supplementary: false,
    written,
    isOpen: true,
    writable() {
      return this.isOpen;
    },
    write(bytes) {
      written.push(bytes);
      onWrite();
    },
  };
}

const at = { ms: 0, now: 5_000_000 };
const clock: Clock = { now: () => at.now, monotonic: () => at.ms };

function channelTo(receivers: readonly LiveReceiver[], log: Record<string, unknown>[] = []) {
  return createWebSocketChannel({
    sessions: { receivers: () => receivers },
    clock,
    logger: recordingLogger(log),
  });
}

const alarmOf = (monitor: number, event: number): Alarm =>
  anAlarm({ monitor: aMonitor({ id: mid(monitor) }), eventId: eid(event) });

test("everybody is told before tell returns, from one and the same bytes", () => {
  const clients = [receiver(), receiver(), receiver()];
  channelTo(clients).tell(briefed([alarmOf(1, 10)]));
  const first = clients[0]?.written[0];
  expect(first).toEqual(alarmFrame(alarmOf(1, 10)));
  for (const client of clients) expect(client.written[0]).toBe(first);
});

test("those whose phone gets push as well share the bytes that say so, the others those that do not", () => {
  const plain = [receiver(), receiver()];
  const phones = [receiver(), receiver()].map((one) => ({ ...one, supplementary: true }));
  const alarms = [alarmOf(1, 10), alarmOf(2, 11)];
  const [one, two, three, four] = [plain[0], phones[0], plain[1], phones[1]];
  channelTo([one, two, three, four].filter((each) => each !== undefined)).tell(briefed(alarms));
  expect(one?.written).toEqual([Buffer.concat(alarms.map((alarm) => alarmFrame(alarm)))]);
  expect(two?.written).toEqual([Buffer.concat(alarms.map((alarm) => supplementaryFrame(alarm)))]);
  expect(three?.written[0]).toBe(one?.written[0]);
  expect(four?.written[0]).toBe(two?.written[0]);
});

test("all alarms of a scan cost a client one write, one frame each", () => {
  const client = receiver();
  const alarms = [alarmOf(1, 10), alarmOf(2, 11), alarmOf(3, 12)];
  channelTo([client]).tell(briefed(alarms));
  expect(client.written).toEqual([Buffer.concat(alarms.map((alarm) => alarmFrame(alarm)))]);
});

test("each client gets the alarms of its own list and rights, whatever it asked for", () => {
  const all = receiver();
  const some = receiver(aRecipient({ monitors: new Set([mid(2), mid(3)]) }));
  const guest = receiver(aRecipient({ monitors: "all", rights: new Set([mid(3)]) }));
  const nobody = receiver(aRecipient({ monitors: new Set([mid(1)]), rights: new Set([mid(3)]) }));
  const alarms = [alarmOf(1, 10), alarmOf(2, 11), alarmOf(3, 12)];
  const [one, two, three] = alarms.map((alarm) => alarmFrame(alarm)) as [Buffer, Buffer, Buffer];
  channelTo([all, some, guest, nobody]).tell(briefed(alarms));
  expect(all.written).toEqual([Buffer.concat([one, two, three])]);
  expect(some.written).toEqual([Buffer.concat([two, three])]);
  expect(guest.written).toEqual([three]);
  expect(nobody.written).toEqual([]);
});

test("says how many clients got each alarm, and why others did not", () => {
  const told: unknown[] = [];
  const guest = receiver(aRecipient({ rights: new Set([mid(2)]) }));
  const picky = receiver(aRecipient({ monitors: new Set([mid(1)]) }));
  const channel = createWebSocketChannel({
    sessions: { receivers: () => [receiver(), guest, picky] },
    clock,
    logger: recordingLogger([]),
    onTold: (counts) => told.push(...counts.map(({ alarm, counts }) => [alarm.eventId, counts])),
  });
  channel.tell(briefed([alarmOf(1, 10), alarmOf(2, 11)]));
  expect(told).toEqual([
    [10, { told: 2, refused: { "not-permitted": 1 } }],
    [11, { told: 2, refused: { "monitor-off": 1 } }],
  ]);
});

test("an interval holds back the next alarm of its monitor and of no other", () => {
  const client = receiver(
    aRecipient({ monitors: new Set([mid(1), mid(2)]), intervals: new Map([[mid(1), 60]]) }),
  );
  const channel = channelTo([client]);
  channel.tell(briefed([alarmOf(1, 10), alarmOf(2, 11)]));
  at.now += 59_999;
  channel.tell(briefed([alarmOf(1, 12), alarmOf(2, 13)]));
  at.now += 1;
  channel.tell(briefed([alarmOf(1, 14)]));
  expect(client.written.slice(1)).toEqual([alarmFrame(alarmOf(2, 13)), alarmFrame(alarmOf(1, 14))]);
});

test("an update is the beginning for clients from whom a rule kept it back, whether they asked for updates or not", () => {
  const [plain, eager, muted, other] = [receiver(), receiver(), receiver(), receiver()];
  const asked = [eager, muted].map((each) => Object.assign(each, { updates: true }));
  const update: Alarm = { ...alarmOf(1, 10), phase: "updated" };
  const refusals = createRefusals();
  for (const each of [plain, muted]) refusals.note(each, "rule");
  channelTo([plain, ...asked, other]).tell([{ ...plainBriefing(update), refusals }]);
  expect(eager.written).toEqual([alarmFrame(update)]);
  for (const each of [plain, muted]) expect(each.written).toEqual([alarmFrame(alarmOf(1, 10))]);
  expect(other.written).toEqual([]);
});

test("a client that is closing is passed over", () => {
  const client = receiver();
  client.isOpen = false;
  channelTo([client]).tell(briefed([alarmOf(1, 10)]));
  expect(client.written).toEqual([]);
});

test("a client that fails in a way nobody foresaw costs the others nothing, then or later", () => {
  const bad = receiver(aRecipient(), () => {
    throw new Error("a fault of ours");
  });
  const [before, after] = [receiver(), receiver()];
  const log: Record<string, unknown>[] = [];
  const channel = channelTo([before, bad, after], log);
  channel.tell(briefed([alarmOf(1, 10)]));
  channel.tell(briefed([alarmOf(1, 11)]));
  expect(before.written).toHaveLength(2);
  expect(after.written).toHaveLength(2);
  expect(log.filter(({ msg }) => msg === "A client could not be told")).toHaveLength(2);
});

/** Clients that cost so much time that a slice is over after 16 of them. */
const expensive = (count: number) =>
  Array.from({ length: count }, () =>
    receiver(aRecipient(), () => {
      at.ms += 1;
    }),
  );

test("many clients are told in slices, the first one at once and the loop turning in between", async () => {
  const clients = expensive(100);
  const told = () => clients.filter((client) => client.written.length > 0).length;
  channelTo(clients).tell(briefed([alarmOf(1, 10)]));
  const atOnce = told();
  expect(atOnce).toBeGreaterThan(0);
  expect(atOnce).toBeLessThan(100);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told()).toBeLessThan(100);
  await eventually(() => expect(told()).toBe(100));
});

test("alarms that come while slices run keep their order for every client", async () => {
  const clients = expensive(100);
  const channel = channelTo(clients);
  channel.tell(briefed([alarmOf(1, 10)]));
  channel.tell(briefed([alarmOf(1, 11)]));
  channel.tell(briefed([alarmOf(2, 12), alarmOf(1, 13)]));
  const expected = Buffer.concat([10, 11].map((event) => alarmFrame(alarmOf(1, event))));
  const rest = Buffer.concat([alarmFrame(alarmOf(2, 12)), alarmFrame(alarmOf(1, 13))]);
  await eventually(() => {
    for (const client of clients)
      expect(Buffer.concat(client.written)).toEqual(Buffer.concat([expected, rest]));
  });
});

test("a client that closes between slices is passed over, one that comes is told of the next alarm", async () => {
  const clients = expensive(100);
  const live: FakeReceiver[] = [...clients];
  const sessions = { receivers: () => [...live] };
  const channel = createWebSocketChannel({ sessions, clock, logger: recordingLogger([]) });
  channel.tell(briefed([alarmOf(1, 10)]));
  const [late] = expensive(1);
  const gone = clients[99];
  if (late === undefined || gone === undefined) throw new Error("no clients");
  live.push(late);
  gone.isOpen = false;
  channel.tell(briefed([alarmOf(1, 11)]));
  await eventually(() => expect(late.written).toEqual([alarmFrame(alarmOf(1, 11))]));
  expect(gone.written).toEqual([]);
});

test("the log says how many were told and why others were not", () => {
  const log: Record<string, unknown>[] = [];
  const refused = receiver(aRecipient({ rights: new Set() }));
  channelTo([receiver(), refused], log).tell(briefed([alarmOf(1, 10)]));
  expect(log).toMatchObject([
    { msg: "Broadcasting new events to all 2 websocket clients", told: 1, "not-permitted": 1 },
  ]);
});

/** Each user has links of their own. */
const links = (alarm: Alarm, user: string | null) =>
  user === null ? null : `https://host/p/${user}-${alarm.id}`;

function picturedChannel(receivers: readonly LiveReceiver[], picture = links) {
  return createWebSocketChannel({
    sessions: { receivers: () => receivers },
    clock,
    logger: recordingLogger([]),
    picture,
  });
}

test("each user gets links of their own, whichever way their connections came; the same user shares the bytes", () => {
  const users = ["anna", "bert", "anna", null, "bert"];
  const clients = users.map((user) => ({ ...receiver(), user }));
  const alarms = [alarmOf(1, 10), alarmOf(2, 11)];
  picturedChannel(clients).tell(briefed(alarms));
  for (const { user, written } of clients)
    expect(written).toEqual([Buffer.concat(alarms.map((alarm) => alarmFrame(alarm, links(alarm, user))))]);
  expect(clients[2]?.written[0]).toBe(clients[0]?.written[0]);
  expect(clients[4]?.written[0]).toBe(clients[1]?.written[0]);
});

test("a link is made only for alarms that its user is told of", () => {
  const made: string[] = [];
  const client = receiver(aRecipient({ rights: new Set([mid(2)]) }));
  picturedChannel([client], (alarm, user) => {
    made.push(alarm.id);
    return links(alarm, user);
  }).tell(briefed([alarmOf(1, 10), alarmOf(2, 11), alarmOf(3, 12)]));
  expect(made).toEqual([alarmOf(2, 11).id]);
});

test("a thousand users with a link each do not stop the scan: they are told in slices", async () => {
  const clients = Array.from({ length: 1000 }, (_, index) => ({
    ...receiver(aRecipient(), () => {
      at.ms += 1;
    }),
    user: `user${index}`,
  }));
  picturedChannel(clients).tell(briefed([alarmOf(1, 10)]));
  const told = () => clients.filter(({ written }) => written.length === 1).length;
  expect(told()).toBeLessThan(10);
  await eventually(() => expect(told()).toBe(1000));
});
