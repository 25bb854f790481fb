import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogRecord } from "../../src/lib/log.ts";
import { logLevels, logLine } from "../../src/zoneminder/log-line.ts";

const at = new Date(2018, 11, 20, 8, 31, 32, 606).getTime();

function aRecord(part: Partial<LogRecord> = {}): LogRecord {
  return {
    time: at,
    level: "info",
    room: "main",
    message: "About to start listening to socket",
    fields: {},
    ...part,
  };
}

describe("a line in ZoneMinder's format", () => {
  test("looks like the original's", () => {
    expect(logLine(aRecord(), 12460)).toBe(
      "12/20/2018 08:31:32.606000 zmeventnotification[12460].INF [main:0] [About to start listening to socket]",
    );
  });

  test.each([
    ["trace", "DB2"],
    ["debug", "DB1"],
    ["warn", "WAR"],
    ["error", "ERR"],
    ["fatal", "FAT"],
  ] as const)("writes %s as %s", (level, code) => {
    expect(logLine(aRecord({ level }), 1)).toContain(`zmeventnotification[1].${code} [`);
  });

  test("carries the fields after the message", () => {
    const line = logLine(aRecord({ fields: { client: "::1", user: "two words", tries: 3 } }), 1);
    expect(line).toContain('[About to start listening to socket client=::1 user="two words" tries=3]');
  });

  test("shows the hint of an operator error and the stack of any other", () => {
    const known = { message: "No port", hint: "Choose one.", stack: "Error: No port\n    at x.ts:1" };
    expect(logLine(aRecord({ level: "error", fields: { err: known } }), 1)).toContain(
      'error="No port" hint="Choose one."]',
    );
    const bug = { message: "Boom", stack: "Error: Boom\n    at x.ts:1" };
    expect(logLine(aRecord({ level: "error", fields: { err: bug } }), 1)).toContain(
      "error=Boom | at x.ts:1]",
    );
  });

  test("is one line without control characters, whatever was logged", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.dictionary(fc.constantFrom("a", "b"), fc.jsonValue()),
        (message, fields) => {
          const line = logLine(aRecord({ message, fields, level: "error" }), 1);
          expect(line).not.toMatch(/\p{Cc}|[\u2028\u2029]/u);
        },
      ),
    );
  });
});

describe("ZoneMinder's log settings", () => {
  test("let through what ZoneMinder 1.36 does when nothing was changed", () => {
    expect(logLevels({})).toEqual({ file: "info", syslog: "warn", database: "info" });
    expect(logLevels({ ZM_LOG_LEVEL_FILE: "1" }).file).toBe("info");
  });

  test.each(["-5", "-6"])("switch a place off with %s", (off) => {
    const all = { ZM_LOG_LEVEL_FILE: off, ZM_LOG_LEVEL_SYSLOG: off, ZM_LOG_LEVEL_DATABASE: off };
    expect(logLevels(all)).toEqual({ file: null, syslog: null, database: null });
  });

  test("show debug lines where the place and the debug switch both ask for them", () => {
    const settings = { ZM_LOG_LEVEL_FILE: "9", ZM_LOG_DEBUG: "1", ZM_LOG_DEBUG_LEVEL: "1" };
    expect(logLevels(settings).file).toBe("debug");
    expect(logLevels({ ...settings, ZM_LOG_DEBUG_LEVEL: "9" }).file).toBe("trace");
    expect(logLevels(settings).syslog).toBe("warn");
  });

  test("show debug lines only to the programs named as target", () => {
    const settings = { ZM_LOG_DEBUG: "1", ZM_LOG_LEVEL_FILE: "1" };
    expect(logLevels({ ...settings, ZM_LOG_DEBUG_TARGET: "_zmc|_zmeventnotification" }).file).toBe("debug");
    expect(logLevels({ ...settings, ZM_LOG_DEBUG_TARGET: "_zmc_m1" }).file).toBe("info");
  });

  test("put everything into the one file when a debug file is named", () => {
    const settings = { ZM_LOG_DEBUG: "1", ZM_LOG_DEBUG_FILE: "/var/log/zm/d.log", ZM_LOG_LEVEL_FILE: "-5" };
    expect(logLevels(settings).file).toBe("debug");
  });

  test("give way to the environment, the one for this program most of all", () => {
    const settings = { ZM_LOG_LEVEL_SYSLOG: "-5" };
    expect(logLevels(settings, { LOG_LEVEL_SYSLOG: "0" }).syslog).toBe("info");
    const both = { LOG_LEVEL_SYSLOG: "0", LOG_LEVEL_SYSLOG_zmeventnotification: "-2" };
    expect(logLevels(settings, both).syslog).toBe("error");
  });

  test("never throw, whatever stands in them", () => {
    const value = fc.option(fc.string(), { nil: undefined });
    const names = fc.constantFrom(
      "ZM_LOG_LEVEL_FILE",
      "ZM_LOG_DEBUG",
      "ZM_LOG_DEBUG_LEVEL",
      "ZM_LOG_DEBUG_TARGET",
    );
    fc.assert(fc.property(fc.dictionary(names, value), (settings) => logLevels(settings) !== null));
  });
});
