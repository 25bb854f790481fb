/** Plays every example of docs/protocol.md against the real server, so that the page says what clients will see. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createWebSocketChannel } from "../../src/channels/websocket.ts";
import { findEditable } from "../../src/config/kept-settings.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { DeviceLink } from "../../src/domain/device-link.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { ControlPanel, EditOutcome } from "../../src/server/control-panel.ts";
import type { DeviceRegistry } from "../../src/server/devices.ts";
import { parseMessage } from "../../src/server/protocol.ts";
import { aMonitor, anAlarm, briefed, eid, mid } from "../support/builders.ts";
import { loginMessage, recordingLogger, startServer, type TestServer } from "../support/server.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/protocol.md"), "utf8");

interface Example {
  readonly name: string;
  readonly text: string;
}

const examplesOf = (side: "client" | "server"): readonly Example[] =>
  [...page.matchAll(/^```\w+ (client|server) ([\w-]+)\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === side)
    .map((match) => ({ name: match[2] ?? "", text: (match[3] ?? "").trim() }));
const sent = examplesOf("client");
const received = examplesOf("server");
const sentIn = (name: string): string | undefined => sent.find((example) => example.name === name)?.text;

let server: TestServer;
let running: TestServer | null = null;
afterEach(async () => {
  await running?.stop();
  running = null;
});

async function start(overrides: Parameters<typeof startServer>[0] = {}): Promise<void> {
  server = await startServer(overrides);
  running = server;
}

async function connected(login: boolean): Promise<TestClient> {
  const client = await connectClient(server.url);
  if (!login) return client;
  client.send(loginMessage("admin", "secret"));
  expect(await client.next()).toMatchObject({ event: "auth", status: "Success" });
  return client;
}

/** What the server sends in the situation of that name. */
async function answerIn(name: string): Promise<unknown> {
  if (name.startsWith("control-")) return controlAnswer(name);
  const registry = name === "push" ? null : createFullRegistry(name === "push-too-many");
  const watched = () => (name === "monitors" ? watchedMonitors : null);
  await start({ registry, watched, ...(name === "auth-timeout" && { auth: { timeout: 0 } }) });
  const client = await connected(!name.startsWith("auth"));
  const message = sentIn(name);
  if (name === "alarm-supplementary") {
    client.sendText(sentIn("push-token") ?? "");
    client.sendText(sentIn("version") ?? "");
    await client.next();
  }
  if (name === "alarm-update") {
    client.sendText(message ?? "");
    await client.next();
  }
  if (name.startsWith("alarm")) tell(...alarmIn(name));
  else if (message !== undefined) client.sendText(message);
  return client.next();
}

const watchedMonitors = [
  { id: mid(2), name: "Garage" },
  { id: mid(14), name: "Front door" },
];

/** The control interface with a panel that agrees to everything but settings that may not be changed from afar. */
async function controlAnswer(name: string): Promise<unknown> {
  const panel: ControlPanel = {
    read: () => '{"notifications":{"1":0,"2":-1}}',
    order: async () => undefined,
    edit: async (key) => editOutcome(key),
    reset: async () => undefined,
    restart: () => undefined,
  };
  const password = JSON.parse(sentIn("control-login") ?? "{}").data.password;
  await start({ panel, general: { use_escontrol_interface: true, escontrol_interface_password: password } });
  const client = await connected(name === "control-stranger");
  if (!["control-login", "control-stranger"].includes(name)) {
    client.sendText(sentIn("control-login") ?? "");
    await client.next();
  }
  client.sendText(sentIn(name) ?? "");
  return client.next();
}

/** A registry in which nothing is kept, or in which there is no room. */
function createFullRegistry(isFull: boolean): DeviceRegistry {
  const link: DeviceLink = {
    isPushed: true,
    isCurrent: true,
    lists: () => ({ monlist: "", intlist: "" }),
    lastTold: () => new Map(),
    setFilter: () => undefined,
    setBadge: () => undefined,
    setOwner: () => undefined,
  };
  return { register: () => (isFull ? "full" : link), setBadge: () => undefined };
}

/** What the running server says of the key, without changing anything. */
function editOutcome(key: string): EditOutcome {
  const named = findEditable(key);
  if (named.found) return { done: true };
  const { fault, problem, candidates } = named;
  return { done: false, reason: fault === "key" ? "BADKEY" : "NOTALLOWED", problem, candidates };
}

/** `link`: the address of the picture. */
function tell(alarm: Alarm, link: string | null = null): void {
  const { sessions } = server.server;
  const logger = recordingLogger([]);
  const channel = createWebSocketChannel({ sessions, clock: systemClock, logger, picture: () => link });
  channel.tell(briefed([alarm]));
}

/** The alarm that the example says was raised, and the address of its picture. */
function alarmIn(name: string): readonly [Alarm, string | null] {
  const example = JSON.parse(received.find((each) => each.name === name)?.text ?? "{}");
  const { Name, MonitorId, EventId, Cause, Late, DetectionJson, RulesObject, Picture, Update } =
    example.events[0];
  const isEnd = String(Cause).startsWith("End:");
  const alarm = anAlarm({
    monitor: aMonitor({ id: mid(Number(MonitorId)), name: Name }),
    eventId: eid(Number(EventId)),
    cause: String(Cause).replace(/^End:/, ""),
    late: Late === "true",
    phase: isEnd ? "ended" : Update === "true" ? "updated" : "started",
    ...(!Array.isArray(DetectionJson) && {
      hook: { result: 0, text: "", json: DetectionJson, note: "ran" },
    }),
    ...(RulesObject.notification_type === "critical" && { critical: true }),
  });
  return [alarm, Picture ?? null];
}

