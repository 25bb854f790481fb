// One picture on its way through the engines: read once, decoded once, scaled as each engine wants it.
import type { FrameId, Size } from "../../domain/detection.ts";

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
   * proportions, centered on gray 114; "squeeze" does not.
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
