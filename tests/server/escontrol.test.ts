/** The control interface over real sockets, with a panel that only notes what it is told. */
import { afterEach, describe, expect, test } from "vitest";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { ControlPanel, EditOutcome } from "../../src/server/control-panel.ts";
import { aMonitor, anAlarm, briefed, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { loginMessage, recordingLogger, startServer, type TestServer } from "../support/server.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";

let server: TestServer;
afterEach(() => server.stop());

const general = { use_escontrol_interface: true, escontrol_interface_password: "open sesame" };
const auth = (password: unknown) => ({ event: "auth", category: "escontrol", data: { password } });
const command = (data: Record<string, unknown>) => ({ event: "escontrol", data });
const SUCCESS = { event: "escontrol", type: "", status: "Success", reason: "" };

interface Notes extends ControlPanel {
  readonly calls: unknown[];
  outcome: EditOutcome;
}

function createNotes(): Notes {
  const calls: unknown[] = [];
  const notes: Notes = {
    calls,
    outcome: { done: true },
    read: () => '{"notifications":{"1":0}}',
    order: async (...given) => void calls.push(given),
    edit: async (...given) => {
      calls.push(given);
      return notes.outcome;
    },
    reset: async () => void calls.push("reset"),
    restart: () => void calls.push("restart"),
  };
  return notes;
}

async function start(change: Parameters<typeof startServer>[0] = {}): Promise<Notes> {
  const panel = createNotes();
  server = await startServer({ general, panel, ...change });
  return panel;
}

async function admin(): Promise<TestClient> {
  const client = await connectClient(server.url);
  client.send(auth("open sesame"));
  const welcome = { event: "auth", type: "", status: "Success", reason: "", version: "8.0.0" };
  expect(await client.next()).toEqual(welcome);
  return client;
}

async function answer(client: TestClient, message: Record<string, unknown>) {
  client.send(message);
  return client.next();
}

describe("who may control", () => {
  test("nobody without the password, whatever it looks like", async () => {
    await start({ limits: { failed_logins_per_address: 100, failed_logins_per_user: 100 } });
    for (const password of ["", "open", "open sesame ", "OPEN SESAME", null, ["open sesame"], undefined]) {
      const client = await connectClient(server.url);
      const fail = { event: "auth", type: "", status: "Fail", reason: "BADAUTH" };
      expect(await answer(client, auth(password))).toEqual(fail);
      expect(await client.closed).toEqual({ code: 1000, reason: "BADAUTH" });
    }
  });

  test.each([null, ""])("nobody when the password is %j", async (unset) => {
    await start({ general: { ...general, escontrol_interface_password: unset } });
    for (const password of ["", undefined, null]) {
      const client = await connectClient(server.url);
      expect(await answer(client, auth(password))).toMatchObject({ reason: "BADAUTH" });
    }
  });

  test("nobody while the interface is off", async () => {
    await start({ general: { ...general, use_escontrol_interface: false } });
    const client = await connectClient(server.url);
    expect(await answer(client, auth("open sesame"))).toMatchObject({ reason: "ESCONTROLDISABLED" });
    expect((await client.closed).code).toBe(1000);
  });

  test("not the users of ZoneMinder, and the password opens nothing else", async () => {
    await start();
    const user = await connectClient(server.url);
    await answer(user, loginMessage("admin", "secret"));
    const refused = { event: "escontrol", type: "command", status: "Fail", reason: "NOTCONTROL" };
    expect(await answer(user, command({ command: "get" }))).toEqual(refused);
    const stranger = await connectClient(server.url);
    expect(await answer(stranger, command({ command: "get" }))).toEqual(refused);
    expect(await answer(stranger, loginMessage("", "open sesame"))).toMatchObject({ reason: "BADAUTH" });
  });

  test("failed passwords are limited like logins, without an answer", async () => {
    await start({ limits: { failed_logins_per_address: 2 } });
    for (let count = 0; count < 2; count++) {
      const client = await connectClient(server.url);
      expect(await answer(client, auth("guess"))).toMatchObject({ reason: "BADAUTH" });
    }
    const client = await connectClient(server.url);
    client.send(auth("open sesame"));
    expect((await client.closed).code).toBe(1013);
    expect(client.frames).toEqual([]);
  });

  test("logging in to control ends being told of alarms on that connection, and the other way round", async () => {
    await start();
    const client = await admin();
    expect(server.server.sessions.counts()).toEqual({ total: 1, loggedIn: 0 });
    await answer(client, loginMessage("admin", "secret"));
    expect(server.server.sessions.counts()).toEqual({ total: 1, loggedIn: 1 });
    expect(await answer(client, command({ command: "get" }))).toMatchObject({ reason: "NOTCONTROL" });
    await answer(client, auth("open sesame"));
    expect(server.server.sessions.counts()).toEqual({ total: 1, loggedIn: 0 });
    client.close();
    await eventually(() => expect(server.server.sessions.counts()).toEqual({ total: 0, loggedIn: 0 }));
  });
});

describe("a command", () => {
  test("is answered by one frame, and alarms never come between", async () => {
    await start();
    const { sessions } = server.server;
    const channel = createWebSocketChannel({ sessions, clock: systemClock, logger: recordingLogger([]) });
    const listener = await connectClient(server.url);
    await answer(listener, loginMessage("admin", "secret"));
    const client = await admin();
    for (let count = 0; count < 3; count++) {
      channel.tell(briefed([anAlarm({ monitor: aMonitor({ id: mid(1) }) })]));
      client.send(command({ command: "get" }));
      await listener.next();
      expect(await client.next()).toMatchObject({ event: "escontrol" });
    }
    expect(client.untaken()).toEqual([]);
  });

  test("get: the settings as JSON inside a string, with the request", async () => {
    await start();
    const request = { ...command({ command: "get", more: [1, "é"] }), category: "x" };
    const reply = await answer(await admin(), request);
    expect(reply).toEqual({ ...SUCCESS, request, response: '{"notifications":{"1":0}}' });
  });

  test("mute and unmute: all monitors or some, by number or text, for good or for minutes", async () => {
    const panel = await start();
    const client = await admin();
    const all = command({ command: "mute" });
    expect(await answer(client, all)).toEqual({ ...SUCCESS, request: all });
    const some = command({ command: "unmute", monitors: [2, "14"] });
    expect(await answer(client, some)).toEqual({ ...SUCCESS, request: some });
    await answer(client, command({ command: "mute", monitors: ["3"], minutes: 90 }));
    await answer(client, command({ command: "mute", monitors: [], minutes: "0.5" }));
    expect(panel.calls).toEqual([
      ["muted", null, null],
      ["forced", [2, 14], null],
      ["muted", [3], 90],
      ["muted", [], 0.5],
    ]);
  });

  test.each([
    { monitors: "3" },
    { monitors: [3, "Garage"] },
    { monitors: [0] },
    { monitors: {} },
    { minutes: 0 },
    { minutes: -5 },
    { minutes: "soon" },
    { minutes: 1e12 },
    { minutes: [5] },
  ])("mute with %j changes nothing, because nobody knows what is meant", async (wrong) => {
    const panel = await start();
    const reply = await answer(await admin(), command({ command: "mute", ...wrong }));
    expect(reply).toMatchObject({ event: "escontrol", type: "", status: "Fail", reason: "BADVALUE" });
    expect(panel.calls).toEqual([]);
  });

  test("edit: values as texts, and a refusal says why and what may have been meant", async () => {
    const panel = await start();
    const client = await admin();
    const request = command({ command: "edit", key: "customize.repeat_cooldown", val: 30 });
    expect(await answer(client, request)).toEqual({ ...SUCCESS, request });
    for (const val of [true, [1, "2"], "text"])
      await answer(client, command({ command: "edit", key: "k", val }));
    expect(panel.calls.slice(1)).toEqual([
      ["k", "yes"],
      ["k", "1,2"],
      ["k", "text"],
    ]);
    panel.outcome = {
      done: false,
      reason: "BADKEY",
      problem: "there are several",
      candidates: ["a.b", "c.b"],
    };
    const reply = await answer(client, command({ command: "edit", key: "b", val: "x" }));
    expect(reply).toMatchObject({
      type: "",
      status: "Fail",
      reason: "BADKEY",
      request: { event: "escontrol" },
    });
    const said = JSON.parse(String(reply.response));
    expect(said).toEqual({ problem: "there are several", candidates: ["a.b", "c.b"] });
    expect(await answer(client, command({ command: "edit", key: "b" }))).toMatchObject({
      reason: "BADVALUE",
    });
  });

  test.each(["reset", "restart"])("%s is answered as a command, then done", async (name) => {
    const panel = await start();
    const request = command({ command: name });
    expect(await answer(await admin(), request)).toEqual({ ...SUCCESS, type: "command", request });
    expect(panel.calls).toEqual([name]);
  });

  test("anything else is not supported, and a message without data has none", async () => {
    await start();
    const client = await admin();
    const failed = { event: "escontrol", type: "command", status: "Fail" };
    for (const name of ["explode", "", null, 5]) {
      const request = command({ command: name });
      expect(await answer(client, request)).toEqual({ ...failed, reason: "NOTSUPPORTED", request });
    }
    for (const data of [undefined, null, "get", [1]])
      expect(await answer(client, { event: "escontrol", data })).toEqual({ ...failed, reason: "NODATA" });
  });

  test("nested without end is answered as well", async () => {
    await start();
    const client = await admin();
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    client.sendText(`{"event": "escontrol", "data": {"command": "get", "x": ${deep}}}`);
    expect(await client.next()).toMatchObject({ event: "escontrol", status: "Success" });
  });

  test("several at once are answered in their order", async () => {
    await start();
    const client = await admin();
    for (const key of ["a", "b", "c", "d"]) client.send(command({ command: "edit", key, val: "1" }));
    for (const key of ["a", "b", "c", "d"])
      expect(await client.next()).toMatchObject({ request: { data: { key } } });
  });

  test("never puts a password or a value into the log", async () => {
    await start();
    const client = await admin();
    await answer(client, command({ command: "edit", key: "mqtt.password", val: "planted-value" }));
    await answer(client, command({ command: "edit", key: "planted-value in the wrong place", val: "x" }));
    await answer(client, command({ command: "mute", monitors: ["x"] }));
    const text = JSON.stringify(server.log);
    expect(text).toContain("escontrol: edit mqtt.password");
    expect(text).not.toContain("all monitors");
    expect(text).not.toMatch(/open sesame|planted-value"/);
  });
});
