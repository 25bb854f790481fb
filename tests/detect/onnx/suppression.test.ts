import fc from "fast-check";
import { expect, test } from "vitest";
import type { Candidate } from "../../../src/detect/onnx/layouts/layout.ts";
import { suppress } from "../../../src/detect/onnx/suppression.ts";

const box = (x1: number, width: number, score: number, label = 0): Candidate => ({
  x1,
  y1: 0,
  x2: x1 + width,
  y2: 100,
  score,
  label,
});

test("of boxes that share more than 0.4, the strongest stays", () => {
  const [weak, strong] = [box(0, 100, 0.5), box(40, 100, 0.9)];
  // 60 of 140: 0.43
  expect(suppress([weak, strong])).toEqual([strong]);
});

test("boxes that share less both stay, the stronger first", () => {
  const [weak, strong] = [box(0, 100, 0.5), box(45, 100, 0.9)];
  // 55 of 145: 0.38
  expect(suppress([weak, strong])).toEqual([strong, weak]);
});

test("another label at the same place stays", () => {
  expect(suppress([box(0, 100, 0.5, 1), box(0, 100, 0.9, 2)])).toHaveLength(2);
});

test("a box that was left out does not leave out others", () => {
  const chain = [box(0, 100, 0.9), box(40, 100, 0.8), box(80, 100, 0.7)];
  expect(suppress(chain).map(({ x1 }) => x1)).toEqual([0, 80]);
});

test("what stays is strongest first, and nothing is made up", () => {
  const candidate = fc.record({
    x1: fc.nat(100),
    y1: fc.nat(100),
    x2: fc.nat(200),
    y2: fc.nat(200),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    label: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(candidate), (candidates) => {
      const kept = suppress(candidates);
      expect(kept.every((one) => candidates.includes(one))).toBe(true);
      expect(kept.map(({ score }) => score)).toEqual(
        kept.map(({ score }) => score).toSorted((a, b) => b - a),
      );
      expect(kept.length > 0).toBe(candidates.length > 0);
    }),
  );
});
