// The simulated camera writes what ZoneMinder writes, in every layout.
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSimulatedCamera, currentLayout, layoutById } from "../../src/demo/simulated-camera.ts";
import { WRITE_ORDERS } from "../../src/demo/write-order.ts";
import { chooseLayout, SHM_LAYOUTS, TRIGGER_SIZE } from "../../src/zoneminder/shm-layout.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zmes-camera-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const head = (path: string) => readFileSync(path).subarray(0, 2048);
const causeIn = (bytes: Buffer, offset: number | null) =>
  offset === null ? null : bytes.toString("utf8", offset, bytes.indexOf(0, offset));

describe.each(SHM_LAYOUTS.map((layout) => ({ name: `${layout.id} ${layout.abi}`, layout })))(
  "layout $name",
  ({ layout }) => {
    test("a new file is valid, at rest and says its sizes", () => {
      const camera = createSimulatedCamera({ directory, id: 7, layout });
      camera.create();
      const bytes = head(camera.path);
      expect(camera.path).toBe(join(directory, "zm.mmap.7"));
      expect(bytes.readUInt32LE(0)).toBe(layout.sharedSize);
      expect(bytes.readUInt32LE(layout.sharedSize)).toBe(TRIGGER_SIZE);
      expect(bytes[layout.valid]).toBe(1);
      expect([0, 1]).toContain(bytes.readUInt32LE(layout.state));
      camera.abandon();
    });

    test("an alarm shows its state, its event and its cause", () => {
      const camera = createSimulatedCamera({ directory, id: 1, layout, stateEnum: "B" });
      camera.create();
      camera.beginAlarm({ eventId: 5060, cause: "Motion All" });
      const bytes = head(camera.path);
      expect(bytes.readUInt32LE(layout.state)).toBe(3);
      expect(bytes.readUInt32LE(layout.lastEvent)).toBe(5060);
      expect(causeIn(bytes, layout.alarmCause)).toBe(layout.alarmCause === null ? null : "Motion All");
      camera.endAlarm();
      expect(head(camera.path).readUInt32LE(layout.state)).toBe(1);
      expect(head(camera.path).readUInt32LE(layout.lastEvent)).toBe(5060);
      camera.abandon();
    });
  },
);

test("the current layout is recognised by its bytes alone", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.create();
  expect(chooseLayout(head(camera.path), null)).toBe(currentLayout());
  camera.abandon();
});

test("the two layouts of 768 bytes are told apart by their bytes", () => {
  for (const id of ["zm-1.36.34", "zm-dev-1.37-a"]) {
    const camera = createSimulatedCamera({ directory, id: 1, layout: layoutById(id) });
    camera.create();
    expect(chooseLayout(head(camera.path), null)?.id).toBe(id);
    camera.remove();
  }
});

test("the file is private, and as long as one with images", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.create();
  const { mode, size, blocks } = statSync(camera.path);
  expect(mode & 0o777).toBe(0o600);
  expect(size).toBeGreaterThan(3_000_000);
  expect(blocks * 512).toBeLessThan(100_000);
  camera.abandon();
});

test("until it is filled a new file holds zeroes only", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.createZeroed();
  expect(head(camera.path).every((byte) => byte === 0)).toBe(true);
  camera.abandon();
});

test("a killed camera process takes its file over with the same inode, zeroed", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.create();
  camera.beginAlarm({ eventId: 9, cause: "Motion" });
  const before = statSync(camera.path).ino;
  camera.abandon();
  camera.create();
  expect(statSync(camera.path).ino).toBe(before);
  expect(head(camera.path).readUInt32LE(camera.layout.lastEvent)).toBe(0);
  camera.abandon();
});

test("a re-initialised camera leaves the old inode invalid and begins a new one without an event", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.create();
  camera.beginAlarm({ eventId: 9, cause: "Motion" });
  const reader = openSync(camera.path, "r");
  camera.reinitialise();
  const old = Buffer.alloc(1024);
  readSync(reader, old, 0, old.length, 0);
  expect(old[camera.layout.valid]).toBe(0);
  expect(old.readUInt32LE(camera.layout.lastEvent)).toBe(9);
  expect(fstatSync(reader).ino).not.toBe(statSync(camera.path).ino);
  expect(head(camera.path).readUInt32LE(camera.layout.lastEvent)).toBe(0);
  closeSync(reader);
  camera.abandon();
});

test("each family of releases writes in its own order", () => {
  const orders: Record<string, string> = {
    "zm-1.30": "state event cause",
    "zm-1.32.3": "cause event state",
    "zm-1.36.0": "first-cause event cause state",
    "zm-1.38.0": "state event cause",
  };
  for (const [id, order] of Object.entries(orders)) {
    const camera = createSimulatedCamera({ directory, id: 1, layout: layoutById(id) });
    const steps = camera.alarmSteps({ eventId: 1, cause: "Motion" }).map(({ step }) => step);
    expect(steps.join(" ")).toBe(order);
  }
});

test("between two steps a reader sees the alarm half written", () => {
  const camera = createSimulatedCamera({ directory, id: 1, writeOrder: WRITE_ORDERS["1.37.50"] });
  camera.create();
  const [first] = camera.alarmSteps({ eventId: 4, cause: "Motion" });
  first?.write();
  const bytes = head(camera.path);
  expect(bytes.readUInt32LE(camera.layout.state)).toBe(3);
  expect(bytes.readUInt32LE(camera.layout.lastEvent)).toBe(0);
  camera.abandon();
});

test("a cause longer than its field is cut and still ends with a zero byte", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.create();
  camera.setCause("x".repeat(400));
  expect(causeIn(head(camera.path), camera.layout.alarmCause)).toBe("x".repeat(255));
  camera.abandon();
});

test("a heartbeat moves the times that ZoneMinder moves", () => {
  let now = 1_000_000;
  const clock = { now: () => now, monotonic: () => now };
  const camera = createSimulatedCamera({ directory, id: 1, clock });
  camera.create();
  now = 5_000_000;
  camera.heartbeat();
  const { lastWriteTime, heartbeatTime, startupTime } = camera.layout;
  const bytes = head(camera.path);
  expect([lastWriteTime, heartbeatTime ?? 0].map((offset) => bytes.readUInt32LE(offset))).toEqual([
    5000, 5000,
  ]);
  expect(bytes.readUInt32LE(startupTime ?? 0)).toBe(1000);
  camera.abandon();
});

test("a removed camera leaves no file", () => {
  const camera = createSimulatedCamera({ directory, id: 1 });
  camera.create();
  camera.remove();
  camera.remove();
  expect(() => statSync(camera.path)).toThrow("ENOENT");
});
