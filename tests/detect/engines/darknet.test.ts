// Darknet's .cfg and .weights as an engine: a tiny network that finds what is bright says where that is in the picture.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDarknetEngine } from "../../../src/detect/engines/darknet.ts";
import { openFrame } from "../../../src/detect/picture/frame.ts";
import type { DarknetSettings } from "../../../src/domain/detect-settings.ts";
import { weightsFile } from "../support/darknet.ts";

/** Divides the picture into 4 by 4 cells, and sees a thing as large as the cell where the mean of a cell is bright. */
const CONFIG = `[net]
width=32
height=32
[convolutional]
filters=7
size=8
stride=8
activation=linear
[yolo]
anchors=8,8
classes=2
`;
const CELL = 8 * 8 * 3;
/** x, y, width, height, objectness, two labels: the second one always. */
const BIASES = [0, 0, 0, 0, -10, -10, 10];
const WEIGHTS = BIASES.flatMap((_, filter) => Array<number>(CELL).fill(filter === 4 ? 20 / CELL : 0));

const folder = mkdtempSync(join(tmpdir(), "zmes-darknet-engine-"));
const settings: DarknetSettings = {
  kind: "darknet",
  config: join(folder, "tiny.cfg"),
  weights: join(folder, "tiny.weights"),
  labels: join(folder, "tiny.names"),
  processor: "cpu",
};
const lines: string[] = [];
const logger = pino({ base: null }, { write: (line: string) => void lines.push(line) });
const options = { threads: 1, cacheFolder: join(folder, "cache"), logger };

beforeAll(() => {
  writeFileSync(settings.config, CONFIG);
  writeFileSync(settings.weights, weightsFile([{ biases: BIASES, norm: null, weights: WEIGHTS }, null]));
  writeFileSync(join(folder, "tiny.names"), "cat\nlamp\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what is bright is found where it is, in pixels of the picture, whatever its proportions", async () => {
  const engine = await createDarknetEngine(settings, options);
  const found = await engine.detect(await pictureWithLamp(), {
    minConfidence: 0.5,
    monitor: null,
    event: null,
    signal: new AbortController().signal,
  });
  expect(engine.labels).toEqual(["cat", "lamp"]);
  expect(engine.description).toContain("tiny.cfg");
  expect(found).toHaveLength(1);
  expect(found[0]?.label).toBe("lamp");
  expect(found[0]?.confidence).toBeGreaterThan(0.95);
  const wanted = [160, 40, 240, 80];
  const offBy = (found[0]?.box ?? []).map((edge, index) => Math.abs(edge - (wanted[index] ?? 0)));
  expect(Math.max(...offBy)).toBeLessThanOrEqual(1);
  await engine.close();
});

test("the conversion is said once", async () => {
  for (let run = 0; run < 2; run += 1) await (await createDarknetEngine(settings, options)).close();
  expect(lines.filter((line) => line.includes("A Darknet model was converted to ONNX"))).toHaveLength(1);
});

test("files that cannot be read are named", async () => {
  const missing = { ...settings, config: join(folder, "none.cfg") };
  await expect(createDarknetEngine(missing, options)).rejects.toThrow(`${missing.config}: ENOENT`);
});

test("a converted file that the disk has spoilt is made again at the next try", async () => {
  await (await createDarknetEngine(settings, options)).close();
  const [name = ""] = readdirSync(options.cacheFolder);
  writeFileSync(join(options.cacheFolder, name), "spoilt");
  await expect(createDarknetEngine(settings, options)).rejects.toThrow(
    `${settings.weights}, converted to ONNX, cannot be used`,
  );
  await (await createDarknetEngine(settings, options)).close();
});

/** 320 by 160, black but for one of the 4 by 4 cells. */
async function pictureWithLamp() {
  const lamp = { create: { width: 80, height: 40, channels: 3, background: "#ffffff" } } as const;
  const file = await sharp({ create: { width: 320, height: 160, channels: 3, background: "#000000" } })
    .composite([{ input: lamp, left: 160, top: 40 }])
    .png()
    .toBuffer();
  return openFrame(file, "single", { resizeWidth: null, label: "drawn" });
}
