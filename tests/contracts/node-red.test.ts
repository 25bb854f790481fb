/** The flows for Node-RED can be imported, and what they send, listen to and read is what zmes takes and tells. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { eventMessage } from "../../src/channels/mqtt/message.ts";
import { ownTopics } from "../../src/channels/mqtt/topics.ts";
import { alarmMessage } from "../../src/channels/websocket-message.ts";
import { monitorId } from "../../src/domain/monitor.ts";
import { parseMessage } from "../../src/server/protocol.ts";
import { anAlarm } from "../support/builders.ts";
import { aNotice } from "../support/mqtt-channel.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "examples/node-red");

interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
  readonly name?: string;
  readonly topic?: string;
  readonly func?: string;
  readonly outputs?: number;
  readonly wires?: readonly (readonly string[])[];
  readonly broker?: string;
  readonly client?: string;
  readonly path?: string;
  readonly env?: readonly { readonly name: string; readonly type: string; readonly value: string }[];
}

const flowOf = (name: string): readonly FlowNode[] =>
  JSON.parse(readFileSync(join(folder, name), "utf8")) as readonly FlowNode[];
const files = readdirSync(folder);

/** The values that a function of a flow keeps between its messages. */
class Memory {
  readonly values = new Map<string, unknown>();
  get = (key: string): unknown => this.values.get(key);
  set = (key: string, value: unknown): void => void this.values.set(key, value);
}

