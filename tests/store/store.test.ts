import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventId } from "../../src/domain/alarm.ts";
import type { ToldMark } from "../../src/domain/decision.ts";
import { monitorId } from "../../src/domain/monitor.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLogger, type LogRecord } from "../../src/lib/log.ts";
import { createStore, type Store, type StoreOptions } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";

let directory = "";
let records: LogRecord[] = [];
let opened: Store[] = [];
const file = (): string => path.join(directory, "data", "zmes.db");
const messages = (): readonly string[] => records.map((each) => each.message);

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-store-"));
  records = [];
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.stop()));
  rmSync(directory, { recursive: true, force: true });
});

async function aStore(name = file(), change: Partial<StoreOptions> = {}): Promise<Store> {
  const write = (record: LogRecord): void => void records.push(record);
  const log = createLogger([{ name: "x", level: "debug", write, close: async () => undefined }]);
  const store = createStore({ path: name, logger: log.logger, clock: systemClock, retryMs: 20, ...change });
  opened.push(store);
  await store.start(new AbortController().signal);
  return store;
}

function aMark(
  part: { readonly monitor?: number; readonly event?: number; readonly edge?: number } = {},
): ToldMark {
  const monitor = monitorId(part.monitor ?? 1);
  if (monitor === null) throw new Error("not a monitor");
  return {
    monitor,
    event: eventId(part.event ?? 0),
    edge: part.edge ?? 1,
    at: 1_795_000_000_000,
    open: true,
  };
}

describe("what was told", () => {
  test("is known after a restart", async () => {
    const store = await aStore();
    const marks = [aMark({ monitor: 1, event: 77 }), aMark({ monitor: 2 })];
    store.put(marks);
    await store.stop();
    expect(await (await aStore()).marks()).toEqual(marks);
  });

  test("is kept once per monitor, the newest", async () => {
    const store = await aStore();
    for (let edge = 1; edge <= 500; edge += 1) store.put([aMark({ edge })]);
    expect(await store.flush()).toBe(true);
    expect(await store.marks()).toEqual([aMark({ edge: 500 })]);
  });

  test("is on the disk once that is acknowledged, even if the process is killed", async () => {
    const script = fileURLToPath(new URL("write-marks-forever.ts", import.meta.url));
    const child = spawn(process.execPath, [script, file()], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (bytes: Buffer) => {
      printed += bytes.toString();
    });
    await eventually(() => expect(printed.split("\n").length).toBeGreaterThan(50));
    child.kill("SIGKILL");
    await once(child, "close");
    const acknowledged = Number(printed.trim().split("\n").at(-1));
    const [mark] = await (await aStore()).marks();
    expect(mark?.edge).toBeGreaterThanOrEqual(acknowledged);
  });
});

describe("a fact", () => {
  test("comes back as it was given, and undefined when there is none", async () => {
    const store = await aStore();
    store.putFact("monitors", [{ id: 1, name: "Küche" }]);
    expect(await store.fact("monitors")).toEqual([{ id: 1, name: "Küche" }]);
    await store.stop();
    const again = await aStore();
    expect(await again.fact("monitors")).toEqual([{ id: 1, name: "Küche" }]);
    expect(await again.fact("other")).toBeUndefined();
  });
});

