// Decoders against plain references, written from what the families publish of their outputs: random numbers, uneven sizes.
import { expect, test } from "vitest";
import type { Candidate, Output, Outputs } from "../../../src/detect/onnx/layouts/layout.ts";
import { layoutNamed } from "../../../src/detect/onnx/layouts/recognize.ts";
import { suppress } from "../../../src/detect/onnx/suppression.ts";
import { generator } from "../support/darknet.ts";

const CLASSES = 7;
const MIN_SCORE = 0.6;
const next = generator(5);
const random = () => Math.abs(next());
const SIZES = [
  { width: 640, height: 640 },
  { width: 320, height: 192 },
  { width: 96, height: 416 },
] as const;

type Size = (typeof SIZES)[number];

/** Numbers from 0 to `most` at each place, by its index. */
function numbers(dims: readonly number[], most: (index: number) => number): Output {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return { dims, data: Float32Array.from({ length }, (_, index) => random() * most(index)) };
}

function outputsOf(tensors: Readonly<Record<string, Output>>): Outputs {
  const list = Object.values(tensors);
  const found = (tensor: Output | undefined): Output => {
    if (tensor === undefined) throw new Error("no such output");
    return tensor;
  };
  return {
    count: list.length,
    has: (name) => name in tensors,
    named: (name) => found(tensors[name]),
    at: (index) => found(list[index]),
  };
}

function decoded(key: string, tensors: Readonly<Record<string, Output>>, inputSize: Size): Candidate[] {
  const layout = layoutNamed(key);
  return layout?.decode(outputsOf(tensors), { inputSize, minScore: MIN_SCORE }) ?? [];
}

function expectSame(found: readonly Candidate[], wanted: readonly Candidate[]): void {
  const figures = (all: readonly Candidate[]) =>
    all
      .map(({ label, score, x1, y1, x2, y2 }) => [label, score, x1, y1, x2, y2])
      .toSorted(([, one = 0, a = 0], [, other = 0, b = 0]) => one - other || a - b);
  expect(found).toHaveLength(wanted.length);
  expect(wanted.length).toBeGreaterThan(0);
  const want = figures(wanted);
  for (const [row, values] of figures(found).entries())
    for (const [column, value] of values.entries()) expect(value).toBeCloseTo(want[row]?.[column] ?? 0, 2);
}

/** Center, size, and the best of the classes that begin there. */
function candidate(
  at: (index: number) => number,
  [x, y, width, height]: readonly [number, number, number, number],
  firstClass: number,
  factor = 1,
): Candidate[] {
  const scores = Array.from({ length: CLASSES }, (_, index) => at(firstClass + index) * factor);
  const score = Math.max(...scores);
  const box = { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 };
  return score < MIN_SCORE ? [] : [{ ...box, score, label: scores.indexOf(score) }];
}

const cells = ({ width, height }: Size) =>
  [8, 16, 32].reduce((sum, stride) => sum + (width / stride) * (height / stride), 0);
const range = (length: number) => Array.from({ length }, (_, index) => index);

test.each(SIZES)("YOLOv8 at $width x $height: columns of center, size and classes", (size) => {
  const count = cells(size);
  const output = numbers([1, 4 + CLASSES, count], (index) => (index < 4 * count ? 100 : 1));
  const wanted = range(count).flatMap((column) => {
    const at = (row: number) => output.data[row * count + column] ?? 0;
    return candidate(at, [at(0), at(1), at(2), at(3)], 4);
  });
  expectSame(decoded("yolov8", { output0: output }, size), wanted);
});

test.each(SIZES)("YOLOv5 at $width x $height: rows, each class times objectness", (size) => {
  const [count, columns] = [3 * cells(size), 5 + CLASSES];
  const output = numbers([1, count, columns], (index) => (index % columns < 4 ? 100 : 1));
  const wanted = range(count).flatMap((row) => {
    const at = (column: number) => output.data[row * columns + column] ?? 0;
    return candidate(at, [at(0), at(1), at(2), at(3)], 5, at(4));
  });
  expectSame(decoded("yolov5", { output0: output }, size), wanted);
});

test.each(SIZES)("YOLOX at $width x $height: relative to the cells of three grids, row by row", (size) => {
  const columns = 5 + CLASSES;
  const output = numbers([1, cells(size), columns], () => 1);
  let row = 0;
  const wanted: Candidate[] = [];
  for (const stride of [8, 16, 32])
    for (const y of range(size.height / stride))
      for (const x of range(size.width / stride)) {
        const start = row++ * columns;
        const at = (column: number) => output.data[start + column] ?? 0;
        const center = [(at(0) + x) * stride, (at(1) + y) * stride] as const;
        const box = [...center, Math.exp(at(2)) * stride, Math.exp(at(3)) * stride] as const;
        wanted.push(...candidate(at, box, 5, at(4)));
      }
  expectSame(decoded("yolox", { output }, size), wanted);
});

test.each(SIZES)("RT-DETR at $width x $height: queries with shares of the picture", (size) => {
  const columns = 4 + CLASSES;
  const output = numbers([1, 300, columns], () => 1);
  const wanted = range(300).flatMap((row) => {
    const at = (column: number) => output.data[row * columns + column] ?? 0;
    const [width, height] = [at(2) * size.width, at(3) * size.height];
    return candidate(at, [at(0) * size.width, at(1) * size.height, width, height], 4);
  });
  expectSame(decoded("rtdetr-ultralytics", { output0: output }, size), wanted);
});

test("SSD: what lies behind the number of detections does not count", () => {
  const [size] = SIZES;
  const tensors = {
    detection_boxes: numbers([1, 100, 4], () => 1),
    detection_classes: { dims: [1, 100], data: range(100).map(() => 3) },
    detection_scores: { dims: [1, 100], data: range(100).map(() => 0.9) },
  };
  const counted = { ...tensors, num_detections: { dims: [1], data: [2] } };
  const [top = 0, left = 0, bottom = 0, right = 0] = Array.from(tensors.detection_boxes.data);
  const found = decoded("ssd", counted, size);
  expect(found).toHaveLength(2);
  expect(found[0]).toEqual({
    x1: left * 640,
    y1: top * 640,
    x2: right * 640,
    y2: bottom * 640,
    score: 0.9,
    label: 2,
  });
  expect(decoded("ssd", tensors, size)).toHaveLength(100);
});

test("overlaps of one label are suppressed as a naive search does it", () => {
  for (let round = 0; round < 100; round++) {
    const all = range(40).map((): Candidate => {
      const [x1, y1] = [random() * 100, random() * 100];
      const corner = { x2: x1 + 5 + random() * 60, y2: y1 + 5 + random() * 60 };
      return { x1, y1, ...corner, score: random(), label: Math.floor(random() * 3) };
    });
    const kept: Candidate[] = [];
    for (const one of all.toSorted((a, b) => b.score - a.score))
      if (!kept.some((other) => other.label === one.label && shared(one, other) > 0.4)) kept.push(one);
    expect(suppress(all)).toEqual(kept);
  }
});

function shared(a: Candidate, b: Candidate): number {
  const width = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const height = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const area = ({ x1, y1, x2, y2 }: Candidate) => (x2 - x1) * (y2 - y1);
  return (width * height) / (area(a) + area(b) - width * height);
}
