import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import type { LogLevel, LogRecord } from "../../src/lib/log.ts";
import { createSyslog, type SyslogOptions } from "../../src/lib/syslog.ts";
import { eventually } from "../support/eventually.ts";

let server = createSocket("udp4");
let received: string[] = [];

beforeEach(async () => {
  received = [];
  server = createSocket("udp4", (bytes) => received.push(bytes.toString()));
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => server.close());

function saying(message: string, level: LogLevel = "info"): LogRecord {
  return { time: 0, level, room: "main", message, fields: {} };
}

function aSyslog(change: Partial<SyslogOptions> = {}) {
  const port = String(server.address().port);
  return createSyslog({
    level: "info",
    tag: "zmeventnotification",
    text: (record) => record.message,
    clock: systemClock,
    programArguments: ["--udp", "--server", "127.0.0.1", "--port", port, "--rfc3164"],
    ...change,
  });
}

test("lines arrive as local1, each with its own priority, under ZoneMinder's name", async () => {
  const syslog = aSyslog();
  syslog.write(saying("INF [Push enabled via FCM]"));
  syslog.write(saying("ERR [Broken]", "error"));
  await eventually(() => expect(received).toHaveLength(2));
  expect(received[0]).toMatch(/^<142>.* zmeventnotification\[\d+\]: INF \[Push enabled via FCM\]$/);
  expect(received[1]).toMatch(/^<139>.*ERR \[Broken\]$/);
  await syslog.close();
});

test("what was written just before the end still arrives", async () => {
  const syslog = aSyslog();
  syslog.write(saying("last words"));
  await syslog.close();
  await eventually(() => expect(received[0]).toContain("last words"));
});

test("a missing program is told once and never throws", async () => {
  const states: string[] = [];
  const onState = (reachable: boolean, problem: string): void => void states.push(`${reachable} ${problem}`);
  const syslog = aSyslog({ program: "/nonexistent/logger", onState });
  for (let number = 0; number < 10; number += 1) syslog.write(saying("x"));
  await eventually(() => expect(states).toHaveLength(1));
  syslog.write(saying("x"));
  expect(states[0]).toContain("ENOENT");
  await syslog.close();
});

test("a program that dies is started again, not more often than every few seconds", async () => {
  let now = 0;
  const states: boolean[] = [];
  const directory = mkdtempSync(path.join(tmpdir(), "zmes-syslog-"));
  const repaired = path.join(directory, "repaired");
  const got = path.join(directory, "got");
  const program = path.join(directory, "logger");
  writeFileSync(program, `#!/bin/sh\n[ -e "${repaired}" ] || exit 1\nexec cat >> "${got}"\n`, {
    mode: 0o755,
  });
  const clock = { now: () => 0, monotonic: () => now };
  const syslog = aSyslog({ program, clock, onState: (reachable) => void states.push(reachable) });
  syslog.write(saying("lost"));
  await eventually(() => expect(states).toEqual([false]));
  writeFileSync(repaired, "");
  syslog.write(saying("too early"));
  now = 6000;
  syslog.write(saying("again"));
  now = 12_000;
  syslog.write(saying("for sure"));
  expect(states).toEqual([false, true]);
  await syslog.close();
  expect(readFileSync(got, "utf8")).toBe("<142>again\n<142>for sure\n");
  rmSync(directory, { recursive: true });
});
