import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { readText, replaceFile, setAside, stampOf } from "../../src/store/json-file.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-json-"));
  file = join(folder, "tokens.txt");
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

/** Without rights anywhere, on every Linux. */
const NOBODY = 65_534;

const safety = () => join(folder, "data", "tokens.txt.safety");
const replace = (text: string) => replaceFile(file, text, { safety: safety() });

test("a new file is made with its folder, for the user and the group only", async () => {
  file = join(folder, "push", "tokens.txt");
  await replace("one");
  expect(readFileSync(file, "utf8")).toBe("one");
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test("what somebody writes as soon as the new file has its name is no part of its stamp", async () => {
  await replace("one");
  const { ino } = statSync(file);
  const replacing = replace("two");
  while (statSync(file).ino === ino) await nextTurn();
  writeFileSync(file, "by hand");
  expect(await replacing).not.toBe((await stampOf(file))?.stamp);
});

test("the stamp that is returned is the file's, until somebody changes it", async () => {
  expect(await replace("one")).toBe((await stampOf(file))?.stamp);
});

test("the content before is kept once, and nothing else lies around", async () => {
  for (const text of ["one", "two", "three"]) await replace(text);
  expect(readFileSync(file, "utf8")).toBe("three");
  expect(readFileSync(`${file}.bak`, "utf8")).toBe("two");
  expect(readdirSync(folder).sort()).toEqual(["tokens.txt", "tokens.txt.bak"]);
});

test.each([0o600, 0o640, 0o664])("the rights %i of a file stay, also on its copy", async (mode) => {
  writeFileSync(file, "one");
  chmodSync(file, mode);
  await replace("two");
  expect([statSync(file).mode & 0o777, statSync(`${file}.bak`).mode & 0o777]).toEqual([mode, mode]);
});

test("behind a symbolic link the file is replaced, not the link", async () => {
  const target = join(folder, "elsewhere.txt");
  writeFileSync(target, "one");
  symlinkSync(target, file);
  await replace("two");
  expect(readFileSync(target, "utf8")).toBe("two");
  expect(existsSync(`${target}.bak`)).toBe(true);
});

test("the stamp that is returned is the one the file has, and changes with it", async () => {
  const stamp = await replace("one");
  expect((await stampOf(file))?.stamp).toBe(stamp);
  expect((await readText(file))?.stamp).toBe(stamp);
  expect(await replace("two")).not.toBe(stamp);
});

test("a file that does not exist is no content; one that cannot be read is an error", async () => {
  expect(await readText(file)).toBeNull();
  mkdirSync(file);
  await expect(readText(file)).rejects.toThrow(/EISDIR/);
});

test("where only the file is ours it is written in place, and a copy lies in the data directory first", () => {
  const data = join(folder, "data");
  mkdirSync(data);
  writeFileSync(file, "the old content, which is longer");
  const root = process.getuid?.() === 0;
  if (root) for (const name of [data, file]) chownSync(name, NOBODY, NOBODY);
  chmodSync(folder, 0o555);
  const inode = statSync(file).ino;
  const script = fileURLToPath(new URL("./write-tokens-once.ts", import.meta.url));
  execFileSync(process.execPath, [script, file, safety(), "the new one"], {
    ...(root && { uid: NOBODY, gid: NOBODY }),
  });
  expect([readFileSync(file, "utf8"), statSync(file).ino]).toEqual(["the new one", inode]);
  expect(readFileSync(safety(), "utf8")).toBe("the new one");
  expect(readdirSync(folder).sort()).toEqual(["data", "tokens.txt"]);
});

test("what was set aside stays as it is when the file is then written in place", async () => {
  writeFileSync(file, "damaged");
  const aside = await setAside(file, "damaged", folder);
  const handle = openSync(file, "r+");
  writeSync(handle, "whole one");
  closeSync(handle);
  expect(readFileSync(aside, "utf8")).toBe("damaged");
});

test("on a full disk the old content stays, and nothing half written", async () => {
  const disk = mkdtempSync(join(tmpdir(), "zmes-full-"));
  onTestFinished(() => rmSync(disk, { recursive: true, force: true }));
  file = join(disk, "tokens.txt");
  writeFileSync(file, "one");
  // More than a file may have, in a process of its own, is refused as a full disk is (EFBIG, ENOSPC).
  const script = fileURLToPath(new URL("./write-tokens-once.ts", import.meta.url));
  const command = `ulimit -f 8; trap '' XFSZ; exec "$0" "$@"`;
  const big = "x".repeat(100_000);
  expect(() =>
    execFileSync("bash", ["-c", command, process.execPath, script, file, `${disk}/safety`, big], {
      stdio: "pipe",
    }),
  ).toThrow(/EFBIG/);
  expect(readFileSync(file, "utf8")).toBe("one");
  expect(readdirSync(disk)).toEqual(["tokens.txt"]);
});

test("setting aside never takes a name that is in use", async () => {
  writeFileSync(file, "one");
  expect(await setAside(file, "damaged")).toBe(`${file}.damaged`);
  writeFileSync(file, "two");
  expect(await setAside(file, "damaged")).toBe(`${file}.damaged-2`);
  expect(readFileSync(`${file}.damaged`, "utf8")).toBe("one");
});

test("a process that is killed while it writes leaves the old content or the new", async () => {
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL("./write-tokens-forever.ts", import.meta.url)),
      file,
    ]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    // Killed at any moment of a write: which one is left to chance, so that all of them have their turn.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    for (const name of [file, `${file}.bak`]) {
      const content = JSON.parse(readFileSync(name, "utf8"));
      expect(content.end).toBe(content.round);
    }
  }
});
