import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createLogPlaces } from "../../src/zoneminder/log-places.ts";
import { eventually } from "../support/eventually.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "zmes-places-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("lines go where ZoneMinder's settings send them, and follow a change of these", async () => {
  const log = createLogger([]);
  const rows: unknown[] = [];
  const database = { query: async (_sql: string, values: readonly unknown[]) => void rows.push(values[6]) };
  const places = createLogPlaces({ log, directory, database, clock: systemClock, environment: {} });
  const server = log.logger.child({ room: "server" });
  await places.apply({ ZM_LOG_LEVEL_SYSLOG: "-5" }, null);
  server.info("both");
  await places.apply({ ZM_LOG_LEVEL_SYSLOG: "-5", ZM_LOG_LEVEL_DATABASE: "-5" }, null);
  server.info("file only");
  await places.apply({ ZM_LOG_LEVEL_SYSLOG: "-5", ZM_LOG_LEVEL_FILE: "-5" }, 3);
  server.info("table only");
  await log.close();
  const lines = readFileSync(path.join(directory, "zmeventnotification.log"), "utf8").trim().split("\n");
  expect(lines.map((line) => /\[server:0\] \[(.*)\]$/.exec(line)?.[1])).toEqual(["both", "file only"]);
  expect(rows).toEqual(["both", "table only"]);
});

test("without a folder for logs no file is written", async () => {
  const log = createLogger([]);
  const database = { query: async () => undefined };
  const places = createLogPlaces({ log, directory: null, database, clock: systemClock, environment: {} });
  await places.apply({ ZM_LOG_LEVEL_SYSLOG: "-5", ZM_LOG_LEVEL_DATABASE: "-5" }, null);
  expect(log.logger.isLevelEnabled("fatal")).toBe(false);
});

test("a log file that cannot be written is told in the other places, once", async () => {
  const log = createLogger([]);
  const rows: unknown[] = [];
  const database = { query: async (_sql: string, values: readonly unknown[]) => void rows.push(values[6]) };
  const missing = path.join(directory, "missing");
  const places = createLogPlaces({ log, directory: missing, database, clock: systemClock, environment: {} });
  await places.apply({ ZM_LOG_LEVEL_SYSLOG: "-5" }, null);
  log.logger.info("Hello");
  await eventually(() => expect(rows).toHaveLength(2));
  expect(rows[1]).toMatch(/^The log file cannot be written problem=.*ENOENT/);
  await log.close();
});
