// Boxes and polygons, by hand-made cases and against plain oracles.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areaOf, boxMeetsPolygon, coveredArea, polygonHolds } from "../../../src/detect/judge/geometry.ts";
import type { Box, Point } from "../../../src/domain/detection.ts";

const SQUARE: readonly Point[] = [
  [10, 10],
  [20, 10],
  [20, 20],
  [10, 20],
];
/** A "U": open above. */
const CONCAVE: readonly Point[] = [
  [0, 0],
  [10, 0],
  [10, 30],
  [20, 30],
  [20, 0],
  [30, 0],
  [30, 40],
  [0, 40],
];
const BOWTIE: readonly Point[] = [
  [0, 0],
  [10, 10],
  [10, 0],
  [0, 10],
];

describe("meeting", () => {
  it.each<[string, Box, readonly Point[], boolean]>([
    ["inside", [12, 12, 15, 15], SQUARE, true],
    ["around", [0, 0, 30, 30], SQUARE, true],
    ["overlapping", [15, 15, 30, 30], SQUARE, true],
    ["touching an edge", [20, 12, 30, 15], SQUARE, true],
    ["touching a corner", [20, 20, 30, 30], SQUARE, true],
    ["one pixel away", [21, 10, 30, 20], SQUARE, false],
    ["in the gap of a concave polygon", [12, 5, 18, 20], CONCAVE, false],
    ["touching the bottom of the gap", [12, 5, 18, 30], CONCAVE, true],
    [
      "touching a slanted edge in one point",
      [5, 5, 9, 9],
      [
        [0, 10],
        [10, 0],
        [0, 0],
      ],
      true,
    ],
    [
      "just off a slanted edge",
      [6, 5, 9, 9],
      [
        [0, 10],
        [10, 0],
        [0, 0],
      ],
      false,
    ],
    ["between the wings of a bowtie", [4, 8, 6, 10], BOWTIE, false],
    [
      "a flat polygon through it",
      [0, 0, 10, 10],
      [
        [-5, 5],
        [15, 5],
      ],
      true,
    ],
    [
      "a flat polygon beside it",
      [0, 0, 10, 10],
      [
        [-5, 11],
        [15, 11],
      ],
      false,
    ],
    ["a point in it", [0, 0, 10, 10], [[10, 10]], true],
    ["no points", [0, 0, 10, 10], [], false],
  ])("%s", (_, box, polygon, expected) => {
    expect(boxMeetsPolygon(box, polygon)).toBe(expected);
    expect(boxMeetsPolygon(box, [...polygon].reverse())).toBe(expected);
  });

  it.each<[Point, boolean]>([
    [[15, 15], true],
    [[10, 15], true],
    [[20, 20], true],
    [[9, 15], false],
  ])("the square holds %s: %s", (point, expected) => {
    expect(polygonHolds(SQUARE, point)).toBe(expected);
  });
});

const coordinate = fc.integer({ min: 0, max: 12 });
const anyPoint = fc.tuple(coordinate, coordinate);
const anyPolygon = fc.array(anyPoint, { minLength: 1, maxLength: 7 });
const anyBox = fc
  .tuple(coordinate, coordinate, coordinate, coordinate)
  .map(([a, b, c, d]): Box => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]);

describe("for any polygon and box", () => {
  it("meeting is what vertices, corners and crossing edges say", () => {
    fc.assert(
      fc.property(anyBox, anyPolygon, (box, polygon) => {
        expect(boxMeetsPolygon(box, polygon)).toBe(oracle(box, polygon));
      }),
      { numRuns: 5_000 },
    );
  });

  it("a box that covers some of the polygon meets it", () => {
    fc.assert(
      fc.property(anyBox, anyPolygon, (box, polygon) => {
        const area = coveredArea(box, polygon);
        expect(area).toBeGreaterThanOrEqual(0);
        expect(area).toBeLessThanOrEqual(areaOf(box) + 1e-9);
        if (area > 1e-9) expect(boxMeetsPolygon(box, polygon)).toBe(true);
      }),
    );
  });

  it("the covered area is what dense sampling counts", () => {
    fc.assert(
      fc.property(anyBox, anyPolygon, (box, polygon) => {
        fc.pre(areaOf(box) > 0);
        expect(Math.abs(coveredArea(box, polygon) - sampledArea(box, polygon))).toBeLessThan(
          0.04 * areaOf(box) + 0.3,
        );
      }),
      { numRuns: 200 },
    );
  });

  it("a triangle is covered by exactly what clipping its sides leaves", () => {
    fc.assert(
      fc.property(anyBox, fc.tuple(anyPoint, anyPoint, anyPoint), (box, triangle) => {
        expect(coveredArea(box, triangle)).toBeCloseTo(clippedArea(box, triangle), 8);
      }),
    );
  });

  it("no number makes it throw", () => {
    const number = fc.double();
    fc.assert(
      fc.property(
        fc.tuple(number, number, number, number),
        fc.array(fc.tuple(number, number)),
        (box, polygon) => {
          boxMeetsPolygon(box, polygon);
          coveredArea(box, polygon);
        },
      ),
    );
  });
});

