// OpenCV's people detector (histograms of oriented gradients): needs no model file. It finds upright people in full view.
import type { HogSettings } from "../../domain/detect-settings.ts";
import type { Size } from "../../domain/detection.ts";
import type { Frame } from "../picture/frame.ts";
import type { Engine, EngineOptions, Finding } from "./engine.ts";
import { type HogDescriptor, loadOpenCv, type OpenCv, type OpenCvMat, wordsOf } from "./opencv.ts";

/** Loads OpenCV (0.3 s, 80 MB, once in a process). It computes on one thread, and does not return before it is through. */
export async function createHogEngine(settings: HogSettings, _options: EngineOptions): Promise<Engine> {
  checkSettings(settings);
  const [cv] = await loadOpenCv();
  const hog = new cv.HOGDescriptor();
  usePeopleDetector(cv, hog);
  return {
    description: `HOG people detector of OpenCV, stride ${settings.stride.join("x")}, scale ${settings.scale}, CPU`,
    labels: ["person"],
    async detect(frame, { minConfidence, signal }) {
      if (frame.size.width < WINDOW.width || frame.size.height < WINDOW.height) return [];
      const picture = await bgrMat(cv, frame);
      try {
        signal.throwIfAborted();
        return findPeople(cv, hog, picture, settings)
          .map((person) => finding(person, frame.size))
          .filter(({ confidence }) => confidence >= minConfidence);
      } finally {
        picture.delete();
      }
    },
    async close() {
      hog.delete();
    },
  };
}

/**
 * From the weight that the classifier gives, which has no upper end, to a number below 1: 1 - 2^(-weight / 0.6). Weight 0 is
 * 0, 0.6 is 0.5 (about where true and false answers are equally frequent), 2 is 0.9, 4 is 0.99.
 */
export function hogConfidence(weight: number): number {
  return 1 - 2 ** (-Math.max(0, weight) / 0.6);
}

/** The smallest person with some space around; OpenCV throws at pictures that are smaller. */
const WINDOW: Size = { width: 64, height: 128 };

/** OpenCV itself would compute for ever, or end with a number for a message. */
function checkSettings({ stride, padding, scale }: HogSettings): void {
  if (!stride.every((step) => Number.isInteger(step) && step >= 1)) {
    throw new Error(
      `The people detector cannot move in steps of ${stride.join(", ")} pixels: set stride to 4,4 or 8,8`,
    );
  }
  if (!padding.every((pixels) => Number.isInteger(pixels) && pixels >= 0)) {
    throw new Error(`The people detector cannot add ${padding.join(", ")} pixels: set padding to 8,8`);
  }
  if (!(scale > 1)) {
    throw new Error(
      `The people detector cannot shrink the picture by ${scale}: set scale to 1.05, or more to be faster`,
    );
  }
}

function usePeopleDetector(cv: OpenCv, hog: HogDescriptor): void {
  const coefficients = cv.HOGDescriptor.getDefaultPeopleDetector();
  const values = Float32Array.from({ length: coefficients.size() }, (_, index) => coefficients.get(index));
  const mat = new cv.Mat(values.length, 1, cv.CV_32FC1);
  mat.data32F.set(values);
  hog.setSVMDetector(mat);
  mat.delete();
  coefficients.delete();
}

/** OpenCV's colors are in the other order. */
async function bgrMat(cv: OpenCv, frame: Frame): Promise<OpenCvMat> {
  const rgb = await frame.pixels();
  const mat = new cv.Mat(frame.size.height, frame.size.width, cv.CV_8UC3);
  const bgr = mat.data;
  for (let index = 0; index < rgb.length; index += 3) {
    bgr[index] = rgb[index + 2] ?? 0;
    bgr[index + 1] = rgb[index + 1] ?? 0;
    bgr[index + 2] = rgb[index] ?? 0;
  }
  return mat;
}

interface Person {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly weight: number;
}

/** How many overlapping answers make one: OpenCV's default, and the original's. */
const GROUP_THRESHOLD = 2;

/** Strongest first. Throws an Error in OpenCV's words. */
function findPeople(cv: OpenCv, hog: HogDescriptor, picture: OpenCvMat, settings: HogSettings): Person[] {
  const { stride, padding, scale, useMeanShift, minWeight } = settings;
  const rects = new cv.RectVector();
  const weights = new cv.DoubleVector();
  const step = new cv.Size(...stride);
  const margin = new cv.Size(...padding);
  try {
    hog.detectMultiScale(picture, rects, weights, 0, step, margin, scale, GROUP_THRESHOLD, useMeanShift);
    return Array.from({ length: rects.size() }, (_, index) => ({
      ...rects.get(index),
      weight: index < weights.size() ? weights.get(index) : 0,
    }))
      .filter(({ weight }) => weight >= minWeight)
      .sort((a, b) => b.weight - a.weight);
  } catch (error) {
    throw new Error(`OpenCV's people detector failed: ${wordsOf(cv, error)}`, { cause: error });
  } finally {
    rects.delete();
    weights.delete();
  }
}

/** The box with its margin may reach over the edge of the picture. */
function finding({ x, y, width, height, weight }: Person, size: Size): Finding {
  return {
    label: "person",
    confidence: hogConfidence(weight),
    box: [Math.max(0, x), Math.max(0, y), Math.min(size.width, x + width), Math.min(size.height, y + height)],
  };
}
