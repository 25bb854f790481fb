// The picture with boxes: where lines, bars and letters are, read back from its pixels.
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { fillRectangle, strokePolygon, textWidth } from "../../../src/detect/output/canvas.ts";
import { type DrawSettings, drawnJpeg, drawResult } from "../../../src/detect/output/draw.ts";
import { glyphsOf } from "../../../src/detect/output/stroke-font.ts";
import type { Box, Detection } from "../../../src/domain/detection.ts";

const SETTINGS: DrawSettings = {
  showPercent: true,
  drawPolygons: true,
  polygonColor: [255, 255, 255],
  polygonThickness: 2,
};
const GREEN = [96, 174, 39];
const PURPLE = [173, 68, 142];

function gray(width: number, height: number) {
  return { data: Buffer.alloc(width * height * 3, 100), width, height };
}

function pixel({ data, width }: ReturnType<typeof gray>, x: number, y: number): readonly number[] {
  const at = (y * width + x) * 3;
  return [...data.subarray(at, at + 3)];
}

function found(label: string, box: Box, confidence = 0.97): Detection {
  return { label, confidence, box, type: "object", model: "yolo" };
}

function draw(canvas: ReturnType<typeof gray>, detections: readonly Detection[], settings = SETTINGS) {
  drawResult(canvas, { detections, rejected: [], zones: [] }, settings, false);
  return canvas;
}

