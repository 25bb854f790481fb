import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clock } from "../../src/lib/clock.ts";
import { createServiceManager, takeServiceEnvironment } from "../../src/lib/service-manager.ts";
import { eventually } from "../support/eventually.ts";
import { listenForNotices, type NotifySocket } from "../support/notify-socket.ts";

let folder = "";
let receiver: NotifySocket | null = null;
let logged: string[] = [];
let now = 0;
const clock: Clock = { now: () => now, monotonic: () => now };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-notify-"));
  logged = [];
  now = 1_000;
});
afterEach(() => {
  receiver?.close();
  receiver = null;
  rmSync(folder, { recursive: true, force: true });
});

async function listen(): Promise<string> {
  const socket = join(folder, "notify");
  receiver = await listenForNotices(socket);
  return socket;
}

function manager(socket: string, watchdogMs: number | null = 30_000) {
  const logger = pino({ level: "warn" }, { write: (line: string) => logged.push(line) });
  return createServiceManager({ environment: { socket, watchdogMs }, clock, logger });
}

const messages = () => receiver?.messages() ?? [];
const expectMessages = (expected: string[]) => eventually(() => expect(messages()).toEqual(expected));

test("READY is told when everything is up and the work was done once, whichever comes last", async () => {
  const first = manager(await listen());
  first.alive();
  first.ready();
  await expectMessages(["READY=1"]);
  const second = manager(join(folder, "notify"));
  second.ready();
  second.ready();
  second.stopping(); // not ready yet: nothing to take back
  second.alive();
  await expectMessages(["READY=1", "READY=1"]);
});

test("signs of life come three times in the time of the watchdog, however often the work is done", async () => {
  const service = manager(await listen());
  service.alive();
  service.ready();
  await expectMessages(["READY=1"]);
  // A sign while the last one is under way is left out: it is tried until the first is sent.
  await eventually(() => {
    service.alive();
    expect(messages()).toEqual(["READY=1", "WATCHDOG=1"]);
  });
  now += 9_999;
  for (let scan = 0; scan < 1_000; scan++) service.alive();
  now += 1;
  await eventually(() => {
    service.alive();
    expect(messages()).toEqual(["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
  });
});

test("without work there is no sign of life, and STOPPING comes last", async () => {
  const service = manager(await listen());
  service.alive();
  service.ready();
  now += 60_000;
  service.stopping();
  await expectMessages(["READY=1", "STOPPING=1"]);
});

test("a service manager that is gone costs one line in the log", async () => {
  const service = manager(join(folder, "nowhere"));
  service.alive();
  service.ready();
  service.stopping();
  await eventually(() => expect(logged).toHaveLength(1));
  expect(logged[0]).toContain("could not be told");
});

test("what systemd said is taken out of the environment, which scripts inherit", () => {
  const env: Record<string, string | undefined> = {
    NOTIFY_SOCKET: "/run/notify",
    WATCHDOG_USEC: "30000000",
    WATCHDOG_PID: "77",
    PATH: "/bin",
  };
  expect(takeServiceEnvironment({ ...env }, 1)).toEqual({ socket: "/run/notify", watchdogMs: null });
  expect(takeServiceEnvironment(env, 77)).toEqual({ socket: "/run/notify", watchdogMs: 30_000 });
  expect(env).toEqual({ PATH: "/bin" });
  expect(takeServiceEnvironment(env)).toBeNull();
});
