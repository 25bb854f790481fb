import { afterEach, beforeEach, expect, test } from "vitest";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import type { NoticeId } from "../../src/domain/notice.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { isPrivateAddress } from "../../src/server/private-address.ts";
import { aMonitor, anAlarm, briefed, eid, mid } from "../support/builders.ts";
import { createPhones, type Phones } from "../support/device-files.ts";
import { eventually } from "../support/eventually.ts";
import {
  knownUsers,
  loginMessage,
  recordingLogger,
  startServer,
  type TestServer,
} from "../support/server.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";

const TOKEN = "dXy:APA91b-example";
const users = knownUsers({ admin: "secret", guest: "guest" });

let phones: Phones;
let server: TestServer;
beforeEach(() => {
  phones = createPhones();
});
afterEach(async () => {
  await server.stop();
  await phones.remove();
});

async function start(change: Parameters<typeof startServer>[0] = {}): Promise<void> {
  await phones.start();
  server = await startServer({ logins: users, registry: phones.devices, ...change });
}

async function loggedIn(
  user = "admin",
  data: Record<string, unknown> = {},
  beside = {},
): Promise<TestClient> {
  const client = await connectClient(server.url);
  client.send({ ...loginMessage(user, user === "admin" ? "secret" : "guest", data), ...beside });
  expect(await client.next()).toMatchObject({ event: "auth", status: "Success" });
  return client;
}

const tokenMessage = (data: Record<string, unknown> = {}) => ({
  event: "push",
  data: { type: "token", token: TOKEN, platform: "android", state: "enabled", ...data },
});
const badgeMessage = (badge: unknown, token?: string) => ({
  event: "push",
  ...(token !== undefined && { token }),
  data: { type: "badge", badge },
});

/** Everything sent before is carried out, and was not answered. */
async function silently(client: TestClient): Promise<void> {
  client.send({ event: "control", data: { type: "version" } });
  expect(await client.next()).toMatchObject({ event: "control", type: "version" });
}

const device = (token = TOKEN) => phones.devices.all().find((one) => one.token === token);

function tell(monitor: number, event = 5060): void {
  const alarm = anAlarm({ monitor: aMonitor({ id: mid(monitor) }), eventId: eid(event) });
  createWebSocketChannel({
    sessions: server.server.sessions,
    clock: systemClock,
    logger: recordingLogger([]),
  }).tell(briefed([alarm]));
}

test("a token is registered without a reply, for the user who is logged in", async () => {
  await start();
  const client = await loggedIn("guest", { appversion: "1.1.14" });
  client.send(tokenMessage({ monlist: "2,4", intlist: "0,60", profile: "Home" }));
  await silently(client);
  expect(device()).toMatchObject({
    owner: "guest",
    platform: "android",
    monlist: "2,4",
    intlist: "0,60",
    appVersion: "1.1.14",
    profile: "Home",
    app: "zmninja-ng",
  });
});

test.each([
  ["an empty token", { token: "" }],
  ["no token", { token: undefined }],
  ["another type", { type: "colour" }],
])("%s is ignored without a reply", async (_name, data) => {
  await start();
  const client = await loggedIn();
  client.send(tokenMessage(data));
  await silently(client);
  expect(phones.devices.all()).toEqual([]);
});

test("a token without platform is refused with MISSINGPLATFORM", async () => {
  await start();
  const client = await loggedIn();
  client.send(tokenMessage({ platform: undefined }));
  expect(await client.next()).toEqual({
    event: "push",
    type: "token",
    status: "Fail",
    reason: "MISSINGPLATFORM",
  });
  expect(phones.devices.all()).toEqual([]);
});

test("with push switched off every push message is answered with PUSHDISABLED", async () => {
  await start({ registry: null });
  const client = await loggedIn();
  for (const message of [tokenMessage(), badgeMessage(0)]) {
    client.send(message);
    expect(await client.next()).toEqual({ event: "push", type: "", status: "Fail", reason: "PUSHDISABLED" });
  }
});

test("before the login nothing is registered, and nothing is answered", async () => {
  await start();
  const client = await connectClient(server.url);
  client.send(tokenMessage());
  client.send(badgeMessage(0, TOKEN));
  await silently(client);
  expect(phones.devices.all()).toEqual([]);
});

