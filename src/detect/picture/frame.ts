// One picture on its way through the engines: read once, decoded once, scaled as each engine wants it.
import type { Metadata, Sharp as Pipeline } from "sharp";
import type { FrameId, Size } from "../../domain/detection.ts";
import { reasonOf } from "../../lib/errors.ts";
import { loadSharp, type Sharp } from "./sharp.ts";

export interface Frame {
  readonly id: FrameId;
  /** As it was read, upright. */
  readonly original: Size;
  /** As it is analyzed: `original`, or smaller. Boxes are in its pixels. */
  readonly size: Size;
  /** The JPEG (or other picture file) as it was read. */
  readonly file: Buffer;
  /** RGB, three bytes a pixel, row by row from the top, of `size`. Decoded at the first call, then kept. */
  pixels(): Promise<Buffer>;
  /**
   * RGB of exactly `to`, scaled straight from the file (decoding a smaller picture where JPEG allows it): "letterbox" keeps the
   * proportions, centered on gray 114; "squeeze" does not. What was asked for last is kept: nobody may write into it.
   */
  fitted(to: Size, fit: "letterbox" | "squeeze"): Promise<Fitted>;
  /** A JPEG of `size`: the file itself when it was not resized. */
  jpeg(): Promise<Buffer>;
}

export interface Fitted {
  readonly data: Buffer;
  /** A point of `frame.size` is at x * scaleX + offsetX in `data`. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

export interface OpenOptions {
  /** Wider pictures are analyzed with this width; null: as they are. Never enlarges. */
  readonly resizeWidth: number | null;
  /** What messages call it, such as "snapshot.jpg of event 5". */
  readonly label: string;
}

/**
 * Reads the head of a picture file, and of a JPEG whether its end is there. Rejects with an Error that names the
 * picture when it is empty, cut short, of an unknown kind or too large; damage further in rejects the first call that decodes.
 */
export async function openFrame(file: Buffer, id: FrameId, options: OpenOptions): Promise<Frame> {
  if (file.length === 0) throw new Error(`${options.label} is empty (0 bytes)`);
  const sharp = await loadSharp();
  const metadata = await readHead(sharp, file, options.label);
  const original = { width: metadata.autoOrient.width, height: metadata.autoOrient.height };
  const size = analyzedSize(original, options.resizeWidth);
  const isResized = size.width !== original.width || size.height !== original.height;
  const isCutOff = metadata.format === "jpeg" && !seemsWhole(file);
  const isPlainJpeg = metadata.format === "jpeg" && (metadata.orientation ?? 1) === 1;
  let decoded: Promise<Buffer> | null = null;
  let lastFitted: { readonly key: string; readonly fitted: Promise<Fitted> } | null = null;

  const upright = () => sharp(file, DECODING).autoOrient();
  async function raw(pipeline: Pipeline): Promise<Buffer> {
    try {
      // 16 bits, gray, CMYK and palettes become what models are trained with; what is transparent becomes black.
      return await pipeline.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer();
    } catch (failure) {
      // The decoder keeps its words in one place for all pictures of a process: another one's work may have wiped them.
      const fault = isCutOff ? "it is cut off" : "it is damaged";
      throw new Error(`${options.label} cannot be decoded: ${fault} (${firstLine(failure)})`, {
        cause: failure,
      });
    }
  }
  const opaque = (pipeline: Pipeline) =>
    metadata.hasAlpha === true ? pipeline.flatten({ background: "#000000" }) : pipeline;

  async function scaled(to: Size, fit: "letterbox" | "squeeze"): Promise<Fitted> {
    const { width, height } = fit === "letterbox" ? inside(size, to) : to;
    const left = Math.floor((to.width - width) / 2);
    const top = Math.floor((to.height - height) / 2);
    let pipeline = opaque(upright().resize({ width, height, fit: "fill" }));
    if (width !== to.width || height !== to.height) {
      const [right, bottom] = [to.width - width - left, to.height - height - top];
      pipeline = pipeline.extend({ left, top, right, bottom, background: GRAY });
    }
    const data = await raw(pipeline);
    return {
      data,
      scaleX: width / size.width,
      scaleY: height / size.height,
      offsetX: left,
      offsetY: top,
    };
  }

  const frame: Frame = {
    id,
    original,
    size,
    file,
    pixels() {
      decoded ??= raw(opaque(isResized ? upright().resize({ ...size, fit: "fill" }) : upright()));
      return decoded;
    },
    fitted(to, fit) {
      const key = `${to.width}x${to.height} ${fit}`;
      if (lastFitted?.key !== key) lastFitted = { key, fitted: scaled(to, fit) };
      return lastFitted.fitted;
    },
    async jpeg() {
      if (isPlainJpeg && !isResized) return file;
      const raw = { ...size, channels: 3 } as const;
      return sharp(await frame.pixels(), { raw })
        .jpeg({ quality: JPEG_QUALITY })
        .toBuffer();
    },
  };
  // The decoder has the last word: some cameras put bytes of their own behind the end.
  if (isCutOff) await frame.pixels();
  return frame;
}

