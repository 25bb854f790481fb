// Converted Darknet models are kept: made once, found by what they were made from, few at a time, never half.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { convertedDarknet } from "../../../src/detect/onnx/darknet-cache.ts";
import { parseDarknetConfig } from "../../../src/detect/onnx/darknet-config.ts";
import { buildNetwork } from "../../../src/detect/onnx/darknet-layers.ts";
import { madeUpNumbers, weightsFile } from "../support/darknet.ts";

const CONFIG = `[net]
width=32
height=32
[convolutional]
filters=6
stride=32
activation=linear
[yolo]
anchors=8,8
classes=1
`;
const NETWORK = buildNetwork(parseDarknetConfig(CONFIG));

let folder: string;
let files: { config: string; weights: string };
let cache: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-darknet-cache-"));
  files = { config: join(folder, "tiny.cfg"), weights: join(folder, "tiny.weights") };
  cache = join(folder, "data", "cache");
  writeFileSync(files.config, CONFIG);
  writeFileSync(files.weights, weightsFile(madeUpNumbers(NETWORK)));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a model is converted once, and found again", async () => {
  const first = await convertedDarknet(files, cache);
  const second = await convertedDarknet(files, cache);
  expect(first.isNew).toBe(true);
  expect(second).toEqual({ path: first.path, isNew: false });
  const session = await InferenceSession.create(first.path);
  expect(session.outputNames).toEqual(["boxes", "confs"]);
  await session.release();
  expect(readdirSync(cache)).toHaveLength(1);
  expect(statSync(cache).mode & 0o777).toBe(0o750);
});

test("other weights are another model", async () => {
  const first = await convertedDarknet(files, cache);
  writeFileSync(files.weights, weightsFile(madeUpNumbers(NETWORK, 2)));
  const second = await convertedDarknet(files, cache);
  expect(second.isNew).toBe(true);
  expect(second.path).not.toBe(first.path);
});

test("of many models, those used last are kept, and what a killed conversion left behind goes", async () => {
  mkdirSync(cache, { recursive: true });
  const leftover = join(cache, "darknet-0-1.onnx.1.tmp");
  const foreign = join(cache, "other.onnx");
  for (const path of [leftover, foreign]) writeFileSync(path, "half");
  utimesSync(leftover, 1, 1);
  const paths: string[] = [];
  for (let seed = 1; seed <= 5; seed += 1) {
    writeFileSync(files.weights, weightsFile(madeUpNumbers(NETWORK, seed)));
    const { path } = await convertedDarknet(files, cache);
    utimesSync(path, seed, seed);
    paths.push(path);
  }
  const names = [...paths.slice(1), foreign].map((path) => path.slice(cache.length + 1));
  expect(readdirSync(cache).sort()).toEqual(names.sort());
});

test("files that do not belong together leave nothing behind, and are named", async () => {
  writeFileSync(files.weights, weightsFile(madeUpNumbers(NETWORK)).subarray(0, 96));
  await expect(convertedDarknet(files, cache)).rejects.toThrow(
    `${files.weights} has 96 bytes, but the network of the .cfg file needs 116`,
  );
  writeFileSync(files.config, CONFIG.replace("[yolo]", "[region]"));
  await expect(convertedDarknet(files, cache)).rejects.toThrow(`${files.config} line 8, [region]:`);
  expect(readdirSync(cache)).toEqual([]);
});

test("a file that is not there is named", async () => {
  rmSync(files.weights);
  await expect(convertedDarknet(files, cache)).rejects.toThrow(`${files.weights}: ENOENT`);
});
