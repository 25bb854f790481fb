// What is cleared away after a program that could not do it itself, and what never is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder, removeAbandoned } from "../../../src/detect/resident/left-overs.ts";
import { eventually } from "../../support/eventually.ts";
import { isAlive } from "../alive.ts";

const MINUTE_MS = 60_000;
let parent = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "zmes-left-overs-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const later = () => Date.now() + 2 * MINUTE_MS;

test("a folder that no process uses is removed with all that is in it", async () => {
  const folder = makeFolder(parent);
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in/file"), "x");
  await removeAbandoned(parent, later());
  expect(existsSync(folder)).toBe(false);
});

test("a folder that a process has as TMPDIR stays until that has ended", async () => {
  const folder = makeFolder(parent);
  const child = spawn("sleep", ["60"], { env: { PATH: process.env.PATH, TMPDIR: folder } });
  await once(child, "spawn");
  await removeAbandoned(parent, later());
  expect(existsSync(folder)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  await removeAbandoned(parent, later());
  expect(existsSync(folder)).toBe(false);
});

test("a folder that was made a moment ago stays: its process may be about to start", async () => {
  const folder = makeFolder(parent);
  await removeAbandoned(parent, Date.now());
  expect(existsSync(folder)).toBe(true);
});

test("a link of that name is not followed, and what it leads to stays", async () => {
  const folder = makeFolder(parent);
  const elsewhere = join(parent, "elsewhere");
  renameSync(folder, elsewhere);
  writeFileSync(join(elsewhere, "file"), "x");
  symlinkSync(elsewhere, folder);
  await removeAbandoned(parent, later());
  expect(lstatSync(folder).isSymbolicLink()).toBe(true);
  expect(readdirSync(elsewhere)).toEqual(["file"]);
});

test("what a link inside of it leads to stays", async () => {
  const folder = makeFolder(parent);
  writeFileSync(join(parent, "precious"), "x");
  symlinkSync(parent, join(folder, "link"));
  await removeAbandoned(parent, later());
  expect(readdirSync(parent)).toEqual(["precious"]);
});

test("files, other names and other namespaces of processes are left alone", async () => {
  const name = basename(makeFolder(parent));
  rmSync(join(parent, name), { recursive: true });
  writeFileSync(join(parent, name), "a file");
  mkdirSync(join(parent, "zmes-detector-1-abcdef"));
  mkdirSync(join(parent, "other"));
  await removeAbandoned(parent, later());
  expect(readdirSync(parent).toSorted()).toEqual([name, "other", "zmes-detector-1-abcdef"].toSorted());
});

test.skipIf(process.getuid?.() !== 0)("a folder of another user stays", async () => {
  const folder = makeFolder(parent);
  chownSync(folder, 65_534, 65_534);
  await removeAbandoned(parent, later());
  expect(existsSync(folder)).toBe(true);
});

/** Keeps a detector with the stand-in for its process; prints that one's pid. */
const PROGRAM = `
import { createKeeper } from ${JSON.stringify(new URL("../../../src/detect/resident/keeper.ts", import.meta.url))};
const logger = { info() {}, warn() {}, error() {}, debug() {} };
const clock = { now: () => Date.now() + Number(process.argv[2] ?? 0), monotonic: () => performance.now() };
const keeper = createKeeper({
  setup: {}, idleMs: 0, hasWork: () => false, onMessage() {}, onEnd() {},
  onReady: () => console.log(keeper.pid()),
  deps: { environment: process.env, clock, logger, script: process.argv[1] },
});
keeper.wake();
`;

test("the next start clears away what is left of a program that was killed", async () => {
  const script = fileURLToPath(new URL("../stand-in-process.ts", import.meta.url));
  const start = async (clockAheadMs: number) => {
    const argv = ["--input-type=module", "-e", PROGRAM, "--", script, String(clockAheadMs)];
    const program = spawn(process.execPath, argv, { env: { ...process.env, TMPDIR: parent } });
    const [pid] = await once(program.stdout, "data");
    return { detector: Number(pid), end: () => program.kill("SIGKILL") };
  };
  const first = await start(0);
  const [left = ""] = readdirSync(parent);
  first.end();
  await eventually(() => expect(isAlive(first.detector)).toBe(false));
  expect(readdirSync(parent)).toEqual([left]);
  const second = await start(2 * MINUTE_MS);
  try {
    await eventually(() => expect(readdirSync(parent)).not.toContain(left));
    // Its own; that the clock of this one runs ahead makes it old, and its process keeps it.
    expect(readdirSync(parent)).toHaveLength(1);
  } finally {
    second.end();
    await eventually(() => expect(isAlive(second.detector)).toBe(false));
  }
});
