import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type Frame, openFrame } from "../../../src/detect/picture/frame.ts";

/** Dark, with a red rectangle from (80, 20) to (120, 60). */
function picture({ width = 200, height = 100 } = {}) {
  const red = { create: { width: 40, height: 40, channels: 3, background: "#ff0000" } } as const;
  return sharp({ create: { width, height, channels: 3, background: "#101010" } }).composite([
    { input: red, left: 80, top: 20 },
  ]);
}

const open = (file: Buffer, resizeWidth: number | null = null) =>
  openFrame(file, "snapshot", { resizeWidth, label: "snapshot.jpg of event 5" });

async function pixelAt(frame: Frame, x: number, y: number): Promise<number[]> {
  const data = await frame.pixels();
  expect(data.length).toBe(frame.size.width * frame.size.height * 3);
  return [...data.subarray((y * frame.size.width + x) * 3, (y * frame.size.width + x) * 3 + 3)];
}

describe("kinds of pictures", () => {
  test.each([
    ["JPEG", () => picture().jpeg().toBuffer()],
    ["progressive JPEG", () => picture().jpeg({ progressive: true }).toBuffer()],
    ["PNG", () => picture().png().toBuffer()],
    ["palette PNG", () => picture().png({ palette: true }).toBuffer()],
    ["WebP", () => picture().webp({ lossless: true }).toBuffer()],
    ["16 bit PNG", () => picture().toColourspace("rgb16").png().toBuffer()],
    ["PNG with alpha", () => picture().ensureAlpha(1).png().toBuffer()],
    ["CMYK JPEG", () => picture().toColourspace("cmyk").jpeg().toBuffer()],
  ])("%s becomes RGB", async (_, make) => {
    const frame = await open(await make());
    const [red = 0, green = 255, blue = 255] = await pixelAt(frame, 100, 40);
    expect(red).toBeGreaterThan(200);
    expect(Math.max(green, blue)).toBeLessThan(80);
    const dark = await pixelAt(frame, 10, 90);
    expect(Math.max(...dark)).toBeLessThan(60);
  });

  test.each([
    ["8 bit gray JPEG", () => picture().toColourspace("b-w").jpeg().toBuffer()],
    ["16 bit gray PNG", () => picture().toColourspace("grey16").png().toBuffer()],
  ])("%s becomes RGB with three equal parts", async (_, make) => {
    const frame = await open(await make());
    const [red, green, blue] = await pixelAt(frame, 100, 40);
    expect([green, blue]).toEqual([red, red]);
    const { data } = await frame.fitted({ width: 64, height: 64 }, "letterbox");
    expect(data.length).toBe(64 * 64 * 3);
    expect([...data.subarray(0, 3)]).toEqual([114, 114, 114]);
  });

  test("what is transparent becomes black", async () => {
    const clear = sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 255, g: 255, b: 255, alpha: 0 } },
    });
    expect(await pixelAt(await open(await clear.png().toBuffer()), 4, 4)).toEqual([0, 0, 0]);
  });

  test.each([3, 6, 8])(
    "a picture with EXIF orientation %i stands upright everywhere",
    async (orientation) => {
      const frame = await open(await picture().withMetadata({ orientation }).jpeg().toBuffer());
      const isSideways = orientation > 4;
      expect(frame.size).toEqual(isSideways ? { width: 100, height: 200 } : { width: 200, height: 100 });
      const center = { 3: [100, 60], 6: [60, 100], 8: [40, 100] }[orientation] ?? [];
      const [x = 0, y = 0] = center;
      expect((await pixelAt(frame, x, y))[0]).toBeGreaterThan(200);
      const again = await open(await frame.jpeg());
      expect(again.size).toEqual(frame.size);
      expect((await pixelAt(again, x, y))[0]).toBeGreaterThan(200);
    },
  );

  test("what could be a program is refused before anybody has a look at it", async () => {
    // Were it read, its size would be complained about.
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99999999" height="1"/>');
    await expect(open(svg)).rejects.toThrow("it must be JPEG, PNG, WebP or GIF");
  });
});

