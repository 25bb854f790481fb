/** The whole program, controlled over its socket and by its file, while clients are connected. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type ControlledProgram, PASSWORD, startControlled } from "../support/controlled-program.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { startRelay } from "../support/relay.ts";
import type { TestClient } from "../support/ws-client.ts";

async function order(client: TestClient, data: Record<string, unknown>): Promise<Record<string, unknown>> {
  client.send({ event: "escontrol", data });
  return client.next();
}

async function settings(client: TestClient): Promise<{
  readonly notifications: Record<string, number>;
  readonly until: Record<string, string>;
  readonly overrides: Record<string, string>;
  readonly settings: Record<string, Record<string, unknown>>;
  readonly waiting: readonly string[];
}> {
  return JSON.parse(String((await order(client, { command: "get" })).response));
}

function says(program: ControlledProgram, words: string | RegExp): Promise<void> {
  return eventually(() => expect(program.output()).toMatch(words));
}

const SECRETS = /planted-(control|broker|database)-word/;

describe("escontrol", () => {
  it("mutes and forces monitors, and knows it after a kill", async () => {
    const program = await startControlled();
    const admin = await program.control();
    expect((await settings(admin)).notifications).toEqual({ 1: 0 });
    await order(admin, { command: "mute" });
    await order(admin, { command: "unmute", monitors: ["7"], minutes: 60 });
    program.signal("SIGKILL");
    await program.gone();
    await program.again();
    const again = await settings(await program.control());
    expect(again.notifications).toEqual({ 1: -1, 7: 1 });
    expect(Date.parse(again.until[7] ?? "")).toBeGreaterThan(Date.now() + 3_500_000);
    expect(statSync(join(program.folder, "data/escontrol.json")).mode & 0o777).toBe(0o600);
  });

  it("edits a setting at once, without dropping a client, and keeps it over a restart", async () => {
    const program = await startControlled();
    const admin = await program.control();
    const client = await program.listen();
    const edit = { command: "edit", key: "queued_messages", val: "3" };
    const request = { event: "escontrol", data: edit };
    expect(await order(admin, edit)).toEqual({
      event: "escontrol",
      type: "",
      status: "Success",
      reason: "",
      request,
    });
    expect((await settings(admin)).settings.limits?.queued_messages).toBe(3);
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    program.signal("SIGTERM");
    expect(await program.gone()).toBe(0);
    await program.again();
    const after = await program.control();
    const kept = await settings(after);
    expect(kept.overrides).toEqual({ "limits.queued_messages": "3" });
    expect(kept.settings.limits?.queued_messages).toBe(3);
    expect(await order(after, { command: "reset" })).toMatchObject({ type: "command", status: "Success" });
    const reset = await settings(after);
    expect([reset.overrides, reset.settings.limits?.queued_messages]).toEqual([{}, 64]);
  });

  it("leaves out a monitor as soon as skip_monitors names it", async () => {
    const program = await startControlled();
    const admin = await program.control();
    const client = await program.listen();
    program.camera.beginAlarm({ eventId: 1, cause: "Motion" });
    expect(await client.next()).toMatchObject({ event: "alarm" });
    program.camera.endAlarm();
    await order(admin, { command: "edit", key: "skip_monitors", val: [1] });
    await says(program, /0 to watch/);
    program.camera.beginAlarm({ eventId: 2, cause: "Motion" });
    program.camera.endAlarm();
    await order(admin, { command: "edit", key: "skip_monitors", val: "" });
    await says(program, /1 to watch[\s\S]*0 to watch[\s\S]*1 to watch/);
    program.camera.beginAlarm({ eventId: 3, cause: "Motion" });
    expect(await client.next()).toMatchObject({ events: [{ EventId: "3" }] });
  });

  it("names what waits for a restart, and takes it up with one", async () => {
    const program = await startControlled();
    const admin = await program.control();
    const port = await freePort();
    expect(await order(admin, { command: "edit", key: "port", val: port })).toMatchObject({
      status: "Success",
    });
    await says(program, /Only a restart takes up network\.port: `restart` of escontrol/);
    expect((await settings(admin)).waiting).toEqual(["network.port"]);
    expect(await order(admin, { command: "restart" })).toMatchObject({ type: "command", status: "Success" });
    expect((await admin.closed).code).toBe(1001);
    const moved = await eventually(() => program.control(port));
    expect((await settings(moved)).waiting).toEqual([]);
  });

  it("goes on as before when it cannot restart with what was changed", async () => {
    const program = await startControlled();
    const taken = await freePort();
    const other = createServer().listen(taken, "127.0.0.1");
    try {
      const admin = await program.control();
      await order(admin, { command: "edit", key: "network.port", val: taken });
      await order(admin, { command: "restart" });
      await admin.closed;
      const back = await eventually(() => program.control());
      expect((await settings(back)).settings.network?.port).not.toBe(taken);
      expect(program.output()).toContain("NETWORK_PORT_IN_USE");
    } finally {
      other.close();
    }
  });

  it("refuses what names programs, hosts or secrets, and what has several meanings, without a trace", async () => {
    const program = await startControlled();
    const admin = await program.control();
    const before = await settings(admin);
    const tries: readonly (readonly [string, unknown, string])[] = [
      ["hook.event_start_hook", "/bin/sh -c id", "NOTALLOWED"],
      ["api_push_script", "/bin/sh", "NOTALLOWED"],
      ["mqtt.server", "evil.example", "NOTALLOWED"],
      ["escontrol_interface_password", "mine", "NOTALLOWED"],
      ["auth.enable", "no", "NOTALLOWED"],
      ["enable", "no", "BADKEY"],
      ["no_such_key", "1", "BADKEY"],
      ["repeat_cooldown", "often", "BADVALUE"],
      ["limits.connections", "-1", "BADVALUE"],
    ];
    for (const [key, val, reason] of tries) {
      const reply = await order(admin, { command: "edit", key, val });
      expect([key, reply.status, reply.reason]).toEqual([key, "Fail", reason]);
    }
    const ambiguous = await order(admin, { command: "edit", key: "enable", val: "no" });
    const said = JSON.parse(String(ambiguous.response));
    expect(said.candidates).toEqual([
      "auth.enable",
      "fcm.enable",
      "mqtt.enable",
      "ssl.enable",
      "detection.enable",
    ]);
    expect(await settings(admin)).toEqual(before);
    expect(existsSync(join(program.folder, "data/escontrol.json"))).toBe(false);
  });

  it("lets nobody go on with a password that was changed, or after it was switched off", async () => {
    const program = await startControlled();
    const admin = await program.control();
    program.write({ general: { escontrol_interface_password: "another" } });
    await says(program, /changed general\.escontrol_interface_password/);
    expect(await order(admin, { command: "get" })).toMatchObject({ status: "Fail", reason: "NOTCONTROL" });
    program.write({ general: { use_escontrol_interface: false } });
    await says(program, /changed general\.use_escontrol_interface/);
    expect(await order(admin, { command: "get" })).toMatchObject({ reason: "ESCONTROLDISABLED" });
  });

  it("never shows a secret, neither in a reply nor in the log", async () => {
    const program = await startControlled();
    const admin = await program.control();
    await order(admin, { command: "edit", key: "logging.level", val: "trace" });
    const shown = await settings(admin);
    expect(shown.settings.mqtt?.password).toBe("(defined)");
    await order(admin, { command: "edit", key: "mqtt.password", val: "planted-typed-word" });
    program.signal("SIGHUP");
    await order(admin, { command: "restart" });
    await admin.closed;
    const back = await eventually(() => program.control());
    await settings(back);
    expect([...admin.frames, ...back.frames].join()).not.toMatch(SECRETS);
    expect(program.output()).not.toMatch(SECRETS);
    expect(program.output()).not.toContain("planted-typed-word");
    expect(program.output()).not.toContain(PASSWORD);
  });
});

describe("restart", () => {
  it("comes back within three seconds in the same process, and clients are told to come back", async () => {
    const program = await startControlled();
    const pid = program.pid();
    const admin = await program.control();
    const client = await program.listen();
    const begun = performance.now();
    const request = { event: "escontrol", data: { command: "restart" } };
    expect(await order(admin, { command: "restart" })).toEqual({
      event: "escontrol",
      type: "command",
      status: "Success",
      reason: "",
      request,
    });
    expect((await client.closed).code).toBe(1001);
    const again = await eventually(() => program.listen());
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(program.pid()).toBe(pid);
    program.camera.beginAlarm({ eventId: 9, cause: "Motion" });
    expect(await again.next()).toMatchObject({ event: "alarm" });
  });

  it("delivers what waited in the outbox", async () => {
    const relay = await startRelay();
    relay.refuse = () => ({ status: 503, body: "{}" });
    const program = await startControlled({
      fcm: { enable: true, fcm_v1_url: relay.url, fcm_v1_key: relay.key },
    });
    try {
      const client = await program.listen();
      const token = "cGhvbmU:APA91b-long-enough-27a387";
      client.send({ event: "push", data: { type: "token", platform: "android", token, state: "enabled" } });
      client.send({ event: "control", data: { type: "version" } });
      await client.next();
      program.camera.beginAlarm({ eventId: 5060, cause: "Motion" });
      await client.next();
      await eventually(() => expect(relay.connections).toBeGreaterThan(0));
      relay.refuse = () => null;
      const admin = await program.control();
      await order(admin, { command: "restart" });
      await admin.closed;
      await vi.waitFor(() => expect(relay.accepted).toHaveLength(1), { timeout: 15_000, interval: 20 });
      expect(JSON.stringify(relay.accepted[0])).toContain("5060");
    } finally {
      await relay.stop();
    }
  });

  it("leaves nothing behind, however often", async () => {
    const program = await startControlled();
    const files = () => readdirSync(`/proc/${program.pid()}/fd`).length;
    const restarted = async () => {
      const admin = await eventually(() => program.control());
      await order(admin, { command: "restart" });
      await admin.closed;
      await eventually(async () => (await program.control()).close());
    };
    await restarted();
    await restarted();
    const before = files();
    for (let count = 0; count < 4; count++) await restarted();
    await eventually(() => expect(files()).toBeLessThanOrEqual(before + 1));
  });
});

describe("the file", () => {
  it("is taken up when it changes, and on HUP, without dropping a client", async () => {
    const program = await startControlled();
    const client = await program.listen();
    const admin = await program.control();
    program.write({ limits: { connections: 77 } });
    await says(program, /read again \(its file has changed\): changed limits\.connections/);
    expect((await settings(admin)).settings.limits?.connections).toBe(77);
    program.signal("SIGHUP");
    await says(program, /read again \(signal HUP\): nothing to change/);
    expect(client.ws.readyState).toBe(client.ws.OPEN);
  });

  it("that is broken changes nothing, and what is wrong with it is said", async () => {
    const program = await startControlled({ limits: { connections: 77 } });
    const admin = await program.control();
    program.writeText(`${readFileSync(program.configFile, "utf8")}limits2:\n - [\n`);
    program.signal("SIGHUP");
    await says(program, /cannot be used \(.*\): the one read before stays in use/);
    expect(program.output()).toMatch(/zmes\.yml:\d+/);
    expect((await settings(admin)).settings.limits?.connections).toBe(77);
    program.write({ limits: { connections: 78 } });
    await eventually(async () => expect((await settings(admin)).settings.limits?.connections).toBe(78));
  });

  it("that is broken does not keep the server from restarting", async () => {
    const program = await startControlled({ limits: { connections: 77 } });
    const admin = await program.control();
    program.writeText("network:\n  port: ninety\n");
    await order(admin, { command: "restart" });
    await admin.closed;
    const back = await eventually(() => program.control());
    expect((await settings(back)).settings.limits?.connections).toBe(77);
  });

  it("stands below what escontrol changed, and that below the command line", async () => {
    const program = await startControlled({}, ["--monitor-reload-interval", "111"]);
    const admin = await program.control();
    await order(admin, { command: "edit", key: "limits.connections", val: "50" });
    await order(admin, { command: "edit", key: "monitor_reload_interval", val: "50" });
    program.write({ limits: { connections: 77, queued_logins: 9 } });
    await says(program, /changed limits\.queued_logins/);
    const shown = (await settings(admin)).settings;
    expect(shown.limits?.connections).toBe(50);
    expect(shown.customize?.monitor_reload_interval).toBe(111);
  });
});
