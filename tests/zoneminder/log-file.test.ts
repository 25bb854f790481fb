import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import type { LogRecord } from "../../src/lib/log.ts";
import { createLogFile } from "../../src/zoneminder/log-file.ts";
import { eventually } from "../support/eventually.ts";

let directory = "";
const file = (): string => path.join(directory, "zmeventnotification.log");
const content = (): string => readFileSync(file(), "utf8");

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-log-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function saying(message: string): LogRecord {
  return { time: 0, level: "info", room: "main", message, fields: {} };
}

test("lines are appended to the file of before, in order, with mode 0640", async () => {
  writeFileSync(file(), "old\n", { mode: 0o640 });
  const log = createLogFile({ directory, level: "info", clock: systemClock });
  for (let number = 1; number <= 100; number += 1) log.write(saying(`line ${number}`));
  await log.close();
  const lines = content().trim().split("\n");
  expect(lines).toHaveLength(101);
  expect(lines[0]).toBe("old");
  expect(lines[100]).toMatch(/\[line 100\]$/);
  expect(statSync(file()).mode & 0o777).toBe(0o640);
});

test("a file that was moved away is opened anew on request", async () => {
  const log = createLogFile({ directory, level: "info", clock: { now: () => 0, monotonic: () => 0 } });
  log.write(saying("before"));
  await eventually(() => expect(content()).toContain("before"));
  renameSync(file(), `${file()}.1`);
  log.reopen?.();
  log.write(saying("after"));
  await log.close();
  expect(content()).toContain("after");
  expect(readFileSync(`${file()}.1`, "utf8")).not.toContain("after");
});

test("a file that vanished or was replaced is noticed without being told", async () => {
  let now = 0;
  const log = createLogFile({ directory, level: "info", clock: { now: () => 0, monotonic: () => now } });
  log.write(saying("one"));
  await eventually(() => expect(content()).toContain("one"));
  rmSync(file());
  now = 2000;
  log.write(saying("two"));
  await eventually(() => expect(content()).toContain("two"));
  renameSync(file(), `${file()}.1`);
  writeFileSync(file(), "new\n");
  now = 4000;
  log.write(saying("three"));
  await eventually(() => expect(content()).toContain("three"));
  await log.close();
});

test("more lines than the buffer holds are lost, and the count is written", async () => {
  const missing = path.join(directory, "away");
  const log = createLogFile({ directory: missing, level: "info", clock: systemClock });
  for (let number = 0; number < 30_000; number += 1) log.write(saying("x".repeat(100)));
  execFileSync("mkdir", [missing]);
  const there = (): string => readFileSync(path.join(missing, "zmeventnotification.log"), "utf8");
  await eventually(() =>
    expect(there()).toMatch(/\[\d+ lines were lost: the log file could not be written\]/),
  );
  await log.close();
});

test.runIf(process.getuid?.() === 0)(
  "a full disk never throws, and lines come again once there is space",
  async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory]);
    try {
      const log = createLogFile({ directory, level: "info", clock: systemClock });
      const ballast = path.join(directory, "ballast");
      expect(() => writeFileSync(ballast, Buffer.alloc(100_000))).toThrow(/ENOSPC/);
      log.write(saying("while full"));
      log.write(saying("still full"));
      rmSync(ballast);
      log.write(saying("space again"));
      await eventually(() => expect(content()).toContain("space again"));
      await log.close();
      expect(
        content()
          .split("\n")
          .filter((line) => line !== "" && !line.endsWith("]")),
      ).toEqual([]);
    } finally {
      execFileSync("umount", [directory]);
    }
  },
);
