import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRunner, type RunnerOptions } from "../../src/hooks/runner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { ProgramRunner } from "../../src/lib/run-program.ts";
import { eventually } from "../support/eventually.ts";

let folder = "";
const runners: ProgramRunner[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-runner-"));
});
afterEach(() => {
  for (const runner of runners.splice(0)) runner.stop();
  rmSync(folder, { recursive: true, force: true });
});

function runner(change: Partial<RunnerOptions> = {}): ProgramRunner {
  const made = createRunner({
    concurrency: 4,
    environment: process.env,
    clock: systemClock,
    graceMs: 300,
    ...change,
  });
  runners.push(made);
  return made;
}

function script(text: string, name = "script.sh", mode = 0o755): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const run = (text: string, args: readonly string[] = [], timeoutMs = 10_000) =>
  runner().run({ argv: [script(`#!/bin/sh\n${text}`), ...args], timeoutMs });

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const isAlive = (file: string): boolean => {
  const pid = readFileSync(file, "utf8").trim();
  return (
    pid !== "" && existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  );
};

describe("a script", () => {
  it("gives its exit code and what it printed", async () => {
    const result = await run("echo out; echo trouble >&2; exit 3");
    expect(result).toMatchObject({
      end: { kind: "exited", code: 3 },
      stdout: "out\n",
      stderr: "trouble\n",
      isCut: false,
    });
  });

  it("loses nothing it printed when the machine stands still as it ends", async () => {
    // All three end before the loop hears of any: time passes as the first is read, and again right after the second.
    const first = spawn("sh", ["-c", "echo x"]);
    first.stdout.once("data", () => standStill(500));
    const result = run("sleep 0.3; echo out");
    await new Promise((resolve) => setImmediate(resolve));
    const third = spawn("true");
    third.once("exit", () => standStill(300));
    standStill(150);
    expect(await result).toMatchObject({ end: { kind: "exited", code: 0 }, stdout: "out\n" });
  });

  it.each([
    `"; touch FILE; "`,
    "$(touch FILE)",
    "`touch FILE`",
    "'; touch FILE #",
    "a\nb\ttouch FILE",
    "--help",
    "Straße ☃",
    "",
  ])("gets %j as it is: no shell looks at it", async (name) => {
    const file = join(folder, "made");
    const given = name.replaceAll("FILE", file);
    const result = await run(`printf '%s|%s' "$#" "$1"`, [given]);
    expect(result.stdout).toBe(`1|${given}`);
    expect(existsSync(file)).toBe(false);
  });

  it("gets arguments without the bytes no program can take, and not longer than the system allows", async () => {
    const result = await run(`printf '%s|%s' "$1" "$(printf %s "$2" | wc -c)"`, [
      "a\0b",
      "x".repeat(300_000),
    ]);
    expect(result.stdout.replace(/\s/g, "")).toBe("ab|32000");
  });

  it("gets a long argument whole, up to what the system allows", async () => {
    const given = ["x".repeat(131_071), "€".repeat(43_690), "€".repeat(43_691)];
    const result = await run(`for each; do printf %s "$each" | wc -c; done`, given);
    expect(result.stdout.trim().split(/\s+/)).toEqual(["131071", "131070", "96000"]);
  });

  it("runs without a first line that names its interpreter", async () => {
    const file = script("echo plain $1\n");
    const result = await runner().run({ argv: [file, "7"], timeoutMs: 10_000 });
    expect(result).toMatchObject({ end: { kind: "exited", code: 0 }, stdout: "plain 7\n" });
  });

  it("finds the environment of the original: plain PATH and shell, nothing that changes how a shell reads", async () => {
    const environment = {
      PATH: "/evil",
      HOME: "/home/zm",
      IFS: "/",
      ENV: "/evil",
      BASH_ENV: "/evil",
      CDPATH: "/",
    };
    const result = await runner({ environment }).run({ argv: ["env"], timeoutMs: 10_000 });
    const lines = result.stdout.trim().split("\n").sort();
    expect(lines).toEqual(["HOME=/home/zm", "PATH=/bin:/usr/bin", "SHELL=/bin/sh"]);
  });

  it("reads nothing: its input is empty", async () => {
    expect(await run("cat; echo end")).toMatchObject({ stdout: "end\n" });
  });

  it("may print 10 MB: it goes on to its end, and the beginning is kept", async () => {
    const result = await run("head -c 10000000 /dev/zero | tr '\\0' 'x'; exit 5");
    expect(result.end).toEqual({ kind: "exited", code: 5 });
    expect(result.stdout).toBe("x".repeat(65_536));
    expect(result.isCut).toBe(true);
  });

  it("may print bytes that are no text", async () => {
    const result = await run("printf '\\377\\000\\200ok'");
    expect(result.stdout.endsWith("ok")).toBe(true);
    expect(result.end).toEqual({ kind: "exited", code: 0 });
  });

  it("that is killed did not succeed", async () => {
    expect((await run("kill -9 $$")).end).toEqual({ kind: "killed", signal: "SIGKILL" });
  });

  it.each([
    ["is not there", (): string => join(folder, "none.sh"), "ENOENT"],
    ["may not be run", (): string => script("x", "no.sh", 0o644), "EACCES"],
    ["has no name", (): string => "", null],
  ] as const)("that %s was not started", async (_what, make, code) => {
    const { end } = await runner().run({ argv: [make()], timeoutMs: 1000 });
    expect(end).toMatchObject({ kind: "not-started" });
    if (code !== null) expect(end).toMatchObject({ code });
  });
});

