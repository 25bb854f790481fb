// What is promised about every notice, while the program, Google and the broker fail all the time.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSimulatedCamera, type SimulatedCamera } from "../../src/demo/simulated-camera.ts";
import { recipientIdOf } from "../../src/store/device-entry.ts";
import { eventually } from "../support/eventually.ts";
import { type Google, startGoogle } from "../support/google.ts";
import { type Mosquitto, mosquittoMayBeSkipped, startMosquitto } from "../support/mosquitto.ts";
import { type Listener, listenTo } from "../support/mqtt-listener.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";
import type { WholeDaemonOptions } from "./whole-daemon.ts";

const ALARMS = 1000;
const PHONES = 20;
const CAMERAS = 8;
const KILLS = 20;
/** After these kills the broker goes away and comes back. */
const BROKER_RESTARTS = new Set([3, 8, 13, 18]);
/** Of Google's answers. */
const FAILURES = 0.3;
/** And of those, so many are a cut connection: everything that is under way on it fails. */
const CUTS = 0.002;
/** How many alarms may be ahead of what Google has accepted: kills find both telling and waiting. */
const AHEAD = 60;

const TOKENS = Array.from({ length: PHONES }, (_, index) => `cGhvbmU:APA91b-long-enough-${1000 + index}`);

let folder: string;
let cameras: readonly SimulatedCamera[];
let google: Google;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-faults-"));
  cameras = Array.from({ length: CAMERAS }, (_, index) =>
    createSimulatedCamera({ directory: folder, id: index + 1 }),
  );
  for (const camera of cameras) camera.create();
  writeFileSync(
    join(folder, "tokens.txt"),
    JSON.stringify({ tokens: Object.fromEntries(TOKENS.map(phone)) }),
  );
  google = await startGoogle();
});
afterEach(async () => {
  await google.stop();
  for (const camera of cameras) camera.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(mosquittoMayBeSkipped())(
  "killed twenty times, with Google failing and the broker restarted",
  () => {
    let broker: Mosquitto;
    let listener: Listener;

    beforeEach(async () => {
      broker = await startMosquitto({ keeps: true });
      // A session of its own at the broker: nothing that the broker took passes by unheard.
      listener = await listenTo(broker.port, { protocolVersion: 4, clientId: "witness", clean: false });
    });
    afterEach(async () => {
      await listener.stop();
      await broker.stop();
    });

    it("every notice arrives, twice only what was unacknowledged, and under the same id", async () => {
      google.answer = () => {
        if (Math.random() >= FAILURES) return "ok";
        return Math.random() < CUTS ? "cut" : { status: 503, retryAfter: soon() };
      };
      const pushed = watchGoogle();
      const raising = raiseAll(pushed);
      const allowed = new Map<string, number>();
      const unacknowledged: number[] = [];
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const program = await start({ mqtt: broker.port });
        if (BROKER_RESTARTS.has(kill)) {
          await broker.stopServer();
          await broker.startServer();
        }
        const goal = Math.floor((kill / (KILLS + 1)) * ALARMS * PHONES);
        await vi.waitFor(() => expect(pushed.counts().size).toBeGreaterThan(goal), {
          timeout: 30_000,
          interval: 5,
        });
        await end(program);
        await eventually(() => expect(google.isQuiet()).toBe(true), 5);
        const again = pending().filter((id) => pushed.counts().has(id) || id.endsWith("/mqtt"));
        unacknowledged.push(again.filter((id) => !id.endsWith("/mqtt")).length);
        for (const id of again) allowed.set(id, (allowed.get(id) ?? 0) + 1);
      }
      const program = await start({ mqtt: broker.port });
      await raising;
      await vi.waitFor(() => expect(states()).toEqual({ delivered: ALARMS * (PHONES + 1) }), {
        timeout: 60_000,
        interval: 100,
      });
      await eventually(() => expect(published().size).toBe(ALARMS));
      await end(program);

      const told = new Map([...pushed.counts(), ...published()]);
      expect([...told.keys()].sort()).toEqual(everyNotice());
      const tooOften = [...told].filter(([id, count]) => count - 1 > (allowed.get(id) ?? 0));
      // The broker may have taken one message and died before it said so.
      expect(tooOften.filter(([id]) => !id.endsWith("/mqtt"))).toEqual([]);
      expect(tooOften.length).toBeLessThanOrEqual(BROKER_RESTARTS.size);
      // One under way for each phone, and what was accepted within the 30 ms and the write of an acknowledgement.
      expect(Math.max(...unacknowledged)).toBeLessThan(PHONES * 25);
      expect(google.complaints).toEqual([]);
    }, 300_000);

    /** How often the broker passed each notice on. */
    function published(): ReadonlyMap<string, number> {
      const counts = new Map<string, number>();
      for (const { topic, text, again } of listener.heard) {
        if (!topic.startsWith("zoneminder/")) continue;
        const id = String((JSON.parse(text) as { zmes_id: unknown }).zmes_id);
        // The broker itself repeats what we had not acknowledged when it went away.
        if (!again || !counts.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    }
  },
);

describe("on a disk that takes 300 ms for each commit", () => {
  it("sockets are told at once, and nothing is lost", async () => {
    const program = await start({ mqtt: null, isDiskSlow: true });
    const client = await logIn(program.port);
    const waits: number[] = [];
    for (let event = 1; event <= 100; event += 1) {
      const began = performance.now();
      cameraOf(event).beginAlarm({ eventId: event, cause: "Motion" });
      expect(await client.next()).toMatchObject({ event: "alarm", events: [{ EventId: String(event) }] });
      waits.push(performance.now() - began);
    }
    client.ws.terminate();
    await vi.waitFor(() => expect(states()).toEqual({ delivered: 100 * PHONES }), {
      timeout: 30_000,
      interval: 100,
    });
    expect(google.accepted).toHaveLength(100 * PHONES);
    await end(program);
    // The bench measures 20 ms; here everything shares a busy machine, whose hiccups are not the disk's: those would show in all.
    expect(percentile(waits, 0.9)).toBeLessThan(200);
  });
});

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(change: Partial<WholeDaemonOptions>): Promise<Running> {
  const script = fileURLToPath(new URL("whole-daemon.ts", import.meta.url));
  const { origin, ca, keyFile } = google;
  const options = { folder, cameras: CAMERAS, google: { origin, ca, keyFile }, isDiskSlow: false, ...change };
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new Error("the daemon did not start"))),
  ]);
  return { child, port: Number(String(line).split(" ")[1]) };
}

