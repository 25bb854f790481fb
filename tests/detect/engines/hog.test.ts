// OpenCV's people detector: finds figures where they are drawn, and what Debian's OpenCV finds in the same pixels.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, Finding } from "../../../src/detect/engines/engine.ts";
import { createHogEngine, hogConfidence } from "../../../src/detect/engines/hog.ts";
import { type Frame, openFrame } from "../../../src/detect/picture/frame.ts";
import type { HogSettings } from "../../../src/domain/detect-settings.ts";
import type { Box } from "../../../src/domain/detection.ts";
import { drawScene, type Scene } from "../support/people.ts";

/** As the original's defaults. */
const SETTINGS: HogSettings = {
  kind: "hog",
  stride: [4, 4],
  padding: [8, 8],
  scale: 1.05,
  useMeanShift: false,
  minWeight: 0,
};
const OPTIONS = { threads: 1, cacheFolder: "/nonexistent", logger: pino({ level: "silent" }) };

const ONE: Scene = {
  width: 320,
  height: 320,
  background: "#c8c8c8",
  figures: [{ x: 200, y: 170, height: 180, color: "#3c3228" }],
};
const SCENES: readonly (readonly [string, Scene])[] = [
  ["one dark figure", ONE],
  [
    "three in clutter",
    {
      width: 640,
      height: 480,
      background: "#6a7a5a",
      clutter: 25,
      figures: [
        { x: 100, y: 250, height: 150, color: "#e0e0d8" },
        { x: 330, y: 240, height: 260, color: "#202028" },
        { x: 540, y: 300, height: 110, color: "#c03020" },
      ],
    },
  ],
  [
    "at the edge",
    {
      width: 300,
      height: 400,
      background: "#404048",
      figures: [{ x: 85, y: 200, height: 300, color: "#b0a080" }],
    },
  ],
  ["none in clutter", { width: 480, height: 360, background: "#888888", clutter: 40, figures: [] }],
];

/** The Python that Debian's OpenCV belongs to. */
const PYTHON = "/usr/bin/python3";
const hasOpenCv =
  spawnSync(PYTHON, ["-c", "import cv2; cv2.HOGDescriptor_getDefaultPeopleDetector"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "zmes-hog-"));

let engine: Engine;
beforeAll(async () => {
  engine = await createHogEngine(SETTINGS, OPTIONS);
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a figure is found where it stands, and its weight speaks for it", async () => {
  const [person, ...others] = await detect(engine, ONE);
  expect(others).toEqual([]);
  expect(person?.label).toBe("person");
  expect(person?.confidence).toBeGreaterThan(0.9);
  expect(iou(person?.box ?? [0, 0, 0, 0], [140, 55, 260, 285])).toBeGreaterThan(0.85);
});

test("the strongest comes first, and what is less sure than asked stays out", async () => {
  const [, scene] = SCENES[1] ?? ["", ONE];
  const all = await detect(engine, scene);
  const confidences = all.map(({ confidence }) => confidence);
  expect(all.length).toBeGreaterThanOrEqual(3);
  expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
  const limit = confidences[1] ?? 0;
  expect(await detect(engine, scene, limit)).toEqual(all.filter(({ confidence }) => confidence >= limit));
});

test("boxes end at the edges of the picture", async () => {
  const [, scene] = SCENES[2] ?? ["", ONE];
  const [person] = await detect(engine, scene);
  expect(person?.box[0]).toBe(0);
});

test("a picture that is smaller than a person is empty", async () => {
  expect(await detect(engine, { ...ONE, width: 60, height: 400 })).toEqual([]);
  expect(await detect(engine, { ...ONE, width: 1, height: 1 })).toEqual([]);
});

test("weaker answers than min_weight do not count", async () => {
  const strict = await createHogEngine({ ...SETTINGS, minWeight: 50 }, OPTIONS);
  expect(await detect(strict, ONE)).toEqual([]);
  await strict.close();
});

