// Pictures with people in them, drawn: upright figures with head, shoulders, arms and legs, which OpenCV's people detector takes for people.
import sharp from "sharp";
import { generator } from "./darknet.ts";

interface Figure {
  /** Where the middle of the body is, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly color: string;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  readonly figures: readonly Figure[];
  /** So many gray rectangles lie about; 0 without. */
  readonly clutter?: number;
}

/** A PNG of a scene. */
export function drawScene({ width, height, background, figures, clutter = 0 }: Scene): Promise<Buffer> {
  const shapes = [...things(clutter, width, height), ...figures.map(figure)].join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${background}"/>${shapes}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().blur(0.8).png().toBuffer();
}

/** In a system in which the figure is 1 high, its top at 0 and its middle at 0. */
function figure({ x, y, height, color }: Figure): string {
  return `<g transform="translate(${x} ${y - height / 2}) scale(${height})" fill="${color}">
    <ellipse cx="0" cy=".075" rx=".055" ry=".075"/>
    <path d="M-.03 .13 H.03 L.09 .165 L.13 .19 L.15 .5 H.11 L.1 .48 L.12 .97 H.05 L0 .5 L-.05 .97 H-.12 L-.1 .48 L-.11 .5 H-.15 L-.13 .19 L-.09 .165 Z"/>
  </g>`;
}

function things(count: number, width: number, height: number): string[] {
  const next = generator(11);
  const upTo = (limit: number): number => Math.round(((next() + 1) / 2) * limit);
  return Array.from({ length: count }, () => {
    const [x, y, w, h, gray] = [upTo(width), upTo(height), 10 + upTo(120), 10 + upTo(80), 40 + upTo(160)];
    return `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="rgb(${gray} ${gray} ${gray})"/>`;
  });
}