async function end({ child }: Running): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "close");
}

async function logIn(port: number): Promise<TestClient> {
  const client = await connectClient(`ws://127.0.0.1:${port}`);
  client.send({ event: "auth", data: { user: "admin", password: "secret" } });
  expect(await client.next()).toMatchObject({ event: "auth", status: "Success" });
  return client;
}

/** Every alarm of every camera, each until it is on disk: a program that died before finds it still running. */
async function raiseAll(pushed: { counts(): ReadonlyMap<string, number> }): Promise<void> {
  const kept = new Set<string>();
  const poll = setInterval(() => {
    for (const id of alarmsAfter(kept.size)) kept.add(id);
  }, 10);
  const until = async (isTrue: () => boolean) =>
    await vi.waitFor(() => expect(isTrue()).toBe(true), { timeout: 60_000, interval: 10 });
  try {
    await Promise.all(
      cameras.map(async (camera) => {
        for (let event = camera.id; event <= ALARMS; event += CAMERAS) {
          await until(() => pushed.counts().size > (event - AHEAD) * PHONES);
          camera.beginAlarm({ eventId: event, cause: "Motion" });
          await until(() => kept.has(`${camera.id}:${event}:1`));
          camera.endAlarm();
        }
      }),
    );
  } finally {
    clearInterval(poll);
  }
}

/** How often Google accepted each notice, by the id that the phone would recognise it by. */
function watchGoogle(): { counts(): ReadonlyMap<string, number> } {
  const counts = new Map<string, number>();
  let seen = 0;
  return {
    counts() {
      for (; seen < google.accepted.length; seen += 1) {
        const { token = "", body = {} } = google.accepted[seen] ?? {};
        const id = `${collapseId(body)}/${recipientIdOf(token)}`;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    },
  };
}

function collapseId(body: unknown): string {
  const { message } = body as {
    message: {
      android?: { notification?: { tag?: string } };
      apns?: { headers?: { "apns-collapse-id"?: string } };
    };
  };
  return message.android?.notification?.tag ?? message.apns?.headers?.["apns-collapse-id"] ?? "none";
}

/** An entry of the token file; every second phone is an iPhone. */
function phone(token: string, index: number): readonly [string, object] {
  const platform = index % 2 === 0 ? "android" : "ios";
  return [
    token,
    { monlist: "", intlist: "", platform, pushstate: "enabled", zmes: { owner: "anna", app: "zmninja-ng" } },
  ];
}

function cameraOf(event: number): SimulatedCamera {
  const camera = cameras[(event - 1) % CAMERAS];
  if (camera === undefined) throw new Error("there is no such camera");
  return camera;
}

function everyNotice(): readonly string[] {
  const recipients = [...TOKENS.map(recipientIdOf), "mqtt"];
  return Array.from({ length: ALARMS }, (_, index) => index + 1)
    .flatMap((event) =>
      recipients.map((recipient) => `${1 + ((event - 1) % CAMERAS)}:${event}:1/${recipient}`),
    )
    .sort();
}

/** A moment from now as Google would write it, but finer: with whole seconds the test would take an hour. */
function soon(): string {
  return new Date(Date.now() + 10)
    .toISOString()
    .replace(/^(\d+)-(\d+)-(\d+)T/, (_, y, m, d) => `${MONTHS[m - 1]} ${d} ${y} `);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function alarmsAfter(id: number): readonly string[] {
  return rows("SELECT key AS value FROM alarms WHERE id > ?", id).map(String);
}

function pending(): readonly string[] {
  return rows(
    `SELECT a.key || '/' || d.recipient AS value FROM deliveries d JOIN alarms a ON a.id = d.alarm
     WHERE d.state = 'pending'`,
  ).map(String);
}

function states(): Readonly<Record<string, number>> {
  return Object.fromEntries(
    rows("SELECT state || ' ' || count(*) AS value FROM deliveries GROUP BY state").map((value) => {
      const [state = "", count] = String(value).split(" ");
      return [state, Number(count)];
    }),
  );
}

/** Nothing while the file cannot be read: it is not there yet, or being put in order after a kill. */
function rows(sql: string, ...parameters: readonly number[]): readonly unknown[] {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(join(folder, "zmes.db"), { readOnly: true });
    return database
      .prepare(sql)
      .all(...parameters)
      .map(({ value }) => value);
  } catch {
    return [];
  } finally {
    database?.close();
  }
}

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}
