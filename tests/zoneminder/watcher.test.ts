import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSimulatedCamera, layoutById, type SimulatedCamera } from "../../src/demo/simulated-camera.ts";
import { WRITE_ORDERS } from "../../src/demo/write-order.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { Monitor } from "../../src/domain/monitor.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { ToldEarlier } from "../../src/zoneminder/monitor-watch.ts";
import { SHM_LAYOUTS } from "../../src/zoneminder/shm-layout.ts";
import { parseVersion, type ZmVersion } from "../../src/zoneminder/version.ts";
import { Watcher, type WatcherDeps } from "../../src/zoneminder/watcher.ts";
import { aMonitor, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";

let directory: string;
let watcher: Watcher | null;
let alarms: Alarm[];
let logged: string[];
const cameras: SimulatedCamera[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zmes-watcher-"));
  alarms = [];
  logged = [];
  watcher = null;
});

afterEach(async () => {
  await watcher?.stop();
  for (const camera of cameras.splice(0)) camera.abandon();
  rmSync(directory, { recursive: true, force: true });
});

function aCamera(change: Partial<Parameters<typeof createSimulatedCamera>[0]> = {}): SimulatedCamera {
  const camera = createSimulatedCamera({ directory, id: 1, layout: layoutById("zm-1.36.0"), ...change });
  cameras.push(camera);
  return camera;
}

interface Change extends Partial<WatcherDeps> {
  readonly version?: string;
  readonly toldEarlier?: ToldEarlier;
}

async function watch(monitors: readonly Monitor[], change: Change = {}) {
  const logger = pino({ level: "debug" }, { write: (line: string) => logged.push(line) });
  watcher = new Watcher({
    mapPath: directory,
    options: { scan_interval_ms: 3, event_id_wait_ms: 200 },
    clock: systemClock,
    logger,
    onAlarms: (batch) => alarms.push(...batch),
    isEventOpen: async () => null,
    onFilesChanged: () => undefined,
    onStall: () => undefined,
    ...change,
  });
  const version: ZmVersion | null = parseVersion(change.version ?? "1.36.33");
  watcher.setMonitors(monitors, version, () => change.toldEarlier ?? null);
  await watcher.start();
  return watcher;
}

const seen = () => alarms.map((a) => `${a.phase} ${a.monitor.id}:${a.eventId ?? 0}/${a.edge} ${a.cause}`);
const expectSeen = (expected: string[]) => eventually(() => expect(seen()).toEqual(expected));

/** Waits until the scan has gone round: what must not happen has had its chance. */
async function someScans(count = 3) {
  const from = watcher?.stats().scans ?? 0;
  await eventually(() => expect(watcher?.stats().scans).toBeGreaterThan(from + count), 2);
}

describe("the sign that the watching goes on", () => {
  it("is given after every look at all cameras", async () => {
    const onScan = vi.fn();
    await watch([], { onScan });
    await someScans();
    expect(onScan.mock.calls.length).toBe(watcher?.stats().scans);
  });

  it("is not given when a look fails", async () => {
    aCamera().create();
    const onScan = vi.fn();
    const onFilesChanged = () => {
      throw new Error("a mistake of ours");
    };
    await watch([], { onScan, onFilesChanged }); // the first look is at once
    expect(logged.join()).toContain("The scan failed");
    expect(onScan).not.toHaveBeenCalled();
  });
});

