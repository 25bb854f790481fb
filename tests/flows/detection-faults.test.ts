// The whole daemon with a model of its own, given pictures, models and crowds that nobody wishes for: each alarm is told, and why.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import { createSimulatedCamera, type SimulatedCamera } from "../../src/demo/simulated-camera.ts";
import type { EngineSettings } from "../../src/domain/detect-settings.ts";
import { parseVersion } from "../../src/zoneminder/version.ts";
import { looking } from "../detect/jobs.ts";
import { aMonitor, mid } from "../support/builders.ts";
import { createDetectingSite, type DetectingSite } from "../support/detecting-site.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";
import { blobModel, ultralyticsNotes } from "../support/onnx-models.ts";

const LABELS = ["person", "bicycle", "car"];
let folder: string;
let model: string;
let site: DetectingSite;
let channel: FakeChannel;
const extra: SimulatedCamera[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-detection-faults-"));
  mkdirSync(join(folder, "event"));
  model = join(folder, "demo.onnx");
  writeFileSync(model, blobModel("yolov8", { metadata: ultralyticsNotes(LABELS), classes: LABELS.length }));
  channel = createFakeChannel();
  channel.people = [aPerson("27a387")];
});
afterEach(async () => {
  await site.remove();
  for (const camera of extra.splice(0)) camera.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A white box in black. */
function picture(width = 640, height = 480): Sharp {
  const [w, h] = [Math.round(width / 8), Math.round(height / 4)];
  const box = Buffer.from(
    `<svg width="${width}" height="${height}"><rect x="${2 * w}" y="${h}" width="${w}" height="${h}" fill="white"/></svg>`,
  );
  return sharp({
    create: { width, height, channels: 3, background: "black" },
    limitInputPixels: false,
  }).composite([{ input: box }]);
}

function onnx(
  weights = model,
  change: Partial<Extract<EngineSettings, { kind: "onnx" }>> = {},
): EngineSettings {
  return { kind: "onnx", weights, labels: null, layout: null, inputSize: null, processor: "cpu", ...change };
}

/** Each event has the same pictures. */
async function start(
  engine: EngineSettings,
  change: Partial<Config["detection"]> = {},
  monitors = 2,
): Promise<void> {
  const settings = looking(engine);
  site = createDetectingSite({
    folder,
    channel,
    settingsFor: async () => settings,
    change: (config) => ({ ...config, detection: { ...config.detection, ...change } }),
  });
  const all = Array.from({ length: monitors }, (_, i) =>
    aMonitor({ id: mid(i + 1), name: `Camera ${i + 1}` }),
  );
  site.zoneminder.loadMonitors = async () => ({ monitors: all, version: parseVersion("1.38.4") });
  for (let id = 3; id <= monitors; id++) {
    const camera = createSimulatedCamera({ directory: site.zoneminder.mapPath, id });
    camera.create();
    extra.push(camera);
  }
  await site.start();
}

const save = (bytes: Buffer): void => writeFileSync(join(folder, "event", "snapshot.jpg"), bytes);
const event = (frame: Record<string, unknown>) => (frame.events as Record<string, unknown>[])[0];

describe("an alarm is told with what was found", () => {
  it.each([
    ["a gray picture", () => picture().grayscale().jpeg().toBuffer()],
    ["a picture in CMYK", () => picture().toColourspace("cmyk").jpeg().toBuffer()],
    ["a picture of 50 megapixels", () => picture(8160, 6120).jpeg().toBuffer()],
    ["a progressive picture", () => picture().jpeg({ progressive: true }).toBuffer()],
  ])("in %s", async (_, made) => {
    save(await made());
    await start(onnx());
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "[s] detected:person Motion" });
  });
});

describe("an alarm is told without detection, and the history says why,", () => {
  it.each([
    [
      "when its picture is cut off",
      async () => {
        const whole = await picture().jpeg().toBuffer();
        save(whole.subarray(0, whole.length / 2));
      },
      onnx,
      /could not look.*snapshot\.jpg of event 10 cannot be decoded: it is cut off/,
    ],
    ["when its picture has no byte", async () => save(Buffer.alloc(0)), onnx, /could not look.*snapshot/],
    [
      "when its picture is none",
      async () => save(Buffer.from("<html>login</html>")),
      onnx,
      /could not look.*snapshot/,
    ],
    [
      "when its picture is larger than anybody's",
      async () => save(await picture(8192, 6144).jpeg().toBuffer()),
      onnx,
      /could not look.*8192x6144 pixels; more than 50 million/,
    ],
    [
      "when the model is damaged",
      async () => {
        save(await picture().jpeg().toBuffer());
        const bytes = readFileSync(model);
        writeFileSync(model, bytes.subarray(0, bytes.length / 2));
      },
      onnx,
      /could not look.*demo\.onnx/,
    ],
    [
      "when the model takes pictures of another size",
      async () => save(await picture().jpeg().toBuffer()),
      () => onnx(model, { inputSize: { width: 320, height: 320 } }),
      /could not look.*(size|128)/,
    ],
    [
      "when the model is not there",
      async () => save(await picture().jpeg().toBuffer()),
      () => onnx(join(folder, "no.onnx")),
      /could not look.*no\.onnx/,
    ],
  ])("%s", async (_, prepare, engine, reason) => {
    await prepare();
    await start(engine());
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 10, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    await eventually(() => expect(site.why(10)).toMatch(reason));
  });
});

it("200 alarms at once are all told, those for which there is no room without, and the memory stays as it is", async () => {
  save(await picture().jpeg().toBuffer());
  await start(onnx(), { max_waiting: 50 }, 200);
  const client = await site.logIn();
  const cameras = [...site.cameras, ...extra];
  const told = new Map<string, string>();
  const round = async (first: number): Promise<void> => {
    told.clear();
    for (const [i, camera] of cameras.entries()) camera.beginAlarm({ eventId: first + i, cause: "Motion" });
    while (told.size < cameras.length) {
      const frame = await client.next();
      for (const each of frame.events as { EventId: string; Cause: string }[])
        told.set(each.EventId, each.Cause);
    }
    for (const camera of cameras) camera.endAlarm();
  };
  await round(1_000);
  const before = process.memoryUsage().rss;
  for (let i = 2; i <= 4; i++) await round(i * 1_000);
  expect(process.memoryUsage().rss).toBeLessThan(before * 1.2);
  const looked = [...told.values()].filter((cause) => cause === "[s] detected:person Motion");
  expect(looked.length).toBeGreaterThanOrEqual(50);
  const without = [...told].filter(([, cause]) => cause === "Motion").map(([id]) => Number(id));
  expect(looked.length + without.length).toBe(200);
  await eventually(() => {
    for (const id of without) expect(site.why(id)).toMatch(/could not look.*others wait already/);
  });
  expect(site.detection().counts()).toMatchObject({ waiting: 0, running: 0, crashes: 0 });
}, 120_000);
