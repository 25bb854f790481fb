import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { type Control, controlFile, createControl, readKept } from "../../src/store/overrides.ts";
import { mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger } from "../support/server.ts";

let folder = "";
let log: Record<string, unknown>[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-control-"));
  log = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function started(clock: Clock = systemClock, isOn = () => true): Promise<Control> {
  const control = createControl({ directory: folder, isOn, clock, logger: recordingLogger(log) });
  await control.start(new AbortController().signal);
  return control;
}

const forGood = (control: "muted" | "forced") => ({ control, until: null });

test("orders and settings are there again after a restart", async () => {
  const first = await started();
  await first.order([mid(4)], forGood("muted"));
  await first.order([mid(5)], { control: "forced", until: 9e12 });
  await first.keepSettings(new Map([["customize.repeat_cooldown", "30"]]));
  await first.stop();
  const second = await started();
  expect([4, 5, 6].map((id) => second.of(mid(id), 8e12))).toEqual(["muted", "forced", "default"]);
  expect(second.of(mid(5), 9e12)).toBe("default");
  expect([...second.settings()]).toEqual([["customize.repeat_cooldown", "30"]]);
  await second.reset();
  const third = await started();
  expect([third.orders().size, third.settings().size]).toEqual([0, 0]);
});

test("the file is JSON by section and key, for its owner only", async () => {
  const control = await started();
  await control.order([mid(4)], forGood("muted"));
  await control.keepSettings(new Map([["fcm.date_format", "%H:%M"]]));
  expect(JSON.parse(readFileSync(controlFile(folder), "utf8"))).toEqual({
    notifications: { 4: -1 },
    until: {},
    overrides: { fcm: { date_format: "%H:%M" } },
  });
  expect(statSync(controlFile(folder)).mode & 0o777).toBe(0o600);
  chmodSync(controlFile(folder), 0o644);
  await control.order([mid(4)], forGood("forced"));
  expect(statSync(controlFile(folder)).mode & 0o777).toBe(0o600);
});

test("a map as the original had it, with bare keys, is understood", () => {
  const text = '{"notifications":{"1":-1,"2":0,"3":1},"monitor_reload_interval":60,"use_hooks":"no"}';
  writeFileSync(controlFile(folder), text);
  const { orders, settings, problem } = readKept(folder);
  expect([...orders]).toEqual([
    [1, forGood("muted")],
    [3, forGood("forced")],
  ]);
  expect([...settings]).toEqual([
    ["monitor_reload_interval", "60"],
    ["use_hooks", "no"],
  ]);
  expect(problem).toBeNull();
});

test("a damaged file is said, and the one before it holds", async () => {
  const first = await started();
  await first.order([mid(1)], forGood("muted"));
  await first.order([mid(2)], forGood("muted"));
  writeFileSync(controlFile(folder), '{"notifications": {"1": -');
  const second = await started();
  expect(second.of(mid(1), 0)).toBe("muted");
  expect(log.map(({ msg }) => msg)).toEqual([expect.stringContaining("escontrol.json cannot be used")]);
});

test("while the interface is off, nobody is muted and nobody forced", async () => {
  let on = true;
  const control = await started(systemClock, () => on);
  await control.order([mid(1)], forGood("muted"));
  on = false;
  expect(control.of(mid(1), 0)).toBe("default");
});

test("a disk that refuses costs nothing but the next start", async () => {
  const control = await started();
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "not a folder");
  await control.order([mid(1)], forGood("muted"));
  expect(control.of(mid(1), 0)).toBe("muted");
  expect(log.map(({ msg }) => msg)).toEqual([expect.stringContaining("cannot be written")]);
});

test("a process killed while it writes leaves whole content behind", async () => {
  const program = fileURLToPath(new URL("order-forever.ts", import.meta.url));
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    const { orders, settings, problem } = readKept(folder);
    expect(problem).toBeNull();
    expect(orders.size).toBe(2000);
    expect(Number(settings.get("customize.repeat_cooldown"))).toBeGreaterThanOrEqual(3);
  }
});

test("no content of the file makes reading throw", () => {
  const json = fc.json();
  const shaped = fc.record({
    notifications: fc.anything(),
    until: fc.anything(),
    overrides: fc.dictionary(fc.string(), fc.anything()),
  });
  const text = fc.oneof(
    json,
    fc.string(),
    shaped.map((value) => {
      try {
        return JSON.stringify(value);
      } catch {
        return ""; // a bigint: no file holds one
      }
    }),
  );
  fc.assert(
    fc.property(text, (content) => {
      writeFileSync(controlFile(folder), content);
      readKept(folder);
    }),
    { numRuns: 300 },
  );
});

test("whoever shows orders is told when the time of one is over, also of one that ended while nobody ran", async () => {
  let now = 1000;
  const clock = { now: () => now, monotonic: () => now };
  const onOrders = vi.fn();
  const create = () =>
    createControl({ directory: folder, isOn: () => true, onOrders, clock, logger: recordingLogger(log) });
  const first = create();
  await first.start(new AbortController().signal);
  await first.order([mid(1)], { control: "muted", until: 1020 });
  await first.order([mid(2)], { control: "muted", until: 5000 });
  expect(onOrders).toHaveBeenCalledTimes(2);
  now = 1020;
  await eventually(() => expect(onOrders).toHaveBeenCalledTimes(3));
  expect([...first.orders().keys()]).toEqual([2]);
  expect(log.map(({ msg }) => msg)).toEqual([expect.stringContaining("Monitor 1 is told as usual again")]);
  await first.stop();
  now = 6000;
  const second = create();
  await second.start(new AbortController().signal);
  await eventually(() => expect(onOrders).toHaveBeenCalledTimes(4));
  expect(second.orders().size).toBe(0);
  await second.stop();
  expect(readKept(folder).orders.size).toBe(0);
});
