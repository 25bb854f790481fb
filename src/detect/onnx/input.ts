// Turns the bytes of a picture into the numbers that a model is fed with.
import type { InputForm, TensorFacts } from "./layouts/layout.ts";

/** The input that takes the picture. */
export interface PictureInput {
  readonly name: string;
  readonly type: "float32" | "uint8";
  /** True: all reds, then all greens, then all blues (NCHW); false: pixel by pixel (NHWC). */
  readonly isPlanar: boolean;
  /** Null where the model takes several sizes. */
  readonly width: number | null;
  readonly height: number | null;
}

/** Throws an Error that says in words what is wrong with the inputs. */
export function pictureInput(inputs: readonly TensorFacts[]): PictureInput {
  const found = inputs.find(({ dims }) => dims.length === 4);
  if (found === undefined) throw new Error("it has no input for a picture");
  const { name, type, dims } = found;
  const [batch = null, second = null, third = null, fourth = null] = dims;
  if (type !== "float32" && type !== "uint8") {
    throw new Error(
      `its input ${name} is of type ${type}; export it with float32 (for Ultralytics: half=False)`,
    );
  }
  if (batch !== null && batch > 1) {
    throw new Error(`it takes ${batch} pictures at a time; export it for one (for Ultralytics: batch=1)`);
  }
  const isPlanar = fourth !== CHANNELS || second === CHANNELS;
  const channels = isPlanar ? second : fourth;
  if (channels !== null && channels !== CHANNELS) {
    throw new Error(`its input ${name} has ${channels} channels; a picture has ${CHANNELS}`);
  }
  const [height, width] = isPlanar ? [third, fourth] : [second, third];
  return { name, type, isPlanar, width, height };
}

const CHANNELS = 3;

/** ImageNet's mean and standard deviation of red, green and blue, from 0 to 1. */
const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** A buffer for one picture of that size. */
export function inputBuffer(type: PictureInput["type"], pixels: number): Float32Array | Uint8Array {
  return type === "float32" ? new Float32Array(pixels * CHANNELS) : new Uint8Array(pixels * CHANNELS);
}

/** Fills the buffer from RGB bytes. Bytes stay what they are for models that take bytes. */
export function fillInput(
  target: Float32Array | Uint8Array,
  rgb: Uint8Array,
  isPlanar: boolean,
  { order, range }: InputForm,
): void {
  const count = rgb.length / CHANNELS;
  const [factors, offsets] = target instanceof Uint8Array ? transformOf("bytes") : transformOf(range);
  const [red, blue] = order === "rgb" ? [0, 2] : [2, 0];
  const step = isPlanar ? 1 : CHANNELS;
  const next = isPlanar ? count : 1;
  const [factor0, factor1, factor2] = factors;
  const [offset0, offset1, offset2] = offsets;
  const [start0, start1, start2] = [red * next, next, blue * next];
  // A million bytes for each picture: one loop without a branch takes 2 ms.
  for (let pixel = 0, from = 0, to = 0; pixel < count; pixel++, from += CHANNELS, to += step) {
    target[start0 + to] = (rgb[from] as number) * factor0 + offset0;
    target[start1 + to] = (rgb[from + 1] as number) * factor1 + offset1;
    target[start2 + to] = (rgb[from + 2] as number) * factor2 + offset2;
  }
}

type Three = readonly [number, number, number];

function transformOf(range: InputForm["range"]): readonly [factors: Three, offsets: Three] {
  if (range === "bytes") {
    return [
      [1, 1, 1],
      [0, 0, 0],
    ];
  }
  if (range === "unit") {
    return [
      [1 / 255, 1 / 255, 1 / 255],
      [0, 0, 0],
    ];
  }
  return [
    [1 / 255 / DEVIATION[0], 1 / 255 / DEVIATION[1], 1 / 255 / DEVIATION[2]],
    [-MEAN[0] / DEVIATION[0], -MEAN[1] / DEVIATION[1], -MEAN[2] / DEVIATION[2]],
  ];
}
