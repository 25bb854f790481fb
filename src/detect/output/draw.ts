// The picture that people see: what was found, with its label, and the zones that were looked in.
import type { OutputSettings } from "../../domain/detect-settings.ts";
import type { Detection, DetectionResult, Size } from "../../domain/detection.ts";
import { loadSharp } from "../picture/sharp.ts";
import {
  type Canvas,
  type Color,
  drawText,
  fillRectangle,
  strokePolygon,
  strokeRectangle,
  textDescent,
  textWidth,
} from "./canvas.ts";
import { pythonPercent } from "./python-json.ts";

export type DrawSettings = Pick<
  OutputSettings,
  "showPercent" | "drawPolygons" | "polygonColor" | "polygonThickness"
>;

/**
 * Draws into a copy of the pixels and gives a JPEG.
 * @param pixels RGB of `size`: the analyzed picture.
 * @param showsRejected whether what does not count is drawn too, in thin red lines.
 */
export async function drawnJpeg(
  pixels: Buffer,
  size: Size,
  result: Pick<DetectionResult, "detections" | "rejected" | "zones">,
  settings: DrawSettings,
  showsRejected = false,
): Promise<Buffer> {
  const canvas = { data: Buffer.from(pixels), ...size };
  drawResult(canvas, result, settings, showsRejected);
  const sharp = await loadSharp();
  return sharp(canvas.data, { raw: { ...size, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
}

/** Zones first, so that no line of theirs crosses a label. */
export function drawResult(
  canvas: Canvas,
  { detections, rejected, zones }: Pick<DetectionResult, "detections" | "rejected" | "zones">,
  settings: DrawSettings,
  showsRejected: boolean,
): void {
  const line = lineWidth(canvas);
  if (settings.drawPolygons && settings.polygonThickness > 0) {
    // In a picture twice as wide as usual, a line has to be twice as thick to look the same.
    const thickness = Math.max(settings.polygonThickness, (settings.polygonThickness * line) / LINE);
    for (const { points } of zones) strokePolygon(canvas, points, thickness, settings.polygonColor);
  }
  if (showsRejected)
    for (const { detection } of rejected) strokeRectangle(canvas, detection.box, 1, REJECTED);
  for (const [index, { box }] of detections.entries()) strokeRectangle(canvas, box, line, colorOf(index));
  const taken: Bar[] = [];
  for (const [index, each] of detections.entries())
    taken.push(drawLabel(canvas, each, { line, taken, color: colorOf(index) }, settings));
}

/** As the original's 95 is for large pictures, and 70 ZoneMinder's: nobody sees the difference on a phone. */
const JPEG_QUALITY = 85;
/** The original's six colors, in its order: everything that shows its pictures goes with them. */
const COLORS: readonly Color[] = [
  [96, 174, 39],
  [173, 68, 142],
  [254, 129, 0],
  [113, 60, 254],
  [48, 134, 243],
  [47, 177, 91],
];
const REJECTED: Color = [255, 0, 0];
const WHITE: Color = [255, 255, 255];
/** In a picture of 640 pixels. */
const LINE = 2;

/** 2 pixels in a picture of 640, 8 in one of 3840: the same on a screen. */
function lineWidth({ width }: Size): number {
  return Math.max(LINE, Math.round(width / 480));
}

/** Capitals of 15 pixels in a picture of 640, 29 in one of 1920; small pictures get what fits. */
function capitalHeight({ width, height }: Size): number {
  return Math.max(7, Math.min(8 + Math.round(width / 90), Math.round(height / 12)));
}

function colorOf(index: number): Color {
  return COLORS[index % COLORS.length] ?? WHITE;
}

/** Left, top, right, bottom. */
type Bar = readonly [number, number, number, number];

/** A bar above the box, inside it or below, where no other label is in the way. It never leaves the picture. */
function drawLabel(
  canvas: Canvas,
  { label, confidence, box }: Detection,
  { line, taken, color }: { readonly line: number; readonly taken: readonly Bar[]; readonly color: Color },
  { showPercent }: DrawSettings,
): Bar {
  const text = shortened(showPercent ? `${label} ${pythonPercent(confidence)}` : label);
  const high = capitalHeight(canvas);
  const pad = Math.round(high / 3);
  const width = textWidth(text, high) + pad * 2;
  const height = high + textDescent(high) + pad;
  const left = Math.max(0, Math.min(Math.round(box[0]), canvas.width - width));
  const places = [box[1] - height, box[1] + line, box[3]]
    .map((top) => Math.round(top))
    .filter((top) => top >= 0 && top + height <= canvas.height)
    .map((top): Bar => [left, top, left + width, top + height]);
  const bar = places.find((place) => !taken.some((other) => overlaps(place, other))) ??
    places[0] ?? [left, 0, left + width, height];
  fillRectangle(canvas, bar, color);
  drawText(canvas, text, [left + pad, bar[1] + pad], high, WHITE);
  return bar;
}

function overlaps(one: Bar, other: Bar): boolean {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

/** Plates and names are short; a model's labels may be anything. */
function shortened(label: string): string {
  return label.length <= LONGEST_LABEL ? label : `${label.slice(0, LONGEST_LABEL - 1)}~`;
}

const LONGEST_LABEL = 40;
