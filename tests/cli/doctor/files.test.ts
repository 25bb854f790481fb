/** The checks that look at files and processes of this machine. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Check, ok, runChecks } from "../../../src/cli/doctor/check.ts";
import { configuration } from "../../../src/cli/doctor/configuration.ts";
import { dataDirectory, disk, room, tokenFile } from "../../../src/cli/doctor/data.ts";
import { hooks } from "../../../src/cli/doctor/hooks.ts";
import { port } from "../../../src/cli/doctor/port.ts";
import { findPortHolder } from "../../../src/cli/doctor/port-holder.ts";
import { judge } from "../../../src/cli/doctor/starter.ts";
import { machine, system } from "../../../src/cli/doctor/system.ts";
import { zoneminder } from "../../../src/cli/doctor/zoneminder.ts";
import { createPatient, type Patient, said } from "../../support/doctor.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";

let patient: Patient;
beforeEach(() => {
  patient = createPatient();
});
afterEach(() => patient.remove());

test("on this machine the program can run", async () => {
  const found = await patient.examine(system);
  for (const { level, text } of found) if (!text.includes("runs as root")) expect(level).toBe("ok");
});

test.each([
  { platform: "darwin", arch: "arm64", glibc: null, word: "64-bit Linux" },
  { platform: "linux", arch: "arm", glibc: "2.36", word: "64-bit Linux" },
  { platform: "linux", arch: "x64", glibc: null, word: "no glibc" },
  { platform: "linux", arch: "x64", glibc: "2.27", word: "at least 2.28" },
])("$platform $arch with glibc $glibc is a problem", ({ platform, arch, glibc, word }) => {
  const [found] = machine(platform, arch, glibc);
  expect(found?.level).toBe("problem");
  expect(found?.text).toContain(word);
});

test("glibc 2.28 is enough, and so is 3.0", () => {
  expect([...machine("linux", "x64", "2.28"), ...machine("linux", "arm64", "3.0")]).toEqual([]);
});

test("a zm.conf that is missing is a problem, and the fix names the key", async () => {
  rmSync(join(patient.folder, "zm.conf"));
  const [found] = await patient.examine(zoneminder);
  expect(found).toMatchObject({ level: "problem", text: expect.stringContaining("no such file") });
  expect(found?.fix).toContain("zoneminder.config");
});

test("what is wrong in the configuration is told with its line, and nothing about push twice", async () => {
  const found = await patient.examine(configuration, { network: { prot: 1 }, fcm: { enable: true } });
  expect(said(found).filter((line) => line.startsWith("warning"))).toEqual([
    expect.stringMatching(/^warning: .*zmes\.yml:\d+ .*prot/),
  ]);
});

test("a data directory that is missing comes with the command that makes it", async () => {
  const [found] = await patient.examine(dataDirectory, { general: { base_data_path: "/nowhere/zmes" } });
  expect(found).toMatchObject({ level: "problem", text: "/nowhere/zmes does not exist" });
  expect(found?.fix).toContain("sudo install -d -o ");
});

test("a data directory in order is, and so is its disk", async () => {
  expect((await patient.examine(dataDirectory))[0]?.level).toBe("ok");
  expect((await patient.examine(disk))[0]?.text).toMatch(/^\d+ [MG]iB free/);
});

test.each([
  [1024, "problem"],
  [100 * 1024 * 1024, "warning"],
  [10 * 1024 ** 3, "ok"],
])("%i bytes on the disk: %s", (free, level) => {
  expect(room(free, "/x").level).toBe(level);
});

test("a token file: counted, damaged, and not there yet", async () => {
  const file = join(patient.folder, "tokens.txt");
  const fcm = { enable: true, token_file: file };
  expect(said(await patient.examine(tokenFile, { fcm }))[0]).toContain("No phone has registered yet");
  writeFileSync(file, "tokenA:1,2:0,0:android:enabled\n");
  expect(said(await patient.examine(tokenFile, { fcm }))).toEqual([`ok: ${file} has 1 phones`]);
  writeFileSync(file, '{"tokens": {"a": ');
  expect(await patient.examine(tokenFile, { fcm })).toMatchObject([
    { level: "problem", fix: expect.stringContaining(`${file}.bak`) },
  ]);
});

const SCRIPTS: readonly {
  readonly name: string;
  readonly text: string | null;
  readonly mode: number;
  readonly word: string;
}[] = [
  { name: "good", text: "#!/bin/sh\nexit 0\n", mode: 0o755, word: "can be run" },
  { name: "missing", text: null, mode: 0, word: "does not exist" },
  { name: "not executable", text: "#!/bin/sh\n", mode: 0o644, word: "may not be run" },
  { name: "from Windows", text: "#!/bin/sh\r\nexit 0\r\n", mode: 0o755, word: "line ends of Windows" },
  {
    name: "without its interpreter",
    text: "#!/opt/no/python\n",
    mode: 0o755,
    word: "which is not installed",
  },
  { name: "without a first line", text: "echo\n", mode: 0o755, word: "does not say by its first line" },
];
test.each(SCRIPTS)("a script that is $name: $word", async ({ text, mode, word }) => {
  const script = join(patient.folder, "start hook.sh");
  if (text !== null) writeFileSync(script, text);
  if (text !== null) chmodSync(script, mode);
  const hook = { event_start_hook: `'${script}' 1`, event_start_notify_on_hook_success: "all" };
  const [found] = await patient.examine(hooks, { customize: { use_hooks: true }, hook });
  expect(found?.text).toContain(word);
  expect(found?.level).toBe(word === "can be run" ? "ok" : "problem");
});

test("a folder is no script, and hooks that are off are not looked at", async () => {
  mkdirSync(join(patient.folder, "hook"));
  const hook = { event_end_hook: join(patient.folder, "hook") };
  expect((await patient.examine(hooks, { customize: { use_hooks: true }, hook }))[0]?.text).toContain(
    "not a file",
  );
  expect((await patient.examine(hooks, { customize: { use_hooks: false }, hook }))[0]?.level).toBe("skipped");
});

test("the program on the port is named with its process", async () => {
  const number = await freePort();
  const script = `require("net").createServer().listen(${number}, "127.0.0.1")`;
  const other = spawn("/bin/sh", ["-c", `exec "${process.execPath}" -e '${script}'`], { stdio: "ignore" });
  try {
    const holder = await eventually(() => {
      const found = findPortHolder(number);
      expect(found).not.toBeNull();
      return found;
    });
    expect(holder).toMatchObject({ pid: other.pid, isOurs: false });
    const [found] = await patient.examine(port, { network: { port: number } }, { holder });
    expect(found).toMatchObject({ level: "problem", text: expect.stringContaining(`process ${other.pid}`) });
  } finally {
    other.kill();
  }
});

test("a port of a process that cannot be seen is a problem with the command that finds it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const number = typeof address === "object" && address !== null ? address.port : 0;
  const [found] = await patient.examine(port, { network: { port: number, address: "127.0.0.1" } });
  server.close();
  expect(found).toMatchObject({
    level: "problem",
    fix: `Find out which: sudo ss -ltnp 'sport = :${number}'`,
  });
});

test("a free port means that the server does not run: a warning", async () => {
  const [found] = await patient.examine(port, { network: { port: await freePort() } });
  expect(found).toMatchObject({ level: "warning", text: expect.stringContaining("zmes is not running") });
});

test.each([
  { byZoneMinder: true, bySystemd: false, file: "foreign", level: "problem", word: "install-daemon" },
  { byZoneMinder: true, bySystemd: false, file: "absent", level: "problem", word: "install-daemon" },
  { byZoneMinder: true, bySystemd: true, file: "ours", level: "warning", word: "Keep one of them" },
  { byZoneMinder: true, bySystemd: false, file: "ours", level: "ok", word: "" },
  { byZoneMinder: false, bySystemd: true, file: "absent", level: "ok", word: "" },
  { byZoneMinder: null, bySystemd: true, file: "unknown", level: "ok", word: "" },
  { byZoneMinder: false, bySystemd: false, file: "ours", level: "warning", word: "" },
] as const)(
  "ZoneMinder $byZoneMinder, systemd $bySystemd, file $file: $level",
  ({ level, word, ...starters }) => {
    const found = judge(starters);
    expect(found.level).toBe(level);
    expect(found.fix ?? "").toContain(word);
  },
);

test("a check that never ends is given up, and one that fails does not end the others", async () => {
  const hangs: Check = { name: "a", title: "A", deadlineMs: 20, run: () => new Promise(() => undefined) };
  const fails: Check = { name: "b", title: "B", run: () => Promise.reject(new Error("broken")) };
  const works: Check = { name: "c", title: "C", run: async () => [ok("well")] };
  const outcomes = await patient.examine({
    name: "all",
    title: "All",
    run: async (subject) =>
      (await runChecks([hangs, fails, works], subject)).flatMap(({ findings }) => findings),
  });
  expect(said(outcomes)).toEqual([
    "warning: There was no answer within 0.02 s",
    "warning: This could not be looked at: broken",
    "ok: well",
  ]);
});

test("the commands that the fixes name exist on a usual machine", () => {
  for (const command of ["ss", "install", "chgrp", "sed"])
    expect(
      execFileSync("sh", [
        "-c",
        `command -v ${command} || ls /usr/sbin/${command} /usr/bin/${command} 2>/dev/null || true`,
      ]).toString(),
    ).not.toBe("");
});
