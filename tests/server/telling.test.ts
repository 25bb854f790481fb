import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createWebSocketChannel, type WebSocketChannel } from "../../src/channels/websocket.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { aMonitor, anAlarm, briefed, eid, mid } from "../support/builders.ts";
import { makeCertificate, type TestCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import {
  knownUsers,
  loginMessage,
  recordingLogger,
  startServer,
  type TestServer,
} from "../support/server.ts";
import { connectClient } from "../support/ws-client.ts";

let certificate: TestCertificate;
let server: TestServer;
beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());
afterEach(() => server.stop());

const ssl = () => ({ enable: true, cert: certificate.cert, key: certificate.key });

function channelOf(target: TestServer): WebSocketChannel {
  const { sessions } = target.server;
  return createWebSocketChannel({ sessions, clock: systemClock, logger: recordingLogger([]) });
}

async function loggedIn(user = "admin", password = "secret", more: Record<string, unknown> = {}) {
  const client = await connectClient(server.url);
  client.send(loginMessage(user, password, more));
  expect(await client.next()).toMatchObject({ status: "Success" });
  return client;
}

const alarmOf = (monitor: number, event: number, name = "Garage"): Alarm =>
  anAlarm({ monitor: aMonitor({ id: mid(monitor), name }), eventId: eid(event) });

test.each([["ws"], ["wss"]])("over %s an alarm with a non-ASCII name arrives as it is", async (scheme) => {
  server = await startServer(scheme === "wss" ? { ssl: ssl() } : {});
  const client = await loggedIn();
  channelOf(server).tell(briefed([alarmOf(1, 5060, "Garáž → Hof €")]));
  const message = await client.next();
  expect(message).toMatchObject({ event: "alarm", status: "Success" });
  expect(message.events).toMatchObject([{ Name: "Garáž → Hof €", MonitorId: "1", EventId: "5060" }]);
});

test.each([["ws"], ["wss"]])(
  "over %s replies and 200 alarms of one scan arrive whole and in order",
  async (scheme) => {
    server = await startServer(scheme === "wss" ? { ssl: ssl() } : {});
    const client = await loggedIn();
    const channel = channelOf(server);
    channel.tell(briefed(Array.from({ length: 200 }, (_, index) => alarmOf(1, index + 1))));
    client.send({ event: "control", data: { type: "version" } });
    for (let event = 1; event <= 200; event++)
      expect((await client.next()).events).toMatchObject([{ EventId: String(event) }]);
    expect(await client.next()).toMatchObject({ event: "control" });
  },
);

test("a client that has not logged in is told nothing", async () => {
  server = await startServer();
  const pending = await connectClient(server.url);
  const listener = await loggedIn();
  channelOf(server).tell(briefed([alarmOf(1, 1)]));
  await listener.next();
  pending.send({ event: "control", data: { type: "version" } });
  expect(await pending.next()).toMatchObject({ event: "control" });
});

test("a client sees only the monitors its user may see, whatever its filter asks", async () => {
  const users = knownUsers({ guest: "guest" });
  users.rights.set("guest", new Set([mid(2)]));
  server = await startServer({ logins: users });
  const client = await loggedIn("guest", "guest", { monlist: "1,2,3", intlist: "0,0,0" });
  channelOf(server).tell(briefed([alarmOf(1, 1), alarmOf(2, 2), alarmOf(3, 3)]));
  expect((await client.next()).events).toMatchObject([{ MonitorId: "2" }]);
  client.send({ event: "control", data: { type: "version" } });
  expect(await client.next()).toMatchObject({ event: "control" });
});

test("rights that change in ZoneMinder reach clients that are connected", async () => {
  const users = knownUsers({ guest: "guest" });
  server = await startServer({ logins: users, zoneminder: { rights_reload_interval: 0.05 } });
  const client = await loggedIn("guest", "guest");
  users.rights.set("guest", new Set([mid(2)]));
  const receivers = () => server.server.sessions.receivers();
  await eventually(() => expect(receivers()[0]?.recipient.rights).toEqual(new Set([2])));
  channelOf(server).tell(briefed([alarmOf(1, 1), alarmOf(2, 2)]));
  expect((await client.next()).events).toMatchObject([{ MonitorId: "2" }]);
});

test("a user that is disabled or deleted loses the connection without a Fail reply", async () => {
  const users = knownUsers({ guest: "guest" });
  server = await startServer({ logins: users, zoneminder: { rights_reload_interval: 0.05 } });
  const client = await loggedIn("guest", "guest");
  users.rights.set("guest", null);
  expect((await client.closed).code).toBe(1008);
  expect(client.untaken()).toEqual([]);
});

