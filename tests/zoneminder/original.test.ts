import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { detectOriginal } from "../../src/zoneminder/original.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-original-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A folder like /proc with one process in it. */
function aProc(words: readonly string[], program = "/usr/bin/perl"): string {
  mkdirSync(path.join(directory, "42"));
  mkdirSync(path.join(directory, "self"));
  writeFileSync(path.join(directory, "42", "cmdline"), words.map((word) => `${word}\0`).join(""));
  symlinkSync(program, path.join(directory, "42", "exe"));
  return directory;
}

test("a Perl program of that name is found in the real list of processes", async () => {
  const script = path.join(directory, "zmeventnotification.pl");
  writeFileSync(script, '$| = 1; print "up\\n"; sleep 60;');
  const running: ChildProcess = spawn("perl", ["-w", script], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    if (running.stdout !== null) await once(running.stdout, "data");
    expect(detectOriginal()).not.toBeNull();
  } finally {
    running.kill("SIGKILL");
  }
});

test.each([
  [["/usr/bin/perl", "-wT", "/usr/bin/zmeventnotification.pl"], "/usr/bin/perl", 42],
  [["zmeventnotification.pl"], "/usr/bin/perl5.36", 42],
  [["/usr/bin/perl", "-wT", "/usr/bin/zmdc.pl", "start", "zmeventnotification.pl"], "/usr/bin/perl", null],
  [["zmeventnotification.pl"], "/usr/lib/zmes/node", null],
  [["grep", "zmeventnotification.pl"], "/usr/bin/grep", null],
  [["vi", "/usr/bin/zmeventnotification.pl"], "/usr/bin/vi", null],
  [[], "/usr/bin/perl", null],
] as const)("%j run by %s gives %s", (words, program, expected) => {
  expect(detectOriginal(aProc(words, program))).toBe(expected);
});

test("no list of processes means no original", () => {
  expect(detectOriginal("/nonexistent")).toBeNull();
});
