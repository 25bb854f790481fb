// Rectangles against polygons: do they meet, is a point inside, how much of the box is covered. All edges belong to the shapes.
import type { Box, Point } from "../../domain/detection.ts";

/** Width times height; 0 for an inverted box. */
export function areaOf([x1, y1, x2, y2]: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
}

/** What both cover; an empty box (area 0) when they do not meet. */
export function intersectionOf(one: Box, other: Box): Box {
  return [
    Math.max(one[0], other[0]),
    Math.max(one[1], other[1]),
    Math.min(one[2], other[2]),
    Math.min(one[3], other[3]),
  ];
}

/** True when the boxes have at least one point in common; touching counts. */
export function boxesMeet(one: Box, other: Box): boolean {
  const [x1, y1, x2, y2] = intersectionOf(one, other);
  return x1 <= x2 && y1 <= y2;
}

/**
 * True when box and polygon have at least one point in common; touching at an edge or a corner counts, as in shapely's
 * `intersects`. Any polygon: concave, crossing itself (inside is by even-odd), flat, a single point; without points, false.
 */
export function boxMeetsPolygon(box: Box, polygon: readonly Point[]): boolean {
  if (edgesOf(polygon).some(([from, to]) => segmentMeetsBox(from, to, box))) return true;
  // No edge comes near: the box is inside as a whole or not at all.
  return isInside([box[0], box[1]], polygon);
}

/** True when the point lies in the polygon or on its edge. */
export function polygonHolds(polygon: readonly Point[], point: Point): boolean {
  const [x, y] = point;
  return boxMeetsPolygon([x, y, x, y], polygon);
}

/** The area, in square pixels, of the part of the box that lies in the polygon (even-odd). Exact but for rounding. */
export function coveredArea(box: Box, polygon: readonly Point[]): number {
  const edges = edgesOf(polygon);
  const levels = slabLevels(box, edges);
  let area = 0;
  for (let at = 1; at < levels.length; at += 1) {
    const top = levels[at - 1] ?? 0;
    const bottom = levels[at] ?? 0;
    // Within a slab no edge begins, ends, crosses another one or a side of the box: each span is a trapezoid.
    area += (bottom - top) * coveredLength(box, edges, (top + bottom) / 2);
  }
  return area;
}

type Edge = readonly [from: Point, to: Point];

function edgesOf(polygon: readonly Point[]): readonly Edge[] {
  return polygon.flatMap((from, at): Edge[] => {
    const to = polygon[(at + 1) % polygon.length];
    return to === undefined ? [] : [[from, to]];
  });
}

/** Separating axes: those of the box, and the normal of the segment. Exact for whole numbers. */
function segmentMeetsBox([ax, ay]: Point, [bx, by]: Point, [x1, y1, x2, y2]: Box): boolean {
  if (Math.max(ax, bx) < x1 || Math.min(ax, bx) > x2) return false;
  if (Math.max(ay, by) < y1 || Math.min(ay, by) > y2) return false;
  const side = (x: number, y: number): number => (bx - ax) * (y - ay) - (by - ay) * (x - ax);
  const sides = [side(x1, y1), side(x2, y1), side(x1, y2), side(x2, y2)];
  return !(sides.every((each) => each > 0) || sides.every((each) => each < 0));
}

/** By even-odd; what lies on the edge may be called either way. */
function isInside([x, y]: Point, polygon: readonly Point[]): boolean {
  let inside = false;
  for (const [[ax, ay], [bx, by]] of edgesOf(polygon))
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  return inside;
}

/** Every height within the box at which something about the edges changes, in order. */
function slabLevels(box: Box, edges: readonly Edge[]): readonly number[] {
  const [x1, y1, x2, y2] = box;
  const levels = [y1, y2];
  edges.forEach((edge, at) => {
    levels.push(edge[0][1], heightAt(edge, x1), heightAt(edge, x2));
    for (const other of edges.slice(at + 1)) levels.push(crossingHeight(edge, other));
  });
  return levels.filter((level) => level >= y1 && level <= y2).sort((one, other) => one - other);
}

/** NaN, which no comparison lets through, where the lines are parallel. A level too many does no harm. */
function heightAt([[ax, ay], [bx, by]]: Edge, x: number): number {
  return ay + ((x - ax) / (bx - ax)) * (by - ay);
}

function crossingHeight([[ax, ay], [bx, by]]: Edge, [[cx, cy], [dx, dy]]: Edge): number {
  const cross = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx);
  return ay + (((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / cross) * (by - ay);
}

function coveredLength([x1, , x2]: Box, edges: readonly Edge[], y: number): number {
  const crossings = edges
    .filter(([[, ay], [, by]]) => ay > y !== by > y)
    .map(([[ax, ay], [bx, by]]) => ax + ((y - ay) / (by - ay)) * (bx - ax))
    .sort((one, other) => one - other);
  let length = 0;
  for (let at = 1; at < crossings.length; at += 2) {
    const left = Math.max(x1, crossings[at - 1] ?? 0);
    const right = Math.min(x2, crossings[at] ?? 0);
    length += Math.max(0, right - left);
  }
  return length;
}