test("mean shift finds the same figure", async () => {
  const other = await createHogEngine({ ...SETTINGS, useMeanShift: true }, OPTIONS);
  const [person] = await detect(other, ONE);
  expect(iou(person?.box ?? [0, 0, 0, 0], [140, 55, 260, 285])).toBeGreaterThan(0.85);
  await other.close();
});

test.each([
  [{ stride: [0, 4] }, "set stride to 4,4 or 8,8"],
  [{ padding: [8, -1] }, "set padding to 8,8"],
  [{ scale: 1 }, "set scale to 1.05"],
] as const)("settings that OpenCV would never finish with are refused: %j", async (change, message) => {
  await expect(createHogEngine({ ...SETTINGS, ...change }, OPTIONS)).rejects.toThrow(message);
});

test("confidence grows with the weight, from 0 to nearly 1", () => {
  expect(hogConfidence(0)).toBe(0);
  expect(hogConfidence(-1)).toBe(0);
  expect(hogConfidence(0.6)).toBeCloseTo(0.5);
  expect(hogConfidence(2)).toBeGreaterThan(0.9);
  expect(hogConfidence(4)).toBeGreaterThan(hogConfidence(2));
  expect(hogConfidence(1e9)).toBeLessThanOrEqual(1);
});

test("errors of the program stay its own to handle", () => {
  const sources = process.listeners("unhandledRejection").map(String);
  expect(sources.filter((source) => source.includes("abort("))).toEqual([]);
});

describe.runIf(hasOpenCv)("what Debian's OpenCV finds in the same pixels", () => {
  test.each(SCENES)("is found too: %s", async (_, scene) => {
    const frame = await frameOf(scene);
    const theirs = debianFindings(frame, await frame.pixels());
    const ours = await detect(engine, scene);
    const sure = theirs.filter(({ weight }) => weight >= 0.6);
    expect(sure.length).toBeGreaterThanOrEqual(scene.figures.length);
    for (const { box, weight } of sure) {
      const twin = ours.find((finding) => iou(finding.box, box) >= 0.9);
      expect(twin?.confidence).toBeCloseTo(hogConfidence(weight), 1);
    }
    const oursSure = ours.filter(({ confidence }) => confidence >= 0.5);
    for (const { box } of oursSure) expect(theirs.some((their) => iou(their.box, box) >= 0.9)).toBe(true);
  });
});

async function frameOf(scene: Scene): Promise<Frame> {
  return openFrame(await drawScene(scene), "single", { resizeWidth: null, label: "drawn" });
}

async function detect(by: Engine, scene: Scene, minConfidence = 0): Promise<readonly Finding[]> {
  const { signal } = new AbortController();
  return by.detect(await frameOf(scene), { minConfidence, monitor: null, event: null, signal });
}

const OPENCV_SCRIPT = `
import sys, json, numpy, cv2
path, width, height = sys.argv[1:]
rgb = numpy.fromfile(path, numpy.uint8).reshape(int(height), int(width), 3)
hog = cv2.HOGDescriptor()
hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())
rects, weights = hog.detectMultiScale(rgb[:, :, ::-1].copy(), winStride=(4, 4), padding=(8, 8), scale=1.05)
print(json.dumps([[int(n) for n in r] + [float(w)] for r, w in zip(rects, numpy.array(weights).ravel())]))
`;

function debianFindings({ size }: Frame, pixels: Buffer): { box: Box; weight: number }[] {
  const path = join(folder, "pixels");
  writeFileSync(path, pixels);
  const words = ["-c", OPENCV_SCRIPT, path, String(size.width), String(size.height)];
  const rows = JSON.parse(execFileSync(PYTHON, words, { encoding: "utf8" })) as [
    number,
    number,
    number,
    number,
    number,
  ][];
  return rows.map(([x, y, width, height, weight]) => ({
    box: [Math.max(0, x), Math.max(0, y), Math.min(size.width, x + width), Math.min(size.height, y + height)],
    weight,
  }));
}

function iou(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const common = Math.max(0, width) * Math.max(0, height);
  const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
  return common / (area(a) + area(b) - common);
}