test("there are examples, each name once on each side", () => {
  expect(received.length).toBeGreaterThan(10);
  for (const side of [sent, received]) expect(new Set(side.map(({ name }) => name)).size).toBe(side.length);
});

test.each(received)("in the situation $name the server sends what the page shows", async ({ name, text }) => {
  const answer = await answerIn(name);
  expect(answer).toEqual(JSON.parse(text));
  expect(Object.keys(answer as object)).toEqual(Object.keys(JSON.parse(text)));
});

test("a filter gets no reply, and chooses what the page says", async () => {
  await start();
  const client = await connected(true);
  client.sendText(sentIn("filter") ?? "");
  client.sendText(sentIn("version") ?? "");
  expect(await client.next()).toMatchObject({ event: "control", type: "version" });
  for (const [monitor, event] of [
    [3, 10],
    [2, 11],
    [2, 12],
    [5, 13],
  ] as const)
    tell(anAlarm({ monitor: aMonitor({ id: mid(monitor) }), eventId: eid(event) }));
  expect(await client.next()).toMatchObject({ events: [{ MonitorId: "2", EventId: "11" }] });
  expect(await client.next()).toMatchObject({ events: [{ MonitorId: "5", EventId: "13" }] });
});

test("every message a client may send is understood, but for those that are to show the contrary", () => {
  const strange = sent.filter(({ text }) => ["unknown", "malformed"].includes(parseMessage(text).event));
  expect(strange.map(({ name }) => name)).toEqual(["unknown", "malformed"]);
});

test("an alarm without an event has the EventId that the page names", async () => {
  await start();
  const client = await connected(true);
  tell(anAlarm({ eventId: null }));
  const { events } = (await client.next()) as { readonly events: readonly { readonly EventId: string }[] };
  expect(page).toContain(`\`EventId\` is \`"${events[0]?.EventId}"\` when`);
});

test("every reason there is has its row, and no other", () => {
  const source = readFileSync(join(root, "src/server/protocol.ts"), "utf8");
  const union = /export type Reason =([^;]+);/.exec(source)?.[1] ?? "";
  const reasons = [...union.matchAll(/"(\w+)"/g)].map((match) => match[1]);
  const rows = [...sectionOf("## Reasons").matchAll(/^\| `([A-Z]+)` \|/gm)].map((match) => match[1]);
  expect(reasons.length).toBeGreaterThan(0);
  expect(rows.toSorted()).toEqual(reasons.toSorted());
});

test("every reason is shown in an example", () => {
  const shown = new Set(received.map(({ text }) => JSON.parse(text).reason));
  const rows = [...sectionOf("## Reasons").matchAll(/^\| `([A-Z]+)` \|/gm)].map((match) => match[1]);
  expect(rows.filter((reason) => !shown.has(reason))).toEqual([]);
});

test("every key that an alarm may have is explained, and shown in an example", () => {
  const shown = received.flatMap(({ text }) => {
    const { events = [] } = JSON.parse(text) as { readonly events?: readonly object[] };
    return events.flatMap((event) => Object.keys(event));
  });
  const explained = [...sectionOf("## Alarms").matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(
    (match) => match[1]?.match(/\w+/g) ?? [],
  );
  expect([...new Set(explained)].toSorted()).toEqual([...new Set(shown)].toSorted());
});

test("every way in which the server closes has its row, and no other", () => {
  const source = readdirSync(join(root, "src/server"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src/server", name), "utf8"))
    .join("\n");
  const closes = [...source.matchAll(/\.end\(\s*(1\d{3}),\s*"([^"]+)"/g)].map((m) => `${m[1]} ${m[2]}`);
  const rows = [...sectionOf("## Close codes").matchAll(/^\| (1\d{3}) \| ([^|]+) \|/gm)].flatMap(
    ([, code, texts]) => [...(texts ?? "").matchAll(/`([^`]+)`/g)].map((match) => `${code} ${match[1]}`),
  );
  // The reply's own reason is the close reason of a refusal (commands/auth.ts), which no pattern finds.
  const refusals = ["1000 BADAUTH", "1000 ESCONTROLDISABLED"];
  expect(closes.length).toBeGreaterThan(5);
  expect(rows.toSorted()).toEqual([...new Set([...closes, ...refusals])].toSorted());
});

test.each(["auth-bad", "auth-timeout", "auth-escontrol"])(
  "%s is followed by a close with 1000",
  async (name) => {
    await start(name === "auth-timeout" ? { auth: { timeout: 0 } } : {});
    const client = await connected(false);
    const message = sentIn(name);
    if (message !== undefined) client.sendText(message);
    const { reason } = JSON.parse(received.find((example) => example.name === name)?.text ?? "{}");
    expect(await client.closed).toEqual({ code: 1000, reason });
  },
);

test("a message above the limit closes with the code that the page names", async () => {
  await start();
  const client = await connected(true);
  client.sendText(`"${"x".repeat(65_536)}"`);
  const { code } = await client.closed;
  expect(sectionOf("## Close codes")).toMatch(new RegExp(`^\\| ${code} \\| +\\| send smaller`, "m"));
});

function sectionOf(heading: string): string {
  const from = page.indexOf(`\n${heading}\n`);
  expect(from).toBeGreaterThan(0);
  const end = page.indexOf("\n## ", from + 1);
  return page.slice(from, end < 0 ? undefined : end);
}
