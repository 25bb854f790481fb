import { expect, test, vi } from "vitest";
import type { LiveReceiver } from "../../src/channels/live-receiver.ts";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import { alarmFrame } from "../../src/channels/websocket-message.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { Recipient } from "../../src/domain/recipient.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { aMonitor, anAlarm, aRecipient, eid, mid } from "../support/builders.ts";
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
  channelTo(clients).tell([alarmOf(1, 10)]);
  const first = clients[0]?.written[0];
  expect(first).toEqual(alarmFrame(alarmOf(1, 10)));
  for (const client of clients) expect(client.written[0]).toBe(first);
});

test("all alarms of a scan cost a client one write, one frame each", () => {
  const client = receiver();
  const alarms = [alarmOf(1, 10), alarmOf(2, 11), alarmOf(3, 12)];
  channelTo([client]).tell(alarms);
  expect(client.written).toEqual([Buffer.concat(alarms.map(alarmFrame))]);
});

test("each client gets the alarms of its own list and rights, whatever it asked for", () => {
  const all = receiver();
  const some = receiver(aRecipient({ monitors: new Set([mid(2), mid(3)]) }));
  const guest = receiver(aRecipient({ monitors: "all", rights: new Set([mid(3)]) }));
  const nobody = receiver(aRecipient({ monitors: new Set([mid(1)]), rights: new Set([mid(3)]) }));
  const alarms = [alarmOf(1, 10), alarmOf(2, 11), alarmOf(3, 12)];
  const [one, two, three] = alarms.map(alarmFrame) as [Buffer, Buffer, Buffer];
  channelTo([all, some, guest, nobody]).tell(alarms);
  expect(all.written).toEqual([Buffer.concat([one, two, three])]);
  expect(some.written).toEqual([Buffer.concat([two, three])]);
  expect(guest.written).toEqual([three]);
  expect(nobody.written).toEqual([]);
});

test("an interval holds back the next alarm of its monitor and of no other", () => {
  const client = receiver(
    aRecipient({ monitors: new Set([mid(1), mid(2)]), intervals: new Map([[mid(1), 60]]) }),
  );
  const channel = channelTo([client]);
  channel.tell([alarmOf(1, 10), alarmOf(2, 11)]);
  at.now += 59_999;
  channel.tell([alarmOf(1, 12), alarmOf(2, 13)]);
  at.now += 1;
  channel.tell([alarmOf(1, 14)]);
  expect(client.written.slice(1)).toEqual([alarmFrame(alarmOf(2, 13)), alarmFrame(alarmOf(1, 14))]);
});

test("a client that is closing is passed over", () => {
  const client = receiver();
  client.isOpen = false;
  channelTo([client]).tell([alarmOf(1, 10)]);
  expect(client.written).toEqual([]);
});

test("a client that fails in a way nobody foresaw costs the others nothing, then or later", () => {
  const bad = receiver(aRecipient(), () => {
    throw new Error("a fault of ours");
  });
  const [before, after] = [receiver(), receiver()];
  const log: Record<string, unknown>[] = [];
  const channel = channelTo([before, bad, after], log);
  channel.tell([alarmOf(1, 10)]);
  channel.tell([alarmOf(1, 11)]);
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
  channelTo(clients).tell([alarmOf(1, 10)]);
  const atOnce = told();
  expect(atOnce).toBeGreaterThan(0);
  expect(atOnce).toBeLessThan(100);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told()).toBeLessThan(100);
  await vi.waitFor(() => expect(told()).toBe(100));
});

test("alarms that come while slices run keep their order for every client", async () => {
  const clients = expensive(100);
  const channel = channelTo(clients);
  channel.tell([alarmOf(1, 10)]);
  channel.tell([alarmOf(1, 11)]);
  channel.tell([alarmOf(2, 12), alarmOf(1, 13)]);
  const expected = Buffer.concat([10, 11].map((event) => alarmFrame(alarmOf(1, event))));
  const rest = Buffer.concat([alarmFrame(alarmOf(2, 12)), alarmFrame(alarmOf(1, 13))]);
  await vi.waitFor(() => {
    for (const client of clients)
      expect(Buffer.concat(client.written)).toEqual(Buffer.concat([expected, rest]));
  });
});

test("a client that closes between slices is passed over, one that comes is told of the next alarm", async () => {
  const clients = expensive(100);
  const live: FakeReceiver[] = [...clients];
  const sessions = { receivers: () => [...live] };
  const channel = createWebSocketChannel({ sessions, clock, logger: recordingLogger([]) });
  channel.tell([alarmOf(1, 10)]);
  const [late] = expensive(1);
  const gone = clients[99];
  if (late === undefined || gone === undefined) throw new Error("no clients");
  live.push(late);
  gone.isOpen = false;
  channel.tell([alarmOf(1, 11)]);
  await vi.waitFor(() => expect(late.written).toEqual([alarmFrame(alarmOf(1, 11))]));
  expect(gone.written).toEqual([]);
});

test("the log says how many were told and why others were not", () => {
  const log: Record<string, unknown>[] = [];
  const refused = receiver(aRecipient({ rights: new Set() }));
  channelTo([receiver(), refused], log).tell([alarmOf(1, 10)]);
  expect(log).toMatchObject([
    { msg: "Broadcasting new events to all 2 websocket clients", told: 1, "not-permitted": 1 },
  ]);
});
