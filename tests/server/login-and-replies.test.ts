import { afterEach, expect, test } from "vitest";
import { mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { knownUsers, loginMessage, startServer, type TestServer } from "../support/server.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";

let server: TestServer;
afterEach(() => server.stop());

async function loggedIn(target = server): Promise<TestClient> {
  const client = await connectClient(target.url);
  client.send(loginMessage("admin", "secret"));
  await client.next();
  return client;
}

const NOT_SUPPORTED = { type: "", status: "Fail", reason: "NOTSUPPORTED" };
const BAD_JSON = { event: "malformed", type: "", status: "Fail", reason: "BADJSON" };
const VERSION_REPLY = {
  event: "control",
  type: "version",
  status: "Success",
  reason: "",
  version: "8.0.0",
};

test("a right password is answered with Success and the version, and nothing comes before that", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toEqual({
    event: "auth",
    type: "",
    status: "Success",
    reason: "",
    version: "8.0.0",
  });
  expect(client.frames).toHaveLength(1);
});

test("a wrong password is answered with BADAUTH before the connection closes", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "wrong"));
  expect(await client.next()).toEqual({ event: "auth", type: "", status: "Fail", reason: "BADAUTH" });
  expect((await client.closed).code).toBe(1000);
});

test("a client that never logs in gets NOAUTH and is closed after auth.timeout", async () => {
  server = await startServer({ auth: { timeout: 0.1 } });
  const client = await connectClient(server.url);
  expect(await client.next()).toEqual({ event: "auth", type: "", status: "Fail", reason: "NOAUTH" });
  expect((await client.closed).code).toBe(1000);
});

test("a login that takes longer than auth.timeout is not cut off by NOAUTH", async () => {
  const users = knownUsers({ admin: "secret" });
  const gate = Promise.withResolvers<void>();
  const slow = { ...users, login: (attempt: never) => gate.promise.then(() => users.login(attempt)) };
  server = await startServer({ auth: { timeout: 0.1 }, logins: slow });
  const waiting = await connectClient(server.url);
  waiting.send(loginMessage("admin", "secret"));
  const silent = await connectClient(server.url);
  expect(await silent.next()).toMatchObject({ reason: "NOAUTH" });
  gate.resolve();
  expect(await waiting.next()).toMatchObject({ status: "Success" });
});

test.each(["unavailable", "busy"] as const)(
  "a login that is %s closes with 1013 and without an auth reply, so that no client takes it as final",
  async (outcome) => {
    server = await startServer({ logins: { ...knownUsers({}), login: async () => ({ outcome }) } });
    const client = await connectClient(server.url);
    client.send(loginMessage("admin", "secret"));
    expect((await client.closed).code).toBe(1013);
    expect(client.frames).toEqual([]);
  },
);

test("a login provider that throws closes with 1013 and stops nothing else", async () => {
  server = await startServer({
    logins: { ...knownUsers({}), login: () => Promise.reject(new Error("odd row")) },
  });
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  expect((await client.closed).code).toBe(1013);
  const other = await connectClient(server.url);
  other.send({ event: "control", data: { type: "version" } });
  expect(await other.next()).toEqual(VERSION_REPLY);
});

test("empty user and password are let in when logins are off, with a warning at the start", async () => {
  server = await startServer({ auth: { enable: false } });
  const client = await connectClient(server.url);
  client.send(loginMessage("", ""));
  expect(await client.next()).toMatchObject({ status: "Success" });
  expect(server.messages().some((line) => line.startsWith("Logins are not checked"))).toBe(true);
});

test("messages pipelined behind a slow login are answered after it, in their order", async () => {
  const users = knownUsers({ admin: "secret" });
  const gate = Promise.withResolvers<void>();
  server = await startServer({
    logins: { ...users, login: (attempt) => gate.promise.then(() => users.login(attempt)) },
  });
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret"));
  client.send({ event: "control", data: { type: "filter", monlist: "2", intlist: "0" } });
  client.send({ event: "control", data: { type: "version" } });
  client.send({ event: "nonsense" });
  await client.ws.ping();
  gate.resolve();
  expect(await client.next()).toMatchObject({ event: "auth", status: "Success" });
  expect(await client.next()).toEqual(VERSION_REPLY);
  expect(await client.next()).toEqual({ event: "nonsense", ...NOT_SUPPORTED });
  expect(server.server.sessions.receivers()[0]?.recipient.monitors).toEqual(new Set([2]));
});

test("the version is answered before a login as well", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  client.send({ event: "control", data: { type: "version" } });
  expect(await client.next()).toEqual(VERSION_REPLY);
});

const MONITORS = { event: "control", data: { type: "monitors" } };
const garageAndDoor = () => [
  { id: mid(2), name: "Garage" },
  { id: mid(14), name: "Front door" },
];

