import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tryModel } from "../../../src/detect/models/trial.ts";
import { blobModel } from "../../support/onnx-models.ts";

let folder: string;
let weights: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-trial-"));
  weights = join(folder, "blob.onnx");
  writeFileSync(weights, blobModel("yolov8"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const job = (file = weights) =>
  ({
    settings: { kind: "onnx", weights: file, labels: null, layout: null, inputSize: null, processor: "cpu" },
    threads: 1,
  }) as const;

function script(text: string): string {
  const file = join(folder, `script-${text.length}.ts`);
  writeFileSync(file, text);
  return file;
}

test("a model is described, with its labels and its time for a picture", async () => {
  const trial = await tryModel(job(), { signal });
  expect(trial).toMatchObject({ description: "YOLOv8/9/11/12, 128x96, 80 labels, CPU", remarks: [] });
  expect(trial.labels?.slice(0, 2)).toEqual(["person", "bicycle"]);
  expect(trial.pictureMs).toBeGreaterThan(1);
});

test("what is wrong with a model is said in the engine's words", async () => {
  const bad = join(folder, "bad.onnx");
  writeFileSync(bad, "nothing");
  await expect(tryModel(job(bad), { signal })).rejects.toThrow(`${bad} is not an ONNX model`);
});

test("a model that aborts its process takes nobody along", async () => {
  await expect(tryModel(job(), { signal, script: script("process.abort();") })).rejects.toThrow(
    /the process that tried it ended \(SIGABRT\): the file is damaged/,
  );
});

test("a model that never answers is given up", async () => {
  const hanging = script("setInterval(() => {}, 1000);");
  await expect(tryModel(job(), { signal, script: hanging, deadlineMs: 300 })).rejects.toThrow(
    "not ready after 0.3 s",
  );
});

test("nothing stays of what it wrote before it was ended", async () => {
  const note = join(folder, "where");
  const writing = script(
    `import { writeFileSync } from "node:fs";
     const folder = process.env.TMPDIR;
     writeFileSync(folder + "/large", "x");
     writeFileSync(${JSON.stringify(note)}, folder);
     setInterval(() => {}, 1000);`,
  );
  await expect(tryModel(job(), { signal, script: writing, deadlineMs: 1000 })).rejects.toThrow("not ready");
  expect(existsSync(readFileSync(note, "utf8"))).toBe(false);
});

test("an interruption ends the process", async () => {
  const stop = new AbortController();
  const trial = tryModel(job(), { signal: stop.signal, script: script("setInterval(() => {}, 100);") });
  stop.abort();
  await expect(trial).rejects.toThrow("it was interrupted");
});