test("messages sent right behind the login are carried out after it, in order", async () => {
  await start();
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  client.send({ event: "control", data: { type: "filter", monlist: "3", intlist: "9" } });
  client.send(tokenMessage());
  expect(await client.next()).toMatchObject({ status: "Success" });
  await silently(client);
  expect(device()).toMatchObject({ owner: "admin", monlist: "3", intlist: "9" });
});

test("the phone stays when its connection ends, with or without a close frame", async () => {
  await start();
  const client = await loggedIn();
  client.send(tokenMessage());
  await silently(client);
  client.ws.terminate();
  await eventually(() => expect(server.server.sessions.counts().total).toBe(0));
  expect(phones.devices.recipients()).toHaveLength(1);
});

test.each([
  ["no lists", {}],
  ["empty lists", { monlist: "", intlist: "" }],
  ["-1", { monlist: "-1", intlist: "-1" }],
])(
  "a phone that comes back with %s keeps its stored lists, and so does its connection",
  async (_name, lists) => {
    await start();
    const first = await loggedIn();
    first.send(tokenMessage({ monlist: "2,4", intlist: "0,60" }));
    await silently(first);
    first.close();
    const second = await loggedIn("admin", { monlist: "", intlist: "" });
    second.send(tokenMessage(lists));
    await silently(second);
    expect(device()).toMatchObject({ monlist: "2,4", intlist: "0,60" });
    tell(1, 1);
    tell(2, 2);
    expect(await second.next()).toMatchObject({ events: [{ MonitorId: "2" }] });
  },
);

test("zmNinjaNg, which always sends its lists whole, lifts its filter with empty ones", async () => {
  await start();
  const client = await loggedIn();
  client.send(tokenMessage({ monlist: "2", intlist: "0", profile: "Home" }));
  await silently(client);
  const again = await loggedIn();
  again.send(tokenMessage({ monlist: "", intlist: "", profile: "Home" }));
  await silently(again);
  expect(device()?.filter.monitors).toBe("all");
});

test("lists set on the connection before its token hold for the phone", async () => {
  await start();
  const client = await loggedIn("admin", { monlist: "5", intlist: "10" }, { token: TOKEN });
  client.send(tokenMessage());
  await silently(client);
  expect(device()).toMatchObject({ monlist: "5", intlist: "10", app: "zmninja" });
});

test("a filter holds for the connection and for its phone", async () => {
  await start();
  const client = await loggedIn();
  client.send(tokenMessage({ monlist: "2", intlist: "" }));
  client.send({ event: "control", data: { type: "filter", monlist: "7", intlist: "30" } });
  await silently(client);
  expect(device()).toMatchObject({ monlist: "7", intlist: "30" });
  client.send({ event: "control", data: { type: "filter", monlist: "", intlist: "" } });
  await silently(client);
  expect(device()?.filter.monitors).toBe("all");
});

test("the copy for a connection whose phone gets push says so with the text true, others do not", async () => {
  await start();
  const phone = await loggedIn();
  const browser = await loggedIn();
  phone.send(tokenMessage());
  await silently(phone);
  tell(1);
  expect(await phone.next()).toMatchObject({ event: "alarm", status: "Success", supplementary: "true" });
  expect(await browser.next()).not.toHaveProperty("supplementary");
});

test("a phone that switched push off is told over its open connection, plainly", async () => {
  await start();
  const phone = await loggedIn();
  phone.send(tokenMessage());
  phone.send(tokenMessage({ state: "disabled" }));
  await silently(phone);
  tell(1);
  const message = await phone.next();
  expect(message).toMatchObject({ event: "alarm" });
  expect(message).not.toHaveProperty("supplementary");
  expect(phones.devices.recipients()).toEqual([]);
});

test("a token that registers on a second connection moves there", async () => {
  await start();
  const [old, fresh] = [await loggedIn(), await loggedIn()];
  old.send(tokenMessage());
  await silently(old);
  fresh.send(tokenMessage());
  await silently(fresh);
  tell(1);
  expect(await old.next()).not.toHaveProperty("supplementary");
  expect(await fresh.next()).toMatchObject({ supplementary: "true" });
  expect(phones.devices.all()).toHaveLength(1);
});