interface Surroundings {
  readonly flow?: Memory;
  readonly context?: Memory;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the function of that name as Node-RED does; gives what it sends, and what it complains of. */
function runFunction(file: string, name: string, msg: object, surroundings: Surroundings = {}) {
  const { flow = new Memory(), context = new Memory(), env = {} } = surroundings;
  const complaints: string[] = [];
  const complain = (text: string): void => void complaints.push(text);
  const code = flowOf(file).find((node) => node.name === name)?.func ?? "throw new Error('no such function')";
  const sent: unknown = runInNewContext(`(function () {\n${code}\n})()`, {
    msg,
    flow,
    context,
    env: { get: (key: string) => env[key] },
    node: { error: complain, warn: complain },
  });
  return { sent: JSON.parse(JSON.stringify(sent)) as unknown, complaints };
}

describe.each(files)("the flow %s", (file) => {
  const nodes = flowOf(file);
  const ids = new Set(nodes.map(({ id }) => id));

  test("has each node once, on its tab, and no wire into nothing", () => {
    expect(ids.size).toBe(nodes.length);
    const tab = nodes.find(({ type }) => type === "tab")?.id;
    const named = nodes.flatMap(({ wires = [], broker, client, type }) => [
      ...wires.flat(),
      ...(type.startsWith("mqtt ") && broker !== undefined ? [broker] : []),
      ...(client === undefined ? [] : [client]),
    ]);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
    expect(nodes.filter(({ wires, z }) => wires !== undefined && z !== tab)).toEqual([]);
    for (const { outputs, wires = [], type } of nodes)
      if (type === "function") expect(wires).toHaveLength(outputs ?? 0);
  });

  test("holds no password and no address of anybody", () => {
    const secrets = nodes.flatMap(({ env = [] }) => env.filter(({ type }) => type === "cred"));
    expect(secrets.filter(({ value }) => value !== "")).toEqual([]);
    const hosts = nodes.flatMap(({ type, broker, env = [] }) => [
      ...(type === "mqtt-broker" ? [broker] : []),
      ...env.filter(({ name }) => name === "ZMES_URL").map(({ value }) => value),
    ]);
    expect(hosts).toHaveLength(1);
    expect(["broker.lan", "wss://zm.example.org:9000"]).toContain(hosts[0]);
  });
});

describe("the flow for WebSockets", () => {
  const file = "websocket.json";
  const env = { ZMES_USER: "admin", ZMES_PASSWORD: "secret" };
  const connected = { status: { event: "connect" } };

  test("takes address, user and password from the tab", () => {
    const nodes = flowOf(file);
    expect(nodes.find(({ type }) => type === "websocket-client")?.path).toMatch(/^\$\{ZMES_URL\}$/);
    const named = nodes.find(({ type }) => type === "tab")?.env?.map(({ name }) => name);
    expect(named).toEqual(["ZMES_URL", "ZMES_USER", "ZMES_PASSWORD"]);
  });

  test("sends a login that the server understands, as soon as it is connected", () => {
    const { sent } = runFunction(file, "log in", connected, { env });
    const { payload } = sent as { readonly payload: string };
    expect(parseMessage(payload)).toMatchObject({
      event: "auth",
      auth: { user: "admin", password: "secret" },
    });
    expect(runFunction(file, "log in", { status: { event: "disconnect" } }, { env }).sent).toBeNull();
  });

  test("reads an alarm as the server tells it", () => {
    const alarm = anAlarm({ cause: "Motion Drive" });
    const { sent } = runFunction(file, "what is it?", { payload: alarmMessage(alarm) });
    expect(sent).toEqual([
      expect.objectContaining({
        payload: `${alarm.monitor.name}: Motion Drive`,
        monitor: alarm.monitor.id,
        event: alarm.eventId,
        isEnd: false,
      }),
      null,
    ]);
    const ended = alarmMessage(anAlarm({ phase: "ended" }));
    expect(runFunction(file, "what is it?", { payload: ended }).sent).toMatchObject([{ isEnd: true }, null]);
  });

  test("keeps late alarms apart", () => {
    const { sent } = runFunction(file, "what is it?", { payload: alarmMessage(anAlarm({ late: true })) });
    expect(sent).toMatchObject([null, { topic: anAlarm().monitor.name }]);
  });

  test("does not try a refused login again", () => {
    const flow = new Memory();
    const refusal = { event: "auth", type: "", status: "Fail", reason: "BADAUTH" };
    const { sent, complaints } = runFunction(file, "what is it?", { payload: refusal }, { flow });
    expect(sent).toBeNull();
    expect(complaints).toEqual(["zmes refuses the login: BADAUTH"]);
    expect(runFunction(file, "log in", connected, { env, flow }).sent).toBeNull();
  });
});

describe("the flow for MQTT", () => {
  const file = "mqtt.json";
  const topics = ownTopics("nvr");
  const monitor = monitorId(1);
  if (monitor === null) throw new Error("1 is a number of a monitor");

  test("listens to topics that zmes writes to", () => {
    const filters = flowOf(file).flatMap(({ type, topic }) => (type === "mqtt in" ? [topic ?? ""] : []));
    const written = [topics.status, topics.event(monitor), topics.motion(monitor)];
    expect(filters).toHaveLength(written.length);
    expect(filters.filter((filter) => !written.some((topic) => patternOf(filter).test(topic)))).toEqual([]);
  });

  test("reads the beginning of an alarm once, however often it is delivered", () => {
    const notice = aNotice(anAlarm({ cause: "Motion Drive" }));
    const context = new Memory();
    const msg = { topic: topics.event(monitor), payload: JSON.parse(eventMessage(notice)) as unknown };
    const { monitor: camera, eventId } = notice.alarm;
    expect(runFunction(file, "beginnings, each once", msg, { context }).sent).toMatchObject({
      topic: camera.name,
      payload: `${camera.name}: Motion Drive`,
      monitor: camera.id,
      event: eventId,
      seenAt: new Date(notice.alarm.seenAt).toISOString(),
      isLate: false,
    });
    expect(runFunction(file, "beginnings, each once", msg, { context }).sent).toBeNull();
  });

  test("leaves ends out", () => {
    const payload = JSON.parse(eventMessage(aNotice(anAlarm({ phase: "ended" })))) as unknown;
    const msg = { topic: topics.event(monitor), payload };
    expect(runFunction(file, "beginnings, each once", msg).sent).toBeNull();
  });

  test("mutes the camera of the last alarm, by the topic that zmes takes commands on", () => {
    const flow = new Memory();
    expect(runFunction(file, "of the last alarm", { payload: "ON" }, { flow }).sent).toBeNull();
    const payload = JSON.parse(eventMessage(aNotice(anAlarm()))) as unknown;
    runFunction(file, "beginnings, each once", { topic: topics.event(monitor), payload }, { flow });
    const { sent } = runFunction(file, "of the last alarm", { payload: "ON" }, { flow });
    expect(sent).toEqual({ topic: topics.muteSet(monitor), payload: "ON" });
  });
});

/** MQTT 3.1.1, 4.7.1.3: a plus stands for one level. */
function patternOf(filter: string): RegExp {
  return new RegExp(`^${filter.replaceAll("+", "[^/]+")}$`);
}