test("an answer about rights that is older than a login does not undo it", async () => {
  const users = knownUsers({ admin: "secret" });
  const answer = Promise.withResolvers<ReadonlyMap<string, null>>();
  const asked: string[] = [];
  const rightsOf = (names: readonly string[]) => {
    asked.push(...names);
    return asked.length === 1 ? answer.promise : users.rightsOf(names);
  };
  server = await startServer({
    logins: { ...users, rightsOf },
    zoneminder: { rights_reload_interval: 0.02 },
  });
  await loggedIn();
  await eventually(() => expect(asked).toHaveLength(1));
  const later = await loggedIn();
  answer.resolve(new Map([["admin", null]]));
  await eventually(() => expect(asked.length).toBeGreaterThan(1));
  await eventually(() => expect(server.server.sessions.counts().loggedIn).toBe(1));
  later.send({ event: "control", data: { type: "version" } });
  expect(await later.next()).toMatchObject({ status: "Success" });
});

test("rights that cannot be read stay as they were, which is said once", async () => {
  const users = knownUsers({ guest: "guest" });
  users.rights.set("guest", new Set([mid(2)]));
  let asked = 0;
  let isAway = true;
  const rightsOf = async (names: readonly string[]) => {
    asked += 1;
    if (isAway) throw new Error("database away");
    return users.rightsOf(names);
  };
  server = await startServer({
    logins: { ...users, rightsOf },
    zoneminder: { rights_reload_interval: 0.02 },
  });
  await loggedIn("guest", "guest");
  await eventually(() => expect(asked).toBeGreaterThan(3));
  expect(server.server.sessions.receivers()[0]?.recipient.rights).toEqual(new Set([2]));
  isAway = false;
  await eventually(() => expect(server.messages()).toContain("The rights of users can be read again"));
  expect(server.messages().filter((line) => line.includes("database away"))).toHaveLength(1);
});

test.each([["ws"], ["wss"]])(
  "over %s a client that does not read is closed with 1013 and delays nobody",
  async (scheme) => {
    const options = { limits: { client_buffer_bytes: 50_000 } };
    server = await startServer(scheme === "wss" ? { ...options, ssl: ssl() } : options);
    const slow = await loggedIn();
    const quick = await loggedIn();
    slow.ws.pause();
    const channel = channelOf(server);
    const alarms = Array.from({ length: 2000 }, (_, index) => alarmOf(1, index + 1));
    let rounds = 0;
    while (server.server.sessions.receivers().every((one) => one.writable())) {
      channel.tell(briefed(alarms));
      rounds += 1;
      await eventually(() => expect(quick.frames).toHaveLength(1 + rounds * 2000));
    }
    await eventually(() => expect(server.server.sessions.counts()).toEqual({ total: 1, loggedIn: 1 }));
    expect(server.messages().join("\n")).toMatch(/client at 127.0.0.1 does not read/);
    slow.ws.resume();
    expect([1006, 1013]).toContain((await slow.closed).code);
    expect(quick.ws.readyState).toBe(quick.ws.OPEN);
  },
);

test("a client that asks without reading the answers is closed instead of filling the memory", async () => {
  server = await startServer({ limits: { client_buffer_bytes: 20_000 } });
  const socket = connect(server.port, "127.0.0.1");
  const client = await connectClient(server.url, { createConnection: () => socket });
  client.send(loginMessage("admin", "secret"));
  await client.next();
  client.ws.pause();
  const question = maskedText(JSON.stringify({ event: "x".repeat(100) }));
  const questions = Buffer.concat(Array.from({ length: 500 }, () => question));
  const ask = setInterval(() => socket.writableLength < 1_000_000 && socket.write(questions), 1);
  await vi.waitFor(() => expect(server.server.sessions.counts().total).toBe(0), { timeout: 15_000 });
  clearInterval(ask);
});

/** A text frame of a client, up to 125 bytes long, with a mask of zeros (RFC 6455, 5.2). */
function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

test("many sessions come and go without leaving anything behind", async () => {
  server = await startServer();
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => loggedIn()));
    channelOf(server).tell(briefed([alarmOf(1, 1)]));
    for (const client of clients) client.ws.terminate();
    await eventually(() => expect(server.server.sessions.counts()).toEqual({ total: 0, loggedIn: 0 }));
  }
});
