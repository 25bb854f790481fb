// Draws lines, bars and letters into the bytes of a picture.
import type { Point } from "../../domain/detection.ts";
import { CAPITAL_UNITS, DESCENT_UNITS, type Glyph, glyphsOf } from "./stroke-font.ts";

export type Color = readonly [red: number, green: number, blue: number];

export interface Canvas {
  /** RGB, three bytes a pixel, row by row from the top. Drawn into. */
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

/** A filled rectangle from `left`, `top` up to, not including, `right`, `bottom`; what is outside is left out. */
export function fillRectangle(
  canvas: Canvas,
  [left, top, right, bottom]: readonly [number, number, number, number],
  color: Color,
): void {
  const { data, width, height } = canvas;
  const [x1, x2] = [within(left, width), within(right, width)];
  for (let y = within(top, height); y < within(bottom, height); y++) {
    for (let at = (y * width + x1) * 3; at < (y * width + x2) * 3; at += 3) {
      data[at] = color[0];
      data[at + 1] = color[1];
      data[at + 2] = color[2];
    }
  }
}

/** The frame of a rectangle, its lines inside. */
export function strokeRectangle(
  canvas: Canvas,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  thickness: number,
  color: Color,
): void {
  fillRectangle(canvas, [x1, y1, x2, y1 + thickness], color);
  fillRectangle(canvas, [x1, y2 - thickness, x2, y2], color);
  fillRectangle(canvas, [x1, y1, x1 + thickness, y2], color);
  fillRectangle(canvas, [x2 - thickness, y1, x2, y2], color);
}

/** A closed polygon with smooth edges. */
export function strokePolygon(
  canvas: Canvas,
  points: readonly Point[],
  thickness: number,
  color: Color,
): void {
  for (const [index, from] of points.entries()) {
    const to = points[(index + 1) % points.length];
    if (to !== undefined) drawLine(canvas, from, to, thickness / 2, color);
  }
}

/** How wide a text is, in pixels, with letters whose capitals are so high. */
export function textWidth(text: string, capitalHeight: number): number {
  const units = glyphsOf(text).reduce((sum, { advance }) => sum + advance, 0);
  return Math.ceil((units * capitalHeight) / CAPITAL_UNITS);
}

/** How far letters such as g hang below the line, in pixels. */
export function textDescent(capitalHeight: number): number {
  return Math.ceil((DESCENT_UNITS * capitalHeight) / CAPITAL_UNITS);
}

/** Writes a text; `left`, `top`: where its first capital begins. */
export function drawText(
  canvas: Canvas,
  text: string,
  [left, top]: Point,
  capitalHeight: number,
  color: Color,
): void {
  const unit = capitalHeight / CAPITAL_UNITS;
  const radius = Math.max(0.6, capitalHeight / STROKES_PER_HEIGHT / 2);
  let x = left + unit;
  for (const letter of glyphsOf(text)) {
    drawGlyph(canvas, letter, [x, top], unit, radius, color);
    x += letter.advance * unit;
  }
}

/** A stroke is an eighth as thick as capitals are high: legible from 9 pixels on. */
const STROKES_PER_HEIGHT = 7;

function drawGlyph(
  canvas: Canvas,
  { strokes }: Glyph,
  [left, top]: Point,
  unit: number,
  radius: number,
  color: Color,
): void {
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [left + x * unit, top + y * unit] as const);
    const [first] = points;
    if (first === undefined) continue;
    if (points.length === 1) drawLine(canvas, first, first, radius * 1.2, color);
    for (const [index, to] of points.entries()) {
      const from = points[index - 1];
      if (from !== undefined) drawLine(canvas, from, to, radius, color);
    }
  }
}

/** A line with round ends; pixels at its edge are mixed with what is below them. */
function drawLine(canvas: Canvas, from: Point, to: Point, radius: number, color: Color): void {
  const isFlat = Math.abs(to[0] - from[0]) >= Math.abs(to[1] - from[1]);
  const { width, height } = canvas;
  const [main, cross] = isFlat ? ([0, 1] as const) : ([1, 0] as const);
  const [mainEnd, crossEnd] = isFlat ? [width, height] : [height, width];
  const span = to[main] - from[main];
  const slope = span === 0 ? 0 : (to[cross] - from[cross]) / span;
  // How far the line reaches across, seen along the cross axis, with a pixel for the smooth edge.
  const reach = (radius + 1) * Math.hypot(1, slope);
  const [low, high] = [Math.min(from[main], to[main]), Math.max(from[main], to[main])];
  for (let m = within(low - radius - 1, mainEnd); m < within(high + radius + 2, mainEnd); m++) {
    const center = from[cross] + (Math.min(high, Math.max(low, m)) - from[main]) * slope;
    for (let c = within(center - reach, crossEnd); c < within(center + reach + 1, crossEnd); c++) {
      const [x, y] = isFlat ? [m, c] : [c, m];
      const share = radius + 0.5 - distance(x, y, from, to);
      if (share > 0) mix(canvas, x, y, color, Math.min(1, share));
    }
  }
}

function distance(x: number, y: number, [x1, y1]: Point, [x2, y2]: Point): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const at = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x - x1 - at * dx, y - y1 - at * dy);
}

function mix({ data, width }: Canvas, x: number, y: number, color: Color, share: number): void {
  const at = (y * width + x) * 3;
  for (const [channel, value] of color.entries()) {
    const below = data[at + channel] ?? 0;
    data[at + channel] = Math.round(below + (value - below) * share);
  }
}

/** A whole number from 0 to `end`. */
function within(value: number, end: number): number {
  return Math.min(end, Math.max(0, Math.round(value)));
}
