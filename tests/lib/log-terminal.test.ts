import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { LogRecord } from "../../src/lib/log.ts";
import { createTerminal, type TerminalOptions } from "../../src/lib/log-terminal.ts";

const time = new Date(2026, 10, 22, 4, 10, 11, 123).getTime();

function written(record: Partial<LogRecord>, options: Partial<TerminalOptions> = {}, isTTY = false): string {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const terminal = createTerminal({ level: "info", format: "auto", environment: {}, stream, ...options });
  terminal.write({ time, level: "info", room: "main", message: "Hello", fields: {}, ...record });
  return String(stream.read() ?? "");
}

test("people get the time, the level, the message and the fields", () => {
  expect(written({ message: "New event 7 reported for Garage", fields: { monitor: 3 } })).toBe(
    "2026-11-22 04:10:11.123 INF New event 7 reported for Garage monitor=3\n",
  );
});

test("colours are used on a terminal only, and not where they are not wanted", () => {
  expect(written({}, {}, true)).toContain("\u001b[32mINF\u001b[0m Hello");
  expect(written({}, { environment: { NO_COLOR: "1" } }, true)).not.toContain("\u001b");
});

test("a stranger's name cannot forge a line or move the cursor", () => {
  expect(written({ message: "Hi\n2026 INF forged", fields: { user: "\u001b[2J" } })).toBe(
    "2026-11-22 04:10:11.123 INF Hi\\n2026 INF forged user=\\u001b[2J\n",
  );
});

test("JSON has every field", () => {
  expect(JSON.parse(written({ fields: { monitor: 3 } }, { format: "json" }))).toEqual({
    time: new Date(time).toISOString(),
    level: "info",
    room: "main",
    message: "Hello",
    monitor: 3,
  });
});

test("systemd's journal gets a priority instead of a date", () => {
  expect(written({ level: "warn" }, { environment: { JOURNAL_STREAM: "8:1" } })).toBe("<4>Hello\n");
});

test("a reader that has gone away is no reason to fail", () => {
  const stream = new PassThrough();
  const terminal = createTerminal({ level: "info", format: "auto", environment: {}, stream });
  stream.destroy(new Error("EPIPE"));
  const record: LogRecord = { time, level: "info", room: "main", message: "Hello", fields: {} };
  expect(() => terminal.write(record)).not.toThrow();
});

test("a reader that stalls costs lines, not memory", () => {
  const stream = new PassThrough();
  const terminal = createTerminal({ level: "info", format: "auto", environment: {}, stream });
  const record: LogRecord = { time, level: "info", room: "main", message: "x".repeat(10_000), fields: {} };
  for (let number = 0; number < 500; number += 1) terminal.write(record);
  expect(stream.writableLength + stream.readableLength).toBeLessThan(1_200_000);
});