describe("a script that does not end", () => {
  it("is ended when its time is over, with its children", async () => {
    const pids = join(folder, "child");
    const result = await run(`sleep 600 & echo $! > ${pids}; wait`, [], 300);
    expect(result.end).toEqual({ kind: "timeout" });
    await eventually(() => expect(isAlive(pids)).toBe(false));
  });

  it("is killed when it does not listen to TERM, and so are children that do not", async () => {
    const pids = join(folder, "child");
    const text = `trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $! > ${pids}; while :; do sleep 1; done`;
    const result = await run(text, [], 300);
    expect(result.end).toEqual({ kind: "timeout" });
    expect(result.ms).toBeLessThan(3_000);
    await eventually(() => expect(isAlive(pids)).toBe(false));
  });

  it("is ended by its signal at once", async () => {
    const abort = new AbortController();
    const running = runner().run({ argv: ["sleep", "600"], timeoutMs: 60_000, signal: abort.signal });
    setImmediate(() => abort.abort());
    expect((await running).end).toEqual({ kind: "aborted" });
  });

  it("is not even begun when its signal came first", async () => {
    const file = join(folder, "made");
    const signal = AbortSignal.abort();
    const result = await runner().run({ argv: ["touch", file], timeoutMs: 1000, signal });
    expect(result.end).toEqual({ kind: "aborted" });
    expect(existsSync(file)).toBe(false);
  });
});

describe("a child that outlives its script", () => {
  it("does not hold up the answer although it holds the output open, and ends when the time is over", async () => {
    const pids = join(folder, "child");
    const result = await run(`sleep 600 & echo $! > ${pids}; echo done`, [], 5_000);
    expect(result).toMatchObject({ end: { kind: "exited", code: 0 }, stdout: "done\n" });
    expect(result.ms).toBeLessThan(4_500);
    expect(isAlive(pids)).toBe(true);
    await eventually(() => expect(isAlive(pids)).toBe(false));
  });

  it("ends with the runner", async () => {
    const pids = join(folder, "child");
    const made = runner();
    const argv = [script(`#!/bin/sh\nsleep 600 & echo $! > ${pids}`)];
    await made.run({ argv, timeoutMs: 60_000 });
    expect(isAlive(pids)).toBe(true);
    made.stop();
    await eventually(() => expect(isAlive(pids)).toBe(false));
  });
});

it("a script is not begun when its signal comes in the same moment", async () => {
  const file = join(folder, "made");
  const abort = new AbortController();
  const running = runner().run({ argv: ["touch", file], timeoutMs: 1000, signal: abort.signal });
  abort.abort();
  expect((await running).end).toEqual({ kind: "aborted" });
  expect(existsSync(file)).toBe(false);
});

it("a script that waits for its turn ends by its signal at once", async () => {
  const made = runner({ concurrency: 1 });
  const first = made.run({ argv: ["sleep", "1"], timeoutMs: 10_000 });
  const abort = new AbortController();
  const second = made.run({ argv: ["sleep", "1"], timeoutMs: 10_000, signal: abort.signal });
  abort.abort();
  expect(await Promise.race([first, second])).toMatchObject({ end: { kind: "aborted" } });
  expect((await first).end).toEqual({ kind: "exited", code: 0 });
});

it("no more scripts run at once than it says, and every one gets its turn", async () => {
  const made = runner({ concurrency: 2 });
  const file = script(`#!/bin/sh\necho in >> ${folder}/log; sleep 0.05; echo out >> ${folder}/log\n`);
  await Promise.all(Array.from({ length: 6 }, () => made.run({ argv: [file], timeoutMs: 10_000 })));
  let inside = 0;
  let most = 0;
  for (const line of readFileSync(join(folder, "log"), "utf8").trim().split("\n")) {
    inside += line === "in" ? 1 : -1;
    most = Math.max(most, inside);
  }
  expect(most).toBe(2);
  expect(inside).toBe(0);
});