/** Another way to the same answer: any vertex in the box, any corner in the polygon, any two edges that cross. */
function oracle(box: Box, polygon: readonly Point[]): boolean {
  const [x1, y1, x2, y2] = box;
  const corners: Point[] = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ];
  if (polygon.some(([x, y]) => x >= x1 && x <= x2 && y >= y1 && y <= y2)) return true;
  const sides = corners.map((from, at) => [from, corners[(at + 1) % 4] ?? from] as const);
  const edges = polygon.map((from, at) => [from, polygon[(at + 1) % polygon.length] ?? from] as const);
  if (edges.some(([a, b]) => sides.some(([c, d]) => segmentsMeet(a, b, c, d)))) return true;
  return corners.some((corner) => oddCrossings(corner, polygon));
}

function segmentsMeet(a: Point, b: Point, c: Point, d: Point): boolean {
  const turn = (p: Point, q: Point, r: Point): number =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  const between = (p: Point, q: Point, r: Point): boolean =>
    turn(p, q, r) === 0 &&
    Math.min(p[0], q[0]) <= r[0] &&
    r[0] <= Math.max(p[0], q[0]) &&
    Math.min(p[1], q[1]) <= r[1] &&
    r[1] <= Math.max(p[1], q[1]);
  if (between(a, b, c) || between(a, b, d) || between(c, d, a) || between(c, d, b)) return true;
  return turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
}

function oddCrossings([x, y]: Point, polygon: readonly Point[]): boolean {
  const crossed = polygon.filter(([ax, ay], at) => {
    const [bx, by] = polygon[(at + 1) % polygon.length] ?? [ax, ay];
    return ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax);
  });
  return crossed.length % 2 === 1;
}

function sampledArea(box: Box, polygon: readonly Point[]): number {
  const steps = 60;
  const [x1, y1, x2, y2] = box;
  let hits = 0;
  for (let row = 0; row < steps; row += 1)
    for (let column = 0; column < steps; column += 1) {
      const x = x1 + ((column + 0.5137) / steps) * (x2 - x1);
      const y = y1 + ((row + 0.4891) / steps) * (y2 - y1);
      if (oddCrossings([x, y], polygon)) hits += 1;
    }
  return (hits / (steps * steps)) * areaOf(box);
}

/** Sutherland and Hodgman, then the shoelace formula; right for convex polygons. */
function clippedArea([x1, y1, x2, y2]: Box, triangle: readonly Point[]): number {
  const cut = (points: readonly Point[], axis: 0 | 1, limit: number, sign: 1 | -1): readonly Point[] =>
    points.flatMap((to, at): Point[] => {
      const from = points.at(at - 1) ?? to;
      const inside = (point: Point): boolean => sign * (point[axis] - limit) >= 0;
      const share = (limit - from[axis]) / (to[axis] - from[axis]);
      const crossing: Point = [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
      if (inside(to)) return inside(from) ? [to] : [crossing, to];
      return inside(from) ? [crossing] : [];
    });
  const clipped = cut(cut(cut(cut(triangle, 0, x1, 1), 0, x2, -1), 1, y1, 1), 1, y2, -1);
  const twice = clipped.reduce((sum, [ax, ay], at) => {
    const [bx, by] = clipped[(at + 1) % clipped.length] ?? [ax, ay];
    return sum + ax * by - bx * ay;
  }, 0);
  return Math.abs(twice) / 2;
}
