import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const module = fileURLToPath(new URL("../../src/lib/standard-streams.ts", import.meta.url));
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-streams-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Speaks on every stream, then leaves a file that shows it got to the end. */
const program = `
  import { writeFileSync, writeSync, readlinkSync } from "node:fs";
  const { settleStandardStreams, parentCommand } = await import(${JSON.stringify(module)});
  settleStandardStreams(parentCommand().some((word) => word.endsWith("/zmdc.pl")));
  console.log("out"); console.error("err"); process.stderr.write("err\\n"); process.stdout.write("out\\n");
  try { writeSync(2, "x"); } catch {}
  process.emitWarning("warned");
  setTimeout(() => writeFileSync(process.argv[2], [0, 1, 2].map((fd) => readlinkSync("/proc/self/fd/" + fd)).join("\\n")), 50);
`;

/** A process called zmdc.pl that arranges its child's streams as ZoneMinder's does (1.36: measured). */
function underZmdc(perl: string): string {
  const parent = path.join(directory, "zmdc.pl");
  const child = path.join(directory, "child.mjs");
  const proof = path.join(directory, "proof");
  writeFileSync(child, program);
  const spawnChild = `my $p = fork(); if (!$p) { ${perl} exec(@ARGV) or die; } waitpid($p, 0); exit($? >> 8);`;
  writeFileSync(parent, `use Socket; use POSIX; ${spawnChild}`);
  const done = spawnSync("perl", [parent, process.execPath, child, proof], { encoding: "utf8" });
  expect(done.status).toBe(0);
  return existsSync(proof) ? readFileSync(proof, "utf8") : "did not get to the end";
}

test("the streams zmdc.pl leaves (a MySQL socket, zmdc.log, a dead pipe) do not end the program", () => {
  const log = path.join(directory, "zmdc.log");
  const streams = underZmdc(`
    socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0); POSIX::dup2(fileno($a), 0);
    open(my $l, ">>", "${log}"); POSIX::dup2(fileno($l), 1);
    pipe(my $r, my $w); POSIX::dup2(fileno($r), 2); close($w);`);
  expect(streams.split("\n")).toEqual(["/dev/null", log, "/dev/null"]);
});

test("a socket of the parent is never written to", () => {
  const streams = underZmdc(`
    socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0); POSIX::dup2(fileno($a), $_) for (0, 1, 2);`);
  expect(streams.split("\n")).toEqual(["/dev/null", "/dev/null", "/dev/null"]);
});

test("pipes whose reader is gone do not end the program", () => {
  const streams = underZmdc(`
    pipe(my $r, my $w); POSIX::dup2(fileno($w), 1); POSIX::dup2(fileno($w), 2); close($r); close($w);`);
  expect(streams).toMatch(/pipe:.*\npipe:/);
});

test("closed streams do not end the program, and no file takes their places", () => {
  expect(underZmdc("POSIX::close($_) for (0, 1, 2);").split("\n")).toEqual([
    "/dev/null",
    "/dev/null",
    "/dev/null",
  ]);
});
