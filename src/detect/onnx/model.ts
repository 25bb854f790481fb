// A loaded ONNX model whose inputs are known: runs one picture through it. Which layout its answer has is not its business.
import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { Size } from "../../domain/detection.ts";
import { reasonOf } from "../../lib/errors.ts";
import { fillInput, inputBuffer, type PictureInput, pictureInput } from "./input.ts";
import { type InputForm, type Outputs, plainName, type TensorFacts } from "./layouts/layout.ts";
import type { OpenedSession } from "./runtime.ts";

export interface Model {
  readonly inputs: readonly TensorFacts[];
  /** As the file says; what it leaves open is as in the warm-up run. */
  readonly outputs: readonly TensorFacts[];
  readonly inputSize: Size;
  readonly device: string;
  /** Runs RGB of `inputSize` through the model. Runs may overlap. */
  run(rgb: Uint8Array, form: InputForm): Promise<Outputs>;
  close(): Promise<void>;
}

interface SizeHints {
  /** What the operator wants. */
  readonly wanted: Size | null;
  /** What the exporter noted. */
  readonly noted: Size | null;
}

/** Ultralytics' usual size, for models that take any and say nothing. */
const USUAL_SIDE = 640;
/** More takes seconds a picture and gigabytes. */
const MAX_SIDE = 4096;

/** One is in use and one being filled; more would only hold 5 MB each after a rush. */
const KEPT_BUFFERS = 2;

/** Warms the model up. Rejects with an Error whose message continues "FILE: ...". */
export async function prepareModel(
  { session, Tensor, device }: OpenedSession,
  hints: SizeHints,
): Promise<Model> {
  const inputs = session.inputMetadata.map(factsOf);
  const picture = pictureInput(inputs);
  const inputSize = sizeFor(picture, hints);
  const extra = extraInputs(inputs, picture, inputSize, Tensor);
  const free: (Float32Array | Uint8Array)[] = [];

  async function feed(buffer: Float32Array | Uint8Array): Promise<InferenceSession.ReturnType> {
    const { width, height } = inputSize;
    const dims = picture.isPlanar ? [1, 3, height, width] : [1, height, width, 3];
    return session.run({ ...extra, [picture.name]: new Tensor(picture.type, buffer, dims) });
  }

  /** A buffer belongs to one run; several are kept only when runs overlap. */
  async function withBuffer<T>(use: (buffer: Float32Array | Uint8Array) => Promise<T>): Promise<T> {
    const buffer = free.pop() ?? inputBuffer(picture.type, inputSize.width * inputSize.height);
    try {
      return await use(buffer);
    } finally {
      if (free.length < KEPT_BUFFERS) free.push(buffer);
    }
  }

  const first = await withBuffer(feed).catch((failure: unknown) => {
    throw new Error(
      `it cannot analyze a picture of ${inputSize.width}x${inputSize.height}: ${reasonOf(failure)}. If it was exported for another size, set model_width and model_height to that`,
      { cause: failure },
    );
  });
  const outputs = session.outputMetadata.map((output) => {
    const facts = factsOf(output);
    const actual = first[output.name]?.dims ?? [];
    return facts.dims.length === actual.length || facts.dims.length === 0
      ? { ...facts, dims: actual.map((size, index) => facts.dims[index] ?? size) }
      : facts;
  });
  return {
    inputs,
    outputs,
    inputSize,
    device,
    async run(rgb, form) {
      const answer = await withBuffer((buffer) => {
        fillInput(buffer, rgb, picture.isPlanar, form);
        return feed(buffer);
      });
      return outputsOf(session, answer);
    },
    close: () => session.release(),
  };
}

function factsOf(value: InferenceSession.ValueMetadata): TensorFacts {
  if (!value.isTensor) return { name: value.name, type: "no tensor", dims: [] };
  const dims = value.shape.map((size) => (typeof size === "number" && size >= 0 ? size : null));
  return { name: value.name, type: value.type, dims };
}

function sizeFor(picture: PictureInput, { wanted, noted }: SizeHints): Size {
  const hinted = wanted ?? noted ?? { width: USUAL_SIDE, height: USUAL_SIDE };
  const size = { width: picture.width ?? hinted.width, height: picture.height ?? hinted.height };
  if (wanted !== null && (wanted.width !== size.width || wanted.height !== size.height)) {
    throw new Error(
      `it takes pictures of ${size.width}x${size.height} only, not of ${wanted.width}x${wanted.height}: take model_width and model_height out, or export it for that size`,
    );
  }
  if (Math.max(size.width, size.height) > MAX_SIDE || Math.min(size.width, size.height) < 1) {
    throw new Error(
      `its pictures would have ${size.width}x${size.height} pixels; a side of at most ${MAX_SIDE} is supported`,
    );
  }
  return size;
}

/** What some models want to know besides the picture. */
function extraInputs(
  inputs: readonly TensorFacts[],
  picture: PictureInput,
  { width, height }: Size,
  TensorOf: OpenedSession["Tensor"],
): Record<string, Tensor> {
  const extra: Record<string, Tensor> = {};
  for (const { name, type, dims } of inputs) {
    if (name === picture.name) continue;
    if (plainName(name) === "orig_target_sizes") {
      // Told the size that goes in, the model answers in its pixels.
      extra[name] =
        type === "int64"
          ? new TensorOf("int64", BigInt64Array.of(BigInt(width), BigInt(height)), [1, 2])
          : new TensorOf("float32", Float32Array.of(width, height), [1, 2]);
    } else if (plainName(name) === "pixel_mask" && type === "int64") {
      const [, rows, columns] = dims;
      const shape = [1, rows ?? height, columns ?? width];
      extra[name] = new TensorOf("int64", new BigInt64Array(shape.reduce((a, b) => a * b)).fill(1n), shape);
    } else {
      throw new Error(`its input ${name} is not known; only models that take a picture are supported`);
    }
  }
  return extra;
}

function outputsOf(session: InferenceSession, answer: InferenceSession.ReturnType): Outputs {
  const outputAt = (name: string | undefined) => {
    const tensor = name === undefined ? undefined : answer[name];
    if (tensor === undefined) throw new Error(`output ${name} is missing`);
    return { data: numbersOf(tensor.data), dims: tensor.dims };
  };
  return {
    count: session.outputNames.length,
    at: (index) => outputAt(session.outputNames[index]),
    has: (name) => session.outputNames.some((output) => plainName(output) === name),
    named: (name) => outputAt(session.outputNames.find((output) => plainName(output) === name) ?? name),
  };
}

function numbersOf(data: Tensor["data"]): ArrayLike<number> {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  if (Array.isArray(data)) return data.map(Number);
  return data as Exclude<typeof data, BigInt64Array | BigUint64Array | string[]>;
}
