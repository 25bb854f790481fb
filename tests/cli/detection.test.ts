import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { detectionJob, type JobFacts } from "../../src/cli/detection/job.ts";
import {
  createDetection,
  DETECTOR_SOCKET,
  type Detection,
  type DetectionOptions,
} from "../../src/cli/detection.ts";
import { configSchema } from "../../src/config/schema.ts";
import { askDetector } from "../../src/detect/socket-client.ts";
import type { DetectRequest } from "../../src/detect/socket-messages.ts";
import type { EventSource } from "../../src/domain/detection-source.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { someSettings } from "../detect/jobs.ts";
import { aMonitor, anAlarm, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger } from "../support/server.ts";

const never = new AbortController().signal;
const request: DetectRequest = {
  event: 7,
  file: null,
  monitor: null,
  cause: "Motion",
  path: null,
  options: { config: null, overrides: [], writesFiles: true, drawTo: null },
};
const source = {
  kind: "event",
  event: 7,
  monitor: 3,
  root: "/events",
  folders: ["3/2026-11-22/7"],
  isOpen: false,
  video: "7-video.mp4",
  digits: 5,
  bestFrame: 4,
  alarmFrame: 2,
  frameTimes: {},
} satisfies EventSource & { monitor: number };
const monitor = { id: 3, name: "Drive", width: 640, height: 480, zones: [] };
const facts: JobFacts = {
  event: async (event) => (event === 7 ? source : null),
  monitor: async () => monitor,
  folder: async () => "/events/3/2026-11-22/7",
};
const away: JobFacts = {
  event: () => Promise.reject(new Error("the database is away")),
  monitor: () => Promise.reject(new Error("the database is away")),
  folder: async () => null,
};
const settings = someSettings();
const writing = someSettings({ output: { ...settings.output, writeImageToZm: true } });

describe("a job for the detector", () => {
  it("has the event as the database knows it, its monitor, and the settings of that monitor", async () => {
    const asked: unknown[] = [];
    const settingsFor = async (id: number | null) => {
      asked.push(id);
      return writing;
    };
    expect(await detectionJob(request, { facts, settingsFor })).toEqual({
      source,
      monitor,
      cause: "Motion",
      settings: writing,
      outputFolder: "/events/3/2026-11-22/7",
      drawTo: null,
    });
    expect(asked).toEqual([3]);
  });

  it.each([
    ["the settings do not want them", { settings, options: request.options }],
    [
      "the caller does not want them",
      { settings: writing, options: { ...request.options, writesFiles: false } },
    ],
  ])("leaves no files where %s", async (_, { settings: own, options }) => {
    const job = await detectionJob({ ...request, options }, { facts, settingsFor: async () => own });
    expect(job).toMatchObject({ outputFolder: null });
  });

  it("leaves no files where the event's storage is on another machine", async () => {
    const elsewhere = { ...facts, event: async () => ({ ...source, root: null }) };
    const job = await detectionJob(request, { facts: elsewhere, settingsFor: async () => writing });
    expect(job).toMatchObject({ outputFolder: null });
  });

  it("does with the folder that the caller names while the database is away", async () => {
    const named = { ...request, monitor: 3, path: "/events/3/2026-11-22/7" };
    expect(await detectionJob(named, { facts: away, settingsFor: async () => writing })).toMatchObject({
      source: { root: "/events/3/2026-11-22", folders: ["7"], isOpen: true },
      monitor: null,
      outputFolder: "/events/3/2026-11-22/7",
    });
  });

  it("says what is missing: the event, the database, the settings", async () => {
    const settingsFor = async () => settings;
    expect(await detectionJob({ ...request, event: 8 }, { facts, settingsFor })).toEqual({
      failed: "ZoneMinder has no event 8",
    });
    expect(await detectionJob(request, { facts: away, settingsFor })).toEqual({
      failed: "the database is away",
    });
    const broken = async () => ({ failed: "objectconfig.yml:3: no" });
    expect(await detectionJob(request, { facts, settingsFor: broken })).toEqual({
      failed: "objectconfig.yml:3: no",
    });
  });

  it("may be about a file", async () => {
    const job = await detectionJob(
      { ...request, event: null, file: "/a.jpg" },
      { facts, settingsFor: async () => writing },
    );
    expect(job).toMatchObject({
      source: { kind: "file", path: "/a.jpg" },
      monitor: null,
      outputFolder: null,
    });
  });
});

describe("the detector of the daemon", () => {
  let folder = "";
  let running: Detection | null = null;
  const log: Record<string, unknown>[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-detection-"));
    log.length = 0;
  });
  afterEach(async () => {
    for (const part of running?.parts.toReversed() ?? []) await part.stop();
    running = null;
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(section: Record<string, unknown>, change: Partial<DetectionOptions> = {}) {
    const config = configSchema.parse({ general: { base_data_path: folder }, detection: section });
    running = createDetection({
      config,
      facts,
      settingsFor: async () => settings,
      environment: { PATH: process.env.PATH },
      clock: systemClock,
      logger: recordingLogger(log),
      script: fileURLToPath(new URL("../detect/stand-in-process.ts", import.meta.url)),
      ...change,
    });
    for (const part of running?.parts ?? []) await part.start(never);
    return running;
  }
  const path = () => join(folder, DETECTOR_SOCKET);
  const alarm = anAlarm({ monitor: aMonitor({ id: mid(3) }), cause: "ok" });

  it("looks at alarms, and answers commands, with one process", async () => {
    const detection = await start({ enable: true });
    await eventually(() => expect(detection?.counts().pid).toBeGreaterThan(0));
    const pid = detection?.counts().pid;
    const seven = { ...alarm, eventId: 7 as typeof alarm.eventId };
    expect(await detection?.builtIn?.look(seven, never)).toEqual({ printed: `ok by ${pid}` });
    expect(await askDetector({ path: path(), request, signal: never })).toMatchObject({
      printed: `Motion by ${pid}`,
    });
  });

  it("serves commands alone where alarms are not to be looked at, and starts its process when one asks", async () => {
    const detection = await start({ enable: false });
    expect([detection?.builtIn, detection?.counts().pid]).toEqual([null, null]);
    expect(await askDetector({ path: path(), request, signal: never })).toHaveProperty("printed");
  });

  it("is not there where neither is wanted", async () => {
    expect(await start({ enable: false, serve_commands: false })).toBeNull();
    expect(existsSync(path())).toBe(false);
  });

  it("says at the start that its settings cannot be read, and at each alarm", async () => {
    const settingsFor = async () => ({ failed: "objectconfig.yml:3: no" });
    const detection = await start({ enable: true }, { settingsFor });
    await eventually(() =>
      expect(JSON.stringify(log)).toContain("told without detection: objectconfig.yml:3: no"),
    );
    expect(await detection?.builtIn?.look(alarm, never)).toEqual({ failed: "objectconfig.yml:3: no" });
  });
});