test("the monitors are told to whoever may see them, and no others", async () => {
  const users = knownUsers({ admin: "secret", ann: "secret" });
  users.rights.set("ann", new Set([mid(14)]));
  server = await startServer({ logins: users, watched: garageAndDoor });
  const head = { event: "control", type: "monitors", status: "Success", reason: "" };
  const door = { MonitorId: "14", Name: "Front door" };
  const admin = await loggedIn();
  admin.send(MONITORS);
  expect(await admin.next()).toEqual({ ...head, monitors: [{ MonitorId: "2", Name: "Garage" }, door] });
  const ann = await connectClient(server.url);
  ann.send(loginMessage("ann", "secret"));
  ann.send(MONITORS);
  await ann.next();
  expect(await ann.next()).toEqual({ ...head, monitors: [door] });
});

test("the monitors are told to nobody before the login", async () => {
  server = await startServer({ watched: garageAndDoor });
  const client = await connectClient(server.url);
  client.send(MONITORS);
  expect(await client.next()).toEqual({
    event: "control",
    type: "monitors",
    status: "Fail",
    reason: "NOAUTH",
  });
});

test("a server that has not read ZoneMinder's list yet says so instead of naming no monitors", async () => {
  server = await startServer({ watched: () => null });
  const client = await loggedIn();
  client.send(MONITORS);
  expect(await client.next()).toMatchObject({ type: "monitors", status: "Fail", reason: "NOTKNOWN" });
});

test("a good filter is not answered, an incomplete one says what is missing", async () => {
  server = await startServer();
  const client = await loggedIn();
  client.send({ event: "control", data: { type: "filter", monlist: "1,2", intlist: "0,60" } });
  client.send({ event: "control", data: { type: "filter", intlist: "0" } });
  client.send({ event: "control", data: { type: "filter", monlist: "" } });
  const fail = { event: "control", type: "filter", status: "Fail" };
  expect(await client.next()).toEqual({ ...fail, reason: "MISSINGMONITORLIST" });
  expect(await client.next()).toEqual({ ...fail, reason: "MISSINGINTERVALLIST" });
});

test("a filter sent before the login changes nothing and is not answered", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  client.send({ event: "control", data: { type: "filter", monlist: "7", intlist: "0" } });
  client.send({ event: "control", data: { type: "filter" } });
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toMatchObject({ event: "auth", status: "Success" });
  expect(server.server.sessions.receivers()[0]?.recipient.monitors).toBe("all");
});

test("push is answered with PUSHDISABLED, never APNSDISABLED, before and after the login", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  const push = { event: "push", data: { type: "token", platform: "ios", token: "abc", state: "enabled" } };
  const disabled = { event: "push", type: "", status: "Fail", reason: "PUSHDISABLED" };
  client.send(push);
  expect(await client.next()).toEqual(disabled);
  client.send(loginMessage("admin", "secret"));
  await client.next();
  client.send({ event: "push", data: { type: "badge", badge: 0 } });
  expect(await client.next()).toEqual(disabled);
});

test("escontrol is answered with ESCONTROLDISABLED, its login is closed after the reply", async () => {
  server = await startServer();
  const client = await loggedIn();
  client.send({ event: "escontrol", data: { command: "get" } });
  const disabled = { type: "", status: "Fail", reason: "ESCONTROLDISABLED" };
  expect(await client.next()).toEqual({ event: "escontrol", ...disabled });
  const admin = await connectClient(server.url);
  admin.send({ event: "auth", category: "escontrol", data: { password: "secret" } });
  expect(await admin.next()).toEqual({ event: "auth", ...disabled });
  expect((await admin.closed).code).toBe(1000);
});

test("an unknown event is echoed with NOTSUPPORTED and the connection stays", async () => {
  server = await startServer();
  const client = await loggedIn();
  for (const event of ["filter", 5, null, true]) {
    client.send({ event });
    expect(await client.next()).toEqual({ event, ...NOT_SUPPORTED });
  }
  client.send({});
  expect(await client.next()).toEqual({ event: null, ...NOT_SUPPORTED });
  client.sendText("null");
  expect(await client.next()).toEqual({ event: null, ...NOT_SUPPORTED });
});

test("an unknown data.type is ignored without a reply", async () => {
  server = await startServer();
  const client = await loggedIn();
  client.send({ event: "control", data: { type: "dance" } });
  client.send({ event: "control", data: { type: "version" } });
  expect(await client.next()).toEqual(VERSION_REPLY);
});