describe("the file", () => {
  test("is for its user alone, in a folder for its group", async () => {
    const store = await aStore();
    store.put([aMark()]);
    await store.flush();
    for (const name of readdirSync(path.dirname(file()))) {
      expect(statSync(path.join(path.dirname(file()), name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(path.dirname(file())).mode & 0o027).toBe(0);
  });

  test("that is damaged is put aside and reported, and the store begins anew", async () => {
    await (await aStore()).stop();
    writeFileSync(file(), "this is no database, but somebody's shopping list\n".repeat(100));
    const store = await aStore();
    store.put([aMark()]);
    expect(await store.flush()).toBe(true);
    expect(messages()).toContain("The store was damaged and begins anew; the damaged file is kept");
    expect(readdirSync(path.dirname(file())).some((name) => name.startsWith("zmes.db.damaged-"))).toBe(true);
  });

  test("may be deleted while the program runs", async () => {
    const store = await aStore();
    store.put([aMark()]);
    await store.flush();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file() + suffix, { force: true });
    store.put([aMark({ edge: 2 })]);
    expect(await store.flush()).toBe(true);
    await store.stop();
    expect(await (await aStore()).marks()).toEqual([aMark({ edge: 2 })]);
  });
});

describe("trouble with the disk", () => {
  test("is told once, costs nothing but memory, and its end is told", async () => {
    writeFileSync(path.join(directory, "data"), "a file where the folder should be");
    const store = await aStore();
    store.put([aMark()]);
    await eventually(() => expect(store.health().failedWrites).toBeGreaterThan(3));
    expect(store.health().isWritable).toBe(false);
    expect(messages()).toEqual(["The store cannot be written; what it should hold is kept in memory"]);
    expect(await store.marks()).toEqual([aMark()]);
    rmSync(path.join(directory, "data"));
    execFileSync("mkdir", [path.join(directory, "data")]);
    await eventually(() => expect(store.health().isWritable).toBe(true));
    expect(messages().at(-1)).toBe("The store is written again");
    await store.stop();
    expect(await (await aStore()).marks()).toEqual([aMark()]);
  });

  test("does not keep the program from ending", async () => {
    writeFileSync(path.join(directory, "data"), "a file where the folder should be");
    const store = await aStore();
    store.put([aMark()]);
    const begun = performance.now();
    await store.stop();
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(messages()).toContain("The store could not be written at the end");
  });

  test.runIf(process.getuid?.() === 0)("such as no space left is survived", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory]);
    try {
      const store = await aStore();
      const ballast = path.join(directory, "ballast");
      expect(() => writeFileSync(ballast, Buffer.alloc(1_000_000))).toThrow(/ENOSPC/);
      store.putFact("big", "x".repeat(50_000));
      await eventually(() => expect(store.health().isWritable).toBe(false));
      rmSync(ballast);
      await eventually(() => expect(store.health().isWritable).toBe(true));
      expect(await store.fact("big")).toHaveLength(50_000);
      await store.stop();
    } finally {
      execFileSync("umount", [directory]);
    }
  });

  test.runIf(process.getuid?.() === 0)(
    "such as a read-only one leaves what was stored readable",
    async () => {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", directory]);
      try {
        const first = await aStore();
        first.put([aMark({ edge: 3 })]);
        await first.stop();
        execFileSync("mount", ["-o", "remount,ro", directory]);
        const store = await aStore();
        expect(await store.marks()).toEqual([aMark({ edge: 3 })]);
        expect(store.health().isWritable).toBe(false);
        await store.stop();
      } finally {
        execFileSync("umount", [directory]);
      }
    },
  );

  test("after the end nothing is done and nothing thrown", async () => {
    const store = await aStore();
    await store.stop();
    store.put([aMark()]);
    store.putFact("a", 1);
    expect(await store.fact("b")).toBeUndefined();
    expect(store.stop()).toBe(store.stop());
  });
});

test("a newer file is refused and stays as it is", async () => {
  await (await aStore()).stop();
  execFileSync(process.execPath, [
    "-e",
    `new (require("node:sqlite").DatabaseSync)(${JSON.stringify(file())}).exec("PRAGMA user_version = 999")`,
  ]);
  for (const suffix of ["-wal", "-shm"]) expect(existsSync(file() + suffix)).toBe(false);
  chmodSync(file(), 0o600);
  const before = statSync(file());
  await expect(aStore()).rejects.toMatchObject({ code: "STORE_NEWER" });
  const after = statSync(file());
  expect([after.mtimeMs, after.ino, after.size]).toEqual([before.mtimeMs, before.ino, before.size]);
});