describe("a picture with what was found", () => {
  it("has a frame of the first color round the first box and of the second round the next", () => {
    const canvas = draw(gray(640, 480), [
      found("person", [100, 200, 200, 400]),
      found("car", [300, 200, 400, 400]),
    ]);
    expect(pixel(canvas, 100, 300)).toEqual(GREEN);
    expect(pixel(canvas, 199, 300)).toEqual(GREEN);
    expect(pixel(canvas, 150, 399)).toEqual(GREEN);
    expect(pixel(canvas, 300, 300)).toEqual(PURPLE);
    expect(pixel(canvas, 150, 300)).toEqual([100, 100, 100]);
  });

  it("has the label above the box, white on its color", () => {
    const canvas = draw(gray(640, 480), [found("person", [100, 200, 400, 400])]);
    const row = Array.from({ length: 100 }, (_, x) => pixel(canvas, 101 + x, 190));
    expect(row.some((each) => each.every((value) => value > 240))).toBe(true);
    expect(pixel(canvas, 101, 199)).toEqual(GREEN);
  });

  it.each([
    ["at the top", [100, 0, 300, 200]],
    ["in the right corner", [600, 440, 640, 480]],
    ["all of it", [0, 0, 640, 480]],
  ] as const)("keeps the label inside when the box is %s", (_, box) => {
    const canvas = draw(gray(640, 480), [found("person", box)]);
    const whites = Array.from({ length: 640 * 480 }, (_, at) => at).filter((at) =>
      [0, 1, 2].every((channel) => (canvas.data[at * 3 + channel] ?? 0) > 240),
    );
    expect(whites.length).toBeGreaterThan(100);
    expect(Math.max(...whites.map((at) => at % 640))).toBeLessThan(639);
  });

  it("has labels side by side or one below the other where boxes lie on each other", () => {
    const canvas = draw(gray(640, 480), [
      found("person", [100, 200, 300, 400]),
      found("cat", [100, 200, 290, 390]),
    ]);
    expect(pixel(canvas, 102, 199)).toEqual(GREEN);
    expect(pixel(canvas, 102, 204)).toEqual(PURPLE);
  });

  it("is drawn thicker where there are more pixels", () => {
    const canvas = draw(gray(3840, 2160), [found("person", [1000, 1000, 2000, 2000])]);
    expect(pixel(canvas, 1007, 1500)).toEqual(GREEN);
    expect(pixel(canvas, 1008, 1500)).toEqual([100, 100, 100]);
  });

  it("says how certain it is only where that is wanted", () => {
    const wide = draw(gray(640, 480), [found("car", [10, 100, 60, 200])]);
    const narrow = draw(gray(640, 480), [found("car", [10, 100, 60, 200])], {
      ...SETTINGS,
      showPercent: false,
    });
    expect(pixel(wide, 90, 90)).toEqual(GREEN);
    expect(pixel(narrow, 90, 90)).toEqual([100, 100, 100]);
  });

  it("shows zones in their color, and none when their lines have no thickness", () => {
    const zones = [
      {
        name: "drive",
        points: [
          [50, 50],
          [600, 50],
          [600, 400],
        ] as const,
      },
    ];
    const shown = gray(640, 480);
    drawResult(shown, { detections: [], rejected: [], zones }, SETTINGS, false);
    expect(pixel(shown, 300, 50)).toEqual([255, 255, 255]);
    const hidden = gray(640, 480);
    drawResult(hidden, { detections: [], rejected: [], zones }, { ...SETTINGS, polygonThickness: 0 }, false);
    expect(hidden.data.every((value) => value === 100)).toBe(true);
  });

  it("shows what does not count in thin red lines only where faults are looked for", () => {
    const rejected = [{ detection: found("cat", [10, 10, 50, 50]), reason: "zone" as const, detail: "" }];
    const [debug, usual] = [gray(640, 480), gray(640, 480)];
    drawResult(debug, { detections: [], rejected, zones: [] }, SETTINGS, true);
    drawResult(usual, { detections: [], rejected, zones: [] }, SETTINGS, false);
    expect(pixel(debug, 10, 30)).toEqual([255, 0, 0]);
    expect(pixel(usual, 10, 30)).toEqual([100, 100, 100]);
  });

  it("leaves the analyzed picture as it was and is a JPEG of the same size", async () => {
    const pixels = Buffer.alloc(320 * 240 * 3, 100);
    const result = { detections: [found("person", [10, 50, 100, 200])], rejected: [], zones: [] };
    const jpeg = await drawnJpeg(pixels, { width: 320, height: 240 }, result, SETTINGS);
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: "jpeg", width: 320, height: 240 });
    expect(pixels.every((value) => value === 100)).toBe(true);
  });

  it("is drawn whatever the boxes, labels and zones are", () => {
    const coordinate = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const box = fc.tuple(coordinate, coordinate, coordinate, coordinate);
    const zone = fc.record({ name: fc.string(), points: fc.array(fc.tuple(coordinate, coordinate)) });
    fc.assert(
      fc.property(box, fc.string({ unit: "binary" }), zone, (where, label, around) => {
        const canvas = gray(64, 48);
        drawResult(
          canvas,
          { detections: [found(label, where)], rejected: [], zones: [around] },
          SETTINGS,
          true,
        );
        expect(canvas.data.length).toBe(64 * 48 * 3);
      }),
      { numRuns: 200 },
    );
  });
});

describe("letters", () => {
  it("exist for everything that can be typed on a keyboard", () => {
    const typed = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
    const box = JSON.stringify(glyphsOf("\u0001"));
    for (const character of typed) expect(JSON.stringify(glyphsOf(character)), character).not.toBe(box);
  });

  it("with accents are those without, and the accent", () => {
    const [plain] = glyphsOf("u");
    const [accented] = glyphsOf("ü");
    expect(accented?.strokes.length).toBe((plain?.strokes.length ?? 0) + 2);
  });

  it("that are not known are empty boxes of one width", () => {
    expect(glyphsOf("漢字").length).toBe(2);
    expect(textWidth("漢", 12)).toBe(textWidth("字", 12));
  });

  it("take more room the higher they are", () => {
    expect(textWidth("person", 24)).toBeCloseTo(2 * textWidth("person", 12), -1);
  });
});

describe("lines and bars", () => {
  it("outside the picture change nothing", () => {
    const canvas = gray(20, 20);
    fillRectangle(canvas, [-50, -50, -10, -10], [1, 2, 3]);
    strokePolygon(
      canvas,
      [
        [100, 100],
        [200, 100],
        [200, 200],
      ],
      2,
      [1, 2, 3],
    );
    expect(canvas.data.every((value) => value === 100)).toBe(true);
  });
});
