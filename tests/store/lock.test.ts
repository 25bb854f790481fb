import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockDataDirectory } from "../../src/store/lock.ts";

let directory = "";
let child: ChildProcess | null = null;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-lock-"));
});
afterEach(() => {
  child?.kill("SIGKILL");
  child = null;
  rmSync(directory, { recursive: true, force: true });
});

async function heldElsewhere(): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("hold-lock.ts", import.meta.url));
  const started = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  child = started;
  await once(started.stdout, "data");
  return started;
}

test("a second process is refused and told which one is first", async () => {
  const first = await heldElsewhere();
  expect(() => lockDataDirectory(directory)).toThrow(
    expect.objectContaining({
      code: "ALREADY_RUNNING",
      message: expect.stringContaining(`process ${first.pid}`),
    }),
  );
});

test("a link in the place of the process number is replaced, not followed", () => {
  const elsewhere = path.join(directory, "elsewhere");
  writeFileSync(elsewhere, "precious");
  symlinkSync(elsewhere, path.join(directory, "zmes.pid"));
  const lock = lockDataDirectory(directory, 4711);
  expect(readFileSync(path.join(directory, "zmes.pid"), "utf8")).toBe("4711\n");
  expect(readFileSync(elsewhere, "utf8")).toBe("precious");
  lock.release();
});

test("a process that was killed holds nothing", async () => {
  const first = await heldElsewhere();
  first.kill("SIGKILL");
  await once(first, "exit");
  const lock = lockDataDirectory(directory);
  expect(readFileSync(path.join(directory, "zmes.pid"), "utf8")).toBe(`${process.pid}\n`);
  lock.release();
});

test("a lock given back is free, and giving back twice does no harm", () => {
  const lock = lockDataDirectory(directory);
  lock.release();
  lock.release();
  expect(existsSync(path.join(directory, "zmes.pid"))).toBe(false);
  lockDataDirectory(directory).release();
});

test("a missing folder is made, not open to the world", () => {
  const missing = path.join(directory, "a", "b");
  lockDataDirectory(missing).release();
  expect(statSync(missing).mode & 0o027).toBe(0);
});

test("a folder that cannot be used is named", () => {
  const blocked = path.join(directory, "file");
  writeFileSync(blocked, "");
  expect(() => lockDataDirectory(path.join(blocked, "data"))).toThrow(
    expect.objectContaining({ code: "DATA_DIR_UNUSABLE", message: expect.stringContaining(blocked) }),
  );
});

test.runIf(process.getuid?.() === 0)("a full disk keeps nobody from starting, and a second one out", () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory]);
  try {
    lockDataDirectory(directory).release();
    expect(() => writeFileSync(path.join(directory, "ballast"), Buffer.alloc(100_000))).toThrow(/ENOSPC/);
    const lock = lockDataDirectory(directory);
    const script = fileURLToPath(new URL("hold-lock.ts", import.meta.url));
    expect(() =>
      execFileSync(process.execPath, [script, directory], { stdio: "pipe", timeout: 10_000 }),
    ).toThrow(/ALREADY_RUNNING|holds|running/i);
    lock.release();
  } finally {
    execFileSync("umount", [directory]);
  }
});