describe("a disk that hangs", () => {
  const thread = new URL("../support/hanging-store-thread.ts", import.meta.url);
  const answer = (): void => writeFileSync(`${file()}.answers`, "");

  test("is not waited for, neither at the start nor afterwards, and is taken up when it answers", async () => {
    const store = await aStore(file(), { thread, patienceMs: 200 });
    expect(messages()).toEqual(["The store cannot be written; what it should hold is kept in memory"]);
    const asked = Promise.all([store.save([]), store.backlog(), store.changes()]);
    expect(await Promise.race([asked, nextTurn("waits")])).toEqual([null, null, null]);
    store.put([aMark({ event: 7 })]);
    answer();
    await eventually(() => expect(messages()).toContain("The store is written again"));
    expect(await store.flush()).toBe(true);
    expect(await store.backlog()).toEqual([]);
    expect(await store.marks()).toEqual([aMark({ event: 7 })]);
  });

  test("gives what earlier runs told, not what this one did meanwhile", async () => {
    const first = await aStore();
    first.put([aMark({ event: 7 })]);
    await first.stop();
    const second = await aStore(file(), { thread, patienceMs: 200 });
    second.put([aMark({ event: 9 })]);
    answer();
    expect(await second.marksBefore()).toEqual([aMark({ event: 7 })]);
    await eventually(async () => expect(await second.marks()).toEqual([aMark({ event: 9 })]));
  });

  test("may hold a file of a newer program, which is said and left alone", async () => {
    await (await aStore()).stop();
    const script = `new (require("node:sqlite").DatabaseSync)(${JSON.stringify(file())}).exec("PRAGMA user_version = 999")`;
    execFileSync(process.execPath, ["-e", script]);
    await aStore(file(), { thread, patienceMs: 200 });
    answer();
    await eventually(() => expect(messages().join()).toContain("[STORE_NEWER]"));
  });
});

describe("a large file", () => {
  const CUT_OFF = "The last run was cut off: the store is checked in the background";
  const DAMAGED = "The store was damaged and begins anew; the damaged file is kept";

  /** With a mark in it, and a history of 40 MB whose pages are damaged in the middle. */
  async function damagedHistory(): Promise<void> {
    const store = await aStore();
    store.put([aMark({ event: 7 })]);
    await store.stop();
    const fill = `const to = new (require("node:sqlite").DatabaseSync)(${JSON.stringify(file())});
      const row = to.prepare("INSERT INTO alarms (key, phase, seen_at, alarm) VALUES ('k', 'started', 1, ?)");
      to.exec("BEGIN");
      for (let count = 0; count < 40; count++) row.run("x".repeat(1_000_000));
      to.exec("COMMIT");
      to.close();`;
    execFileSync(process.execPath, ["-e", fill]);
    const damaged = openSync(file(), "r+");
    writeSync(damaged, Buffer.alloc(4096, 0x55), 0, 4096, 4096 * 5000);
    closeSync(damaged);
  }

  test("is checked in the background after a run that was cut off; what can be read of it is kept", async () => {
    await damagedHistory();
    writeFileSync(`${file()}-wal`, "the beginning of something");
    const store = await aStore();
    expect(messages()).toEqual([CUT_OFF]);
    // The check runs behind everything else: a machine without a moment to spare hardly lets it begin.
    await vi.waitFor(() => expect(messages()).toEqual([CUT_OFF, DAMAGED]), 60_000);
    expect(await store.marks()).toEqual([aMark({ event: 7 })]);
    store.put([aMark({ event: 8 })]);
    expect(await store.flush()).toBe(true);
  }, 90_000);

  test("is not checked after an end in order", async () => {
    await damagedHistory();
    const store = await aStore();
    expect(await store.marks()).toEqual([aMark({ event: 7 })]);
    await store.stop();
    expect(messages()).toEqual([]);
  });
});
