import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readExporterNotes } from "../../../src/detect/onnx/exporter-notes.ts";
import { readOnnxMetadata } from "../../../src/detect/onnx/onnx-metadata.ts";
import { encodeOnnx, floatTensor } from "../../../src/detect/onnx/onnx-writer.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-onnx-"));
  file = join(folder, "model.onnx");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** Adds its weights to the picture. */
function model(weights = 4): Buffer {
  const value = (name: string) => ({ name, type: "float32", dims: ["batch", weights] }) as const;
  return encodeOnnx({
    name: "sum",
    opset: 13,
    metadata: { task: "detect", names: "{0: 'person', 1: \"driver's seat\"}" },
    inputs: [value("images")],
    outputs: [value("output0")],
    nodes: [{ op: "Add", inputs: ["images", "weights"], outputs: ["output0"] }],
    initializers: [floatTensor("weights", [weights], new Float32Array(weights))],
  });
}

test("producer, operators, names and notes are read", async () => {
  writeFileSync(file, model());
  expect(await readOnnxMetadata(file)).toEqual({
    irVersion: 8,
    producer: "zmes",
    opset: 13,
    properties: { task: "detect", names: "{0: 'person', 1: \"driver's seat\"}" },
    inputs: ["images"],
    outputs: ["output0"],
  });
});

test("of 100 MB, a few kilobytes are read", async () => {
  writeFileSync(file, model(25_000_000));
  const handle = await open(file);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const read = vi.spyOn(prototype, "read");
  expect((await readOnnxMetadata(file)).outputs).toEqual(["output0"]);
  const bytes = await Promise.all(read.mock.results.map(({ value }) => value));
  expect(bytes.reduce((sum, { bytesRead }) => sum + bytesRead, 0)).toBeLessThan(20_000);
});

test.each([
  ["nothing", "", "it is empty"],
  ["a web page", "<!DOCTYPE html><html>Not Found</html>", "not an ONNX model"],
  ["zeros", "\0".repeat(100), "not an ONNX model"],
])("%s is not a model, and the message names the file", async (_, text, message) => {
  writeFileSync(file, text);
  await expect(readOnnxMetadata(file)).rejects.toThrow(message);
  await expect(readOnnxMetadata(file)).rejects.toThrow(file);
});

test("a file that is cut short says so", async () => {
  writeFileSync(file, model(1000).subarray(0, 2000));
  await expect(readOnnxMetadata(file)).rejects.toThrow("cut short");
});

test("a file that is not there is named", async () => {
  await expect(readOnnxMetadata(file)).rejects.toThrow(`${file} cannot be read: ENOENT`);
});

test("no content does more than reject", async () => {
  const whole = model();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 20 }),
      async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        writeFileSync(file, bytes);
        const outcome = await readOnnxMetadata(file).catch((failure: unknown) => failure);
        if (outcome instanceof Error) expect(outcome.message).toContain(file);
      },
    ),
    { numRuns: 200 },
  );
});

test("labels are read from Python's and JSON's ways of writing them", () => {
  const names = (text: string) => readExporterNotes({ names: text }).names;
  expect(names('{"0": "caf\\u00e9", "2": "\\ud83d\\ude97"}')).toEqual(["café", "", "🚗"]);
  expect(names('["a\\"b", "\\u00e9"]')).toEqual(['a"b', "é"]);
  expect(names('"text"')).toBeNull();
  expect(names(`{0: 'person', 1: "driver's seat", 2: 'it\\'s'}`)).toEqual([
    "person",
    "driver's seat",
    "it's",
  ]);
  expect(names('{"0": "person", "2": "car"}')).toEqual(["person", "", "car"]);
  expect(names("['a', 'b']")).toEqual(["a", "b"]);
  expect(names("")).toBeNull();
});

test("task, size and suppression are read from the notes", () => {
  expect(
    readExporterNotes({ task: "segment", imgsz: "[480, 640]", args: "{'batch': 1, 'nms': True}" }),
  ).toEqual({ names: null, task: "segment", size: { width: 640, height: 480 }, isEndToEnd: true });
  expect(readExporterNotes({ end2end: "True", imgsz: "320" })).toMatchObject({
    isEndToEnd: true,
    size: { width: 320, height: 320 },
  });
});

test("no note throws", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("names", "imgsz", "task", "args"), fc.string()), (notes) => {
      readExporterNotes(notes);
    }),
  );
});