test("a forgotten phone's connection gets plain messages again", async () => {
  await start();
  const phone = await loggedIn();
  phone.send(tokenMessage());
  await silently(phone);
  const id = device()?.id;
  if (id !== undefined) phones.devices.forget(id, "unregistered");
  tell(1);
  expect(await phone.next()).not.toHaveProperty("supplementary");
});

test("switching push off takes effect although the connection closes right behind it", async () => {
  await start();
  const first = await loggedIn();
  first.send(tokenMessage());
  await silently(first);
  const temporary = await loggedIn();
  const sentAt = performance.now();
  temporary.send({
    event: "push",
    data: { type: "token", token: TOKEN, platform: "android", state: "disabled" },
  });
  temporary.close();
  await eventually(() => expect(phones.devices.recipients()).toEqual([]), 2);
  expect(performance.now() - sentAt).toBeLessThan(1_500);
  await eventually(() => expect(phones.tokens()[TOKEN]).toMatchObject({ pushstate: "disabled" }));
});

test.each([[0], ["0"]])("a badge of %j is set for the phone of the connection", async (badge) => {
  await start();
  const client = await loggedIn();
  client.send(tokenMessage());
  await silently(client);
  const id = device()?.id;
  if (id !== undefined) phones.devices.takeBadge(id, "a" as NoticeId);
  expect(device()?.badge).toBe(1);
  client.send(badgeMessage(badge));
  await silently(client);
  expect(device()?.badge).toBe(0);
});

test("a badge beside a token sets that phone's, if it belongs to the same user", async () => {
  await start();
  const phone = await loggedIn();
  phone.send(tokenMessage());
  phone.send(badgeMessage(7));
  await silently(phone);
  const guest = await loggedIn("guest");
  guest.send(badgeMessage(0, TOKEN));
  await silently(guest);
  expect(device()?.badge).toBe(7);
  const other = await loggedIn();
  other.send(badgeMessage(0, TOKEN));
  await silently(other);
  expect(device()?.badge).toBe(0);
});

test("logging in as somebody else on the same connection makes the phone theirs at once", async () => {
  await start();
  users.rights.set("guest", new Set([mid(2)]));
  phones.rights.set("guest", new Set([mid(2)]));
  const client = await loggedIn();
  client.send(tokenMessage());
  await silently(client);
  client.send(loginMessage("guest", "guest"));
  expect(await client.next()).toMatchObject({ status: "Success" });
  expect(device()?.owner).toBe("guest");
  expect(phones.devices.recipients()[0]?.preferences.rights).toEqual(new Set([2]));
  users.rights.set("guest", "all");
});

test("where nobody logs in, phones register from private addresses only", async () => {
  const behindProxy = { network: { trusted_proxies: ["127.0.0.1"] }, auth: { enable: false } };
  await start(behindProxy);
  const near = await connectClient(server.url);
  const far = await connectClient(server.url, { headers: { "X-Forwarded-For": "203.0.113.9" } });
  for (const client of [near, far]) {
    client.send(loginMessage("", ""));
    expect(await client.next()).toMatchObject({ status: "Success" });
  }
  far.send(tokenMessage({ token: "far" }));
  expect(await far.next()).toMatchObject({ event: "push", reason: "PUSHDISABLED" });
  near.send(tokenMessage({ token: "near" }));
  await silently(near);
  expect(phones.devices.all().map(({ token }) => token)).toEqual(["near"]);
});

test("a key lets phones register from anywhere where nobody logs in", async () => {
  await start({
    network: { trusted_proxies: ["127.0.0.1"] },
    auth: { enable: false },
    devices: { allow_public_registration: true },
  });
  const far = await connectClient(server.url, { headers: { "X-Forwarded-For": "203.0.113.9" } });
  far.send(loginMessage("", ""));
  expect(await far.next()).toMatchObject({ status: "Success" });
  far.send(tokenMessage());
  await silently(far);
  expect(device()).toBeDefined();
});

test.each([
  ["127.0.0.1", true],
  ["192.168.1.9", true],
  ["172.32.0.1", false],
  ["8.8.8.8", false],
  ["::1", true],
  ["fe80::1%eth0", true],
  ["fd12::1", true],
  ["2001:db8::1", false],
  ["unknown", false],
])("%s is a private address: %s", (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected);
});
