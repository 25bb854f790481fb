// A day of events squeezed into seconds: nothing of them stays behind in the process.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";

/** Two cameras with 300 events each: more than a busy camera has in a day. */
const EVENTS = 300;
/** Told, saved and forgotten before anything is counted: what is made once is made by then. */
const WARM_UP = 40;

let folder: string;
let site: Site;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-day-"));
  const hook = join(folder, "hook.sh");
  writeFileSync(hook, '#!/bin/sh\necho "detected:cat"\n', { mode: 0o755 });
  site = createSite((config) => ({
    ...config,
    customize: { ...config.customize, use_hooks: true, send_event_end_notification: true },
    hook: {
      ...config.hook,
      event_start_hook: hook,
      event_end_hook: hook,
      event_start_notify_on_hook_success: ["all"],
      event_end_notify_on_hook_success: ["all"],
    },
  }));
  await site.start();
});

afterAll(async () => {
  await site.remove();
  rmSync(folder, { recursive: true, force: true });
});

it("leaves no open file, timer, child or memory behind", { timeout: 120_000 }, async () => {
  const client = await site.logIn();
  await play(1, WARM_UP);
  const before = footprint();
  await play(WARM_UP + 1, EVENTS);
  // The last scripts and their pipes go a moment after their answers; a leak would be hundreds.
  await vi.waitFor(
    () => {
      const after = footprint();
      expect(after.children).toBe(0);
      expect(after.files).toBeLessThan(before.files + 5);
      expect(after.timers).toBeLessThan(before.timers + 5);
      expect(after.heapMb).toBeLessThan(before.heapMb + 10);
    },
    { timeout: 10_000, interval: 200 },
  );

  async function play(from: number, to: number): Promise<void> {
    for (let event = from; event <= to; event++) {
      for (const [index, camera] of site.cameras.entries()) {
        camera.beginAlarm({ eventId: event * 2 + index, cause: "Motion" });
      }
      await told(event * 4 - 2);
      for (const camera of site.cameras) camera.endAlarm();
      await told(event * 4);
    }
  }

  /** Each event is told twice, its begin and its end, of both cameras. */
  async function told(frames: number): Promise<void> {
    const alarms = () => client.frames.filter((frame) => frame.includes('"alarm"')).length;
    await eventually(() => expect(alarms()).toBe(frames), 2);
  }
});

function footprint() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const children = execFileSync("ps", ["--ppid", String(process.pid), "-o", "comm="], { encoding: "utf8" });
  return {
    files: readdirSync("/proc/self/fd").length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
    children: children.split("\n").filter((name) => name !== "" && name !== "ps").length,
    heapMb: process.memoryUsage().heapUsed / 1_048_576,
  };
}