const oddMessages = [
  ["a bare array", "[1]"],
  ["a bare string", '"Hi From ES"'],
  ["a bare number", "5"],
  ["text that is not JSON", "{'event':'auth'}"],
  ["30,000 open brackets", "[".repeat(30_000)],
  ["30,000 nested arrays", "[".repeat(30_000) + "]".repeat(30_000)],
] as const;
test.each(oddMessages)(
  "%s before login does not stop the server and is answered with BADJSON",
  async (_name, text) => {
    server = await startServer();
    const client = await connectClient(server.url);
    client.sendText(text);
    expect(await client.next()).toEqual(BAD_JSON);
    client.send(loginMessage("admin", "secret"));
    expect(await client.next()).toMatchObject({ status: "Success" });
  },
);

test.each([["text"], [[]], [null], [5], [{ user: { $ne: 1 }, password: [] }]])(
  "a login whose data is %j is a failed login, nothing worse",
  async (data) => {
    server = await startServer();
    const client = await connectClient(server.url);
    client.send({ event: "auth", data });
    expect(await client.next()).toMatchObject({ reason: "BADAUTH" });
  },
);

test("a password of wide characters, raw or escaped, arrives as it was typed", async () => {
  const users = knownUsers({ jürgen: "pässwört→€" });
  server = await startServer({ logins: users });
  const raw = await connectClient(server.url);
  raw.send(loginMessage("jürgen", "pässwört→€"));
  expect(await raw.next()).toMatchObject({ status: "Success" });
  const escaped = await connectClient(server.url);
  escaped.sendText(
    '{"event":"auth","data":{"user":"j\\u00fcrgen","password":"p\\u00e4ssw\\u00f6rt\\u2192\\u20ac"}}',
  );
  expect(await escaped.next()).toMatchObject({ status: "Success" });
});

test("a numeric password is read as its digits", async () => {
  server = await startServer({ logins: knownUsers({ admin: "1234" }) });
  const client = await connectClient(server.url);
  client.sendText('{"event":"auth","data":{"user":"admin","password":1234}}');
  expect(await client.next()).toMatchObject({ status: "Success" });
});

test("binary frames are ignored", async () => {
  server = await startServer();
  const client = await loggedIn();
  client.ws.send(Buffer.from(JSON.stringify({ event: "control", data: { type: "version" } })));
  client.send({ event: "nonsense" });
  expect(await client.next()).toMatchObject({ event: "nonsense" });
});

test("the server answers pings of clients", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  const pong = new Promise<string>((resolve) => client.ws.once("pong", (data) => resolve(data.toString())));
  client.ws.ping("are you there");
  expect(await pong).toBe("are you there");
});

test("logging in again keeps the filter unless the message carries one, and swaps user and rights", async () => {
  const users = knownUsers({ admin: "secret", guest: "guest" });
  users.rights.set("guest", new Set([3 as never]));
  server = await startServer({ logins: users });
  const client = await connectClient(server.url);
  client.send(loginMessage("admin", "secret", { monlist: "1,3", intlist: "0,60" }));
  await client.next();
  client.send(loginMessage("guest", "guest", { monlist: "", intlist: "" }));
  await client.next();
  const again = server.server.sessions.receivers()[0]?.recipient;
  expect(again?.monitors).toEqual(new Set([1, 3]));
  expect(again?.rights).toEqual(new Set([3]));
  client.send(loginMessage("guest", "guest", { monlist: "5", intlist: "0" }));
  await client.next();
  expect(server.server.sessions.receivers()[0]?.recipient.monitors).toEqual(new Set([5]));
  expect(server.server.sessions.counts()).toEqual({ total: 1, loggedIn: 1 });
});

test("the log keeps the phrases people look for, and no password or token", async () => {
  server = await startServer();
  const client = await connectClient(server.url);
  client.sendText('{"event" : "push", "data": { "token" : "tok-12345", "pass\\u0077ord" : "hidden-1" } }');
  client.sendText("password=hidden-2");
  client.send(loginMessage("admin", "secret"));
  client.send(loginMessage("admin", "hidden-3"));
  await client.closed;
  const text = server.messages().join("\n");
  expect(text).toContain("got a websocket connection from 127.0.0.1 (1) active connections");
  expect(text).toContain("Correct authentication provided by 127.0.0.1");
  expect(text).toContain("Bad authentication provided by 127.0.0.1");
  expect(text).toContain('Raw incoming message: {"event":"auth","data":{"user":"admin","password":"***"}}');
  expect(text).not.toMatch(/tok-12345|hidden|secret/);
});

test("the number of listeners is told when somebody logs in and when they leave", async () => {
  server = await startServer();
  const counts: number[] = [];
  server.server.sessions.onListenersChange((count) => counts.push(count));
  const client = await loggedIn();
  client.close();
  await client.closed;
  await eventually(() => expect(counts).toEqual([1, 0]));
});