describe("an alarm in shared memory", () => {
  it.each(SHM_LAYOUTS.map((layout) => [`${layout.id} ${layout.abi}`, layout] as const))(
    "is seen in the layout %s",
    async (_, layout) => {
      const camera = aCamera({ layout });
      camera.create();
      await watch([aMonitor({ recording: "unknown" })], { version: versionOf(layout) });
      await someScans();
      camera.beginAlarm({ eventId: 41, cause: "Motion Porch" });
      const cause = layout.alarmCause === null ? "" : "Motion Porch";
      await expectSeen([`started 1:41/1 ${cause}`]);
      camera.endAlarm();
      await eventually(() => expect(alarms.at(-1)?.phase).toBe("ended"));
    },
  );

  it.each(Object.entries(WRITE_ORDERS))(
    "has its own event and cause in the write order of %s",
    async (family, order) => {
      const camera = aCamera({ ...forFamily(family), writeOrder: order });
      camera.create();
      camera.setLastEvent(40);
      camera.setCause("old");
      await watch([aMonitor()], { version: family.replace(/^(\d+\.\d+)$/, "$1.0") });
      await someScans();
      for (const { step, write } of camera.alarmSteps({ eventId: 41, cause: "new" })) {
        write();
        if (step !== "event") await someScans(2); // the cause follows the id within microseconds
      }
      const cause = forFamily(family).layout.alarmCause === null ? "" : "new";
      await expectSeen([`started 1:41/1 ${cause}`]);
    },
  );

  it("is seen by the trigger's cause where there is no other", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    camera.setTrigger({ on: true, cause: "Forced Web" });
    camera.setLastEvent(9);
    camera.setState("alarm");
    await expectSeen(["started 1:9/1 Forced Web"]);
  });

  it("keeps names and causes in any language", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    camera.beginAlarm({ eventId: 9, cause: "Motion Garáž,車庫" });
    await expectSeen(["started 1:9/1 Motion Garáž,車庫"]);
  });

  it("has an id beyond 32 bits where ZoneMinder counts that far", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    camera.beginAlarm({ eventId: 2 ** 40 + 5, cause: "" });
    await expectSeen([`started 1:${2 ** 40 + 5}/1 `]);
  });

  it("reads 1.36.15 and 1.36.16 by their own numbering of the states", async () => {
    const camera = aCamera({ stateEnum: "A" });
    camera.create();
    await watch([aMonitor()], { version: "1.36.15" });
    await someScans();
    camera.setState("prealarm"); // 1, which 1.36.16 calls IDLE
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
  });

  it("is found by the bytes alone when the version is not known", async () => {
    const camera = aCamera({ stateEnum: "A" });
    camera.create();
    await watch([aMonitor()], { version: "" });
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
  });
});

it("an alarm that came and went between two scans is told, and ended", async () => {
  const camera = aCamera({ layout: layoutById("zm-1.38.0") });
  camera.create();
  await watch([aMonitor()], { version: "1.38.1" });
  await someScans();
  camera.beginAlarm({ eventId: 9, cause: "x" });
  camera.endAlarm();
  await expectSeen(["started 1:9/1 x", "ended 1:9/1 x"]);
});

describe("a time without scans", () => {
  const blockFor = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  it("as long as a short alarm is reported, for one may have come and gone", async () => {
    const onStall = vi.fn();
    await watch([aMonitor()], { onStall });
    await someScans();
    blockFor(700);
    await eventually(() => expect(onStall).toHaveBeenCalledTimes(1));
  });

  it("is none where scans are that far apart", async () => {
    const onStall = vi.fn();
    await watch([aMonitor()], { onStall, options: { scan_interval_ms: 550, event_id_wait_ms: 200 } });
    await eventually(() => expect(watcher?.stats().scans).toBeGreaterThan(2));
    expect(onStall).not.toHaveBeenCalled();
  });
});

describe("a file that changes under the watcher", () => {
  it("is followed to its new inode when the camera reconnects in the middle of an alarm", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
    camera.reinitialise();
    await expectSeen(["started 1:9/1 x", "ended 1:9/1 x"]);
    camera.beginAlarm({ eventId: 10, cause: "y" });
    await expectSeen(["started 1:9/1 x", "ended 1:9/1 x", "started 1:10/1 y"]);
  });

  it("is waited for while it holds zeroes", async () => {
    const camera = aCamera();
    await watch([aMonitor()]);
    camera.createZeroed();
    await someScans();
    camera.fill();
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
  });

  it("may be truncated and filled again without an alarm", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    await someScans();
    camera.truncate(0);
    await someScans();
    camera.create();
    await someScans(10);
    expect(seen()).toEqual([]);
  });

  it("may be replaced by a rename within one tick of the clock", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    await someScans();
    const other = createSimulatedCamera({ directory: tmpdir(), id: 987_001, layout: camera.layout });
    other.create();
    renameSync(other.path, camera.path);
    other.beginAlarm({ eventId: 77, cause: "z" });
    await expectSeen(["started 1:77/1 z"]);
    other.abandon();
  });

  it("brings back the alarm that was only unreadable for a moment, once", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
    camera.writeBytes(camera.layout.valid, Uint8Array.of(0));
    await someScans();
    camera.writeBytes(camera.layout.valid, Uint8Array.of(1));
    await someScans(10);
    expect(seen()).toEqual(["started 1:9/1 x"]);
  });

  it("ends the alarm of a monitor that is no longer there", async () => {
    const camera = aCamera();
    camera.create();
    const running = await watch([aMonitor()]);
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
    running.setMonitors([], null, () => null);
    await expectSeen(["started 1:9/1 x", "ended 1:9/1 x"]);
  });

  it("is announced when it appears or disappears", async () => {
    let changes = 0;
    await watch([], { onFilesChanged: () => (changes += 1) });
    const before = changes;
    const camera = aCamera();
    camera.create();
    await eventually(() => expect(changes).toBeGreaterThan(before));
    const between = changes;
    camera.remove();
    await eventually(() => expect(changes).toBeGreaterThan(between));
  });
});