/**
 * JPEG, PNG, WebP or GIF, by the first twelve bytes: what cameras and ZoneMinder write, and what people try things out with.
 * The library for pictures knows two dozen kinds; some of them are programs (SVG, PDF), and it never sees them.
 */
export function isPicture(head: Buffer): boolean {
  return /^(?:\xff\xd8\xff|\x89PNG|RIFF.{4}WEBP|GIF8)/s.test(head.toString("latin1", 0, 12));
}

/** An 8K camera has 33 million; what claims more than this may be a bomb of a few kilobytes. */
const MAX_PIXELS = 50_000_000;
/** Two pictures of 4K. Above, everything after the decoder only gets slower: such pictures are analyzed smaller. */
const MAX_ANALYZED_PIXELS = 16_600_000;
/** "warning", the default, refuses pictures of cameras with a sloppy encoder. */
const DECODING = { limitInputPixels: MAX_PIXELS, failOn: "truncated", pages: 1 } as const;
const GRAY = { r: 114, g: 114, b: 114 };
/** As OpenCV's default is 95 and ZoneMinder's 70. */
const JPEG_QUALITY = 85;

async function readHead(sharp: Sharp, file: Buffer, label: string): Promise<Metadata> {
  if (!isPicture(file)) throw new Error(`${label} is not a picture: it must be JPEG, PNG, WebP or GIF`);
  let metadata: Metadata;
  try {
    metadata = await sharp(file, { ...DECODING, limitInputPixels: false }).metadata();
  } catch (failure) {
    throw new Error(`${label} is not a picture that can be read (${firstLine(failure)})`, { cause: failure });
  }
  const { width, height } = metadata;
  if (width * height > MAX_PIXELS) {
    throw new Error(
      `${label} has ${width}x${height} pixels; more than ${MAX_PIXELS / 1_000_000} million are not decoded. Let the camera send a smaller picture.`,
    );
  }
  return metadata;
}

/** The decoders say everything several times. */
function firstLine(failure: unknown): string {
  return reasonOf(failure).split("\n", 1)[0] ?? "";
}

function analyzedSize(original: Size, resizeWidth: number | null): Size {
  const most = Math.sqrt(MAX_ANALYZED_PIXELS / (original.width * original.height));
  const factor = Math.min(1, most, (resizeWidth ?? original.width) / original.width);
  return factor === 1 ? original : scaled(original, factor);
}

function inside(size: Size, to: Size): Size {
  return scaled(size, Math.min(to.width / size.width, to.height / size.height));
}

function scaled({ width, height }: Size, factor: number): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** True when an end (EOI) follows the last scan (SOS; ITU T.81, B.1.1.3): inside scans, FF is always followed by 00 or RST. */
function seemsWhole(file: Buffer): boolean {
  return file.lastIndexOf(END_OF_IMAGE) > file.lastIndexOf(START_OF_SCAN);
}

const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);
const START_OF_SCAN = Buffer.from([0xff, 0xda]);