describe("broken files", () => {
  test("an empty file is called empty", async () => {
    await expect(open(Buffer.alloc(0))).rejects.toThrow("snapshot.jpg of event 5 is empty (0 bytes)");
  });

  test("text is not a picture", async () => {
    await expect(open(Buffer.from("<html>404"))).rejects.toThrow("snapshot.jpg of event 5 is not a picture");
  });

  test.each([0.3, 0.7, 0.99])(
    "a JPEG of which only %d is written is refused when it is opened",
    async (part) => {
      const noise = await sharp({
        create: {
          width: 300,
          height: 200,
          channels: 3,
          background: "#000",
          noise: { type: "gaussian", mean: 128, sigma: 40 },
        },
      })
        .jpeg()
        .toBuffer();
      const cut = noise.subarray(0, Math.floor(noise.length * part));
      await expect(open(cut)).rejects.toThrow(/snapshot.jpg of event 5 cannot be decoded: it is cut off/);
    },
  );

  test("a JPEG with bytes of the camera behind its end is read", async () => {
    const file = Buffer.concat([await picture().jpeg().toBuffer(), Buffer.alloc(5000, 0xda)]);
    expect((await pixelAt(await open(file), 100, 40))[0]).toBeGreaterThan(200);
  });

  test("a picture of 51 million pixels is refused, one of 49 million is analyzed smaller", async () => {
    const black = (width: number) =>
      sharp({ create: { width, height: 7000, channels: 3, background: "#000" } })
        .jpeg()
        .toBuffer();
    await expect(open(await black(7300))).rejects.toThrow("7300x7000 pixels; more than 50 million");
    const frame = await open(await black(7000));
    expect(frame.original).toEqual({ width: 7000, height: 7000 });
    expect(frame.size.width).toBe(4074);
    expect((await frame.pixels()).length).toBe(4074 * 4074 * 3);
  });
});

describe("sizes", () => {
  test("a wider picture gets the width that is asked for; its proportions stay", async () => {
    const frame = await open(await picture().jpeg().toBuffer(), 50);
    expect(frame.original).toEqual({ width: 200, height: 100 });
    expect(frame.size).toEqual({ width: 50, height: 25 });
    expect((await pixelAt(frame, 25, 10))[0]).toBeGreaterThan(200);
    const { width, height } = await sharp(await frame.jpeg()).metadata();
    expect([width, height]).toEqual([50, 25]);
  });

  test("a narrow picture is never enlarged, and its JPEG is the file", async () => {
    const file = await picture().jpeg().toBuffer();
    const frame = await open(file, 800);
    expect(frame.size).toEqual(frame.original);
    expect(await frame.jpeg()).toBe(file);
  });

  test.each([null, 50])(
    "the letterbox of a picture with resizeWidth %j says where its points are",
    async (width) => {
      const frame = await open(await picture().jpeg().toBuffer(), width);
      const { data, scaleX, scaleY, offsetX, offsetY } = await frame.fitted(
        { width: 64, height: 64 },
        "letterbox",
      );
      expect([offsetX, offsetY]).toEqual([0, 16]);
      expect(scaleX * frame.size.width).toBe(64);
      expect(scaleY * frame.size.height).toBe(32);
      const [x, y] = [
        Math.round(scaleX * frame.size.width * 0.5),
        Math.round(scaleY * frame.size.height * 0.4 + 16),
      ];
      expect(data[(y * 64 + x) * 3]).toBeGreaterThan(200);
      expect([...data.subarray(15 * 64 * 3, 15 * 64 * 3 + 3)]).toEqual([114, 114, 114]);
      expect(data[16 * 64 * 3]).toBeLessThan(40);
    },
  );

  test("the squeezed picture fills everything", async () => {
    const frame = await open(await picture().jpeg().toBuffer());
    const fitted = await frame.fitted({ width: 100, height: 100 }, "squeeze");
    expect({ ...fitted, data: fitted.data.length }).toEqual({
      data: 30_000,
      scaleX: 0.5,
      scaleY: 1,
      offsetX: 0,
      offsetY: 0,
    });
    expect(fitted.data[(40 * 100 + 50) * 3]).toBeGreaterThan(200);
  });

  test("pixels are decoded once", async () => {
    const frame = await open(await picture().jpeg().toBuffer());
    expect(await frame.pixels()).toBe(await frame.pixels());
  });
});