describe("a camera whose settings may have changed", () => {
  const announced = async (change: (camera: SimulatedCamera) => void) => {
    const files = vi.fn();
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()], { onFilesChanged: files });
    await someScans();
    files.mockClear();
    change(camera);
    await eventually(() => expect(files).toHaveBeenCalled());
  };

  it("is announced when its file is replaced between two scans", () =>
    announced((camera) => camera.reinitialise()));

  it("is announced when its file is filled anew in place", () =>
    announced((camera) => {
      const { startupTime } = camera.layout;
      camera.writeBytes(startupTime ?? 0, Uint8Array.of(1, 2, 3, 4));
    }));
});

describe("what the watcher does not understand", () => {
  it("costs one clear error for that monitor, and the others go on", async () => {
    const strange = Buffer.alloc(4096);
    strange.writeUInt32LE(1234, 0);
    strange.writeUInt32LE(560, 1234);
    writeFileSync(join(directory, "zm.mmap.2"), strange);
    const camera = aCamera();
    camera.create();
    await watch([aMonitor(), aMonitor({ id: mid(2), name: "Odd" })]);
    await someScans(10);
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
    const complaints = logged.filter((line) => line.includes("Odd"));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain("SharedData 1234 bytes, TriggerData 560");
  });

  it("is a folder that is missing: said once, and used when it comes", async () => {
    const missing = join(directory, "later");
    await watch([aMonitor()], { mapPath: missing });
    await eventually(() => expect(logged.filter((line) => line.includes("does not exist"))).toHaveLength(1));
  });

  it("is a pipe where a file should be, which never stops the scan", async () => {
    execFileSync("mkfifo", [join(directory, "zm.mmap.2")]);
    const camera = aCamera();
    camera.create();
    await watch([aMonitor(), aMonitor({ id: mid(2) })]);
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
  });

  it("is a link to itself where a file should be, which costs that monitor only", async () => {
    symlinkSync("zm.mmap.2", join(directory, "zm.mmap.2"));
    const camera = aCamera();
    camera.create();
    await watch([aMonitor({ id: mid(2), name: "Odd" }), aMonitor()]);
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
    expect(logged.filter((line) => line.includes("ELOOP"))).toHaveLength(1);
  });

  it("is a folder that cannot be read: said once, and used when it can", async () => {
    const folder = join(directory, "shm");
    symlinkSync("shm", folder);
    await watch([aMonitor()], { mapPath: folder });
    await someScans(5);
    expect(logged.filter((line) => line.includes("ELOOP"))).toHaveLength(1);
    rmSync(folder);
    mkdirSync(folder);
    const camera = aCamera({ directory: folder });
    camera.create();
    await eventually(() => expect(logged.some((line) => line.includes("is there"))).toBe(true));
    await someScans();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await expectSeen(["started 1:9/1 x"]);
  });

  it("is random bytes, which never stop the scan", async () => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()]);
    for (let round = 0; round < 200; round++) {
      const offset = (round * 37) % 700;
      camera.writeBytes(offset, crypto.getRandomValues(new Uint8Array(16)));
      if (round % 20 === 0) await someScans(1);
    }
    camera.reinitialise();
    await someScans();
    alarms.length = 0;
    camera.beginAlarm({ eventId: 5, cause: "x" });
    await eventually(() => expect(seen()).toContain("started 1:5/1 x"));
  });
});

