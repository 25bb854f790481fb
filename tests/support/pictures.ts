// Real pictures for tests, made by the same library that makes them smaller.
import sharp from "sharp";

/** A JPEG of one colour. */
export function aJpeg(width = 64, height = 48, background = "#3366cc"): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

/** A GIF of one colour. */
export function aGif(): Promise<Buffer> {
  return sharp({ create: { width: 16, height: 16, channels: 3, background: "#00aa00" } })
    .gif()
    .toBuffer();
}