describe("a doubtful event", () => {
  const play = async (open: boolean | null) => {
    const camera = aCamera();
    camera.create();
    await watch([aMonitor()], { isEventOpen: async () => open });
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await eventually(() => expect(alarms).toHaveLength(1));
    camera.endAlarm();
    await eventually(() => expect(alarms).toHaveLength(2));
    camera.setState("alarm");
    await eventually(() => expect(alarms).toHaveLength(3));
    return alarms[2]?.eventId;
  };

  it("is the alarm's when the database says it is open", async () => {
    expect(await play(true)).toBe(9);
  });

  it("is not when it is closed: the alarm has no event", async () => {
    expect(await play(false)).toBeNull();
  });
});

describe("while the database is asked about an event", () => {
  const doubt = async (change: Change = {}) => {
    const camera = aCamera();
    camera.create();
    const answer = Promise.withResolvers<boolean | null>();
    const asked = vi.fn(() => answer.promise);
    const running = await watch([aMonitor()], { isEventOpen: asked, ...change });
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await eventually(() => expect(alarms).toHaveLength(1));
    camera.endAlarm();
    await eventually(() => expect(alarms).toHaveLength(2));
    camera.setState("alarm");
    await eventually(() => expect(asked).toHaveBeenCalled());
    return { camera, answer, running };
  };

  it("a newer alarm keeps its event whatever the answer is", async () => {
    const { camera, answer } = await doubt();
    camera.endAlarm();
    await someScans();
    camera.beginAlarm({ eventId: 10, cause: "y" });
    await someScans();
    answer.resolve(false);
    await eventually(() => expect(alarms).toHaveLength(5));
    camera.setLastEvent(11);
    await eventually(() =>
      expect(seen().slice(4)).toEqual(["started 1:10/1 y", "ended 1:10/1 y", "started 1:11/1 y"]),
    );
  });

  it("the alarm of a monitor that is taken away is told, and ended", async () => {
    const { answer, running } = await doubt();
    running.setMonitors([], null, () => null);
    answer.resolve(false);
    await expectSeen(["started 1:9/1 x", "ended 1:9/1 x", "started 1:0/1 x", "ended 1:0/1 x"]);
  });

  it("a receiver that fails is logged and ends nothing", async () => {
    const { camera, answer } = await doubt({
      onAlarms: (batch) => {
        if (batch.some((alarm) => alarm.eventId === null)) throw new Error("a fault of ours");
        alarms.push(...batch);
      },
    });
    answer.resolve(false);
    await eventually(() => expect(logged.some((line) => line.includes("a fault of ours"))).toBe(true));
    camera.endAlarm();
    await someScans();
    camera.beginAlarm({ eventId: 10, cause: "y" });
    await eventually(() => expect(seen().at(-1)).toBe("started 1:10/1 y"));
  });
});

describe("the first scan", () => {
  it("reports the end of the alarm told before the restart, which is not told again", async () => {
    const camera = aCamera();
    camera.create();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await watch([aMonitor()], { toldEarlier: { event: eid(9), edge: 2, at: 1_000, open: true } });
    await someScans();
    camera.endAlarm();
    await expectSeen(["ended 1:9/2 "]);
    expect(alarms[0]?.id).toBe("1:9:2");
  });

  it("marks a running alarm late, and only that", async () => {
    const camera = aCamera();
    camera.create();
    camera.beginAlarm({ eventId: 9, cause: "x" });
    await watch([aMonitor()]);
    await eventually(() => expect(alarms.map((alarm) => alarm.late)).toEqual([true]));
    camera.endAlarm();
    await someScans();
    camera.beginAlarm({ eventId: 10, cause: "x" });
    await eventually(() => expect(alarms.at(-1)).toMatchObject({ eventId: eid(10), late: false }));
  });
});

/** A release that writes the layout, for where the size alone does not say. */
function versionOf(layout: (typeof SHM_LAYOUTS)[number]): string {
  const known: Record<string, string> = {
    "zm-dev-1.31-c": "1.31.40",
    "zm-dev-1.37-a": "1.37.6",
    "zm-dev-1.37-d": "1.37.45",
    "zm-1.36.34": "1.36.36",
    "zm-1.37.61": "1.37.65",
    "zm-1.38.0": "1.38.1",
    "zm-1.32.3": "1.34.26",
  };
  return known[layout.id] ?? "1.36.33";
}

function forFamily(family: string) {
  if (family === "1.30") return { layout: layoutById("zm-1.30") };
  if (family.startsWith("1.34")) return { layout: layoutById("zm-1.32.3") };
  if (family === "1.36.15") return { layout: layoutById("zm-1.36.0") };
  return { layout: layoutById("zm-1.38.0") };
}
