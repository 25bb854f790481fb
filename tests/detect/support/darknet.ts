// Darknet networks for tests: a .weights file with numbers that can be repeated, and what a network computes, written down as plainly
// as possible from Darknet's documentation of its layers, to compare with.
import type {
  Convolution,
  DarknetLayer,
  DarknetNetwork,
  Shape,
} from "../../../src/detect/onnx/darknet-network.ts";

export interface Numbers {
  readonly biases: readonly number[];
  /** Scales, means, variances of the batch normalization; null without. */
  readonly norm: readonly [readonly number[], readonly number[], readonly number[]] | null;
  readonly weights: readonly number[];
}

/** Every number of every convolution, from a generator that always says the same. */
export function madeUpNumbers(network: DarknetNetwork, seed = 1): (Numbers | null)[] {
  const next = generator(seed);
  const some = (count: number, scale: number, offset = 0) =>
    Array.from({ length: count }, () => next() * scale + offset);
  return network.layers.map((layer) => {
    if (layer.kind !== "convolutional") return null;
    const filters = layer.shape.channels;
    const each = (layer.inputChannels / layer.groups) * layer.size ** 2;
    return {
      biases: some(filters, 0.5),
      norm: layer.hasBatchNorm ? [some(filters, 0.5, 1), some(filters, 0.3), some(filters, 0.4, 1)] : null,
      weights: some(filters * each, 1.5 / Math.sqrt(each)),
    };
  });
}

/** A file as Darknet 0.2 and later writes it. */
export function weightsFile(numbers: readonly (Numbers | null)[], pictures = 32_000_000n): Buffer {
  const header = Buffer.alloc(20);
  header.writeInt32LE(2, 4);
  header.writeInt32LE(5, 8);
  header.writeBigUInt64LE(pictures, 12);
  const values = numbers.flatMap((layer) =>
    layer === null ? [] : [...layer.biases, ...(layer.norm?.flat() ?? []), ...layer.weights],
  );
  return Buffer.concat([header, Buffer.from(Float32Array.from(values).buffer)]);
}

/** Values, channel by channel, row by row. */
interface Volume {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Per box: center x, y, width, height as shares of the picture, objectness, and one number per class. */
export function referenceRows(
  network: DarknetNetwork,
  numbers: readonly (Numbers | null)[],
  input: Float32Array,
): number[][] {
  const picture: Volume = { shape: network.input, data: Float64Array.from(input) };
  const outputs: Volume[] = [];
  const rows: number[][] = [];
  for (const [index, layer] of network.layers.entries()) {
    const sources = layer.from.map((source) => outputs[source] ?? picture);
    outputs.push(forward(layer, sources, numbers[index] ?? null));
    if (layer.kind === "yolo") rows.push(...yoloRows(layer, sources[0] ?? picture, network.input));
  }
  return rows;
}

function forward(layer: DarknetLayer, sources: readonly Volume[], numbers: Numbers | null): Volume {
  const [first] = sources;
  if (first === undefined) throw new Error("a layer without input");
  switch (layer.kind) {
    case "convolutional":
      return convolve(layer, first, numbers);
    case "maxpool":
      return fill(layer.shape, (c, y, x) => {
        let best = Number.NEGATIVE_INFINITY;
        for (let dy = 0; dy < layer.size; dy += 1) {
          for (let dx = 0; dx < layer.size; dx += 1) {
            const top = y * layer.stride[1] + dy - (layer.padding >> 1);
            const left = x * layer.stride[0] + dx - (layer.padding >> 1);
            best = Math.max(best, at(first, c, top, left, Number.NEGATIVE_INFINITY));
          }
        }
        return best;
      });
    case "route": {
      const parts = sources.flatMap((source) => {
        const share = source.shape.channels / layer.groups;
        return Array.from({ length: share }, (_, channel) => ({
          source,
          channel: channel + share * layer.groupId,
        }));
      });
      return fill(layer.shape, (c, y, x) => {
        const part = parts[c];
        return part === undefined ? Number.NaN : at(part.source, part.channel, y, x);
      });
    }
    case "shortcut":
      return fill(layer.shape, (c, y, x) =>
        active(
          layer.activation,
          sources.reduce((sum, source) => sum + at(source, c, y, x), 0),
        ),
      );
    case "upsample":
      return fill(layer.shape, (c, y, x) =>
        at(first, c, Math.floor(y / layer.stride), Math.floor(x / layer.stride)),
      );
    case "yolo":
      return first;
  }
}

function convolve(layer: Convolution, source: Volume, numbers: Numbers | null): Volume {
  const { size, groups, dilation, padding, stride, shape } = layer;
  const inGroup = layer.inputChannels / groups;
  const outGroup = shape.channels / groups;
  return fill(shape, (filter, y, x) => {
    let sum = 0;
    for (let c = 0; c < inGroup; c += 1) {
      for (let dy = 0; dy < size; dy += 1) {
        for (let dx = 0; dx < size; dx += 1) {
          const weight = numbers?.weights[((filter * inGroup + c) * size + dy) * size + dx] ?? Number.NaN;
          const channel = Math.floor(filter / outGroup) * inGroup + c;
          sum +=
            weight *
            at(
              source,
              channel,
              y * stride[1] + dy * dilation - padding,
              x * stride[0] + dx * dilation - padding,
            );
        }
      }
    }
    const [scales, means, variances] = numbers?.norm ?? [];
    const scale = (scales?.[filter] ?? 1) / Math.sqrt((variances?.[filter] ?? 1) + (variances ? 1e-6 : 0));
    return active(layer.activation, (sum - (means?.[filter] ?? 0)) * scale + (numbers?.biases[filter] ?? 0));
  });
}

function yoloRows(
  { anchors, classes, scaleXY, hasNewCoords }: Extract<DarknetLayer, { kind: "yolo" }>,
  source: Volume,
  input: Shape,
): number[][] {
  const { width, height } = source.shape;
  const rows: number[][] = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (const [index, [anchorWidth, anchorHeight]] of anchors.entries()) {
        const raw = (field: number) => at(source, index * (5 + classes) + field, y, x);
        const share = (field: number) => (hasNewCoords ? raw(field) : logistic(raw(field)));
        const growth = (field: number) => (hasNewCoords ? (2 * raw(field)) ** 2 : Math.exp(raw(field)));
        rows.push([
          (x + (share(0) - 0.5) * scaleXY + 0.5) / width,
          (y + (share(1) - 0.5) * scaleXY + 0.5) / height,
          (growth(2) * anchorWidth) / input.width,
          (growth(3) * anchorHeight) / input.height,
          share(4),
          ...Array.from({ length: classes }, (_, label) => share(4) * share(5 + label)),
        ]);
      }
    }
  }
  return rows;
}

function active(activation: Convolution["activation"], x: number): number {
  switch (activation) {
    case "linear":
      return x;
    case "leaky":
      return x > 0 ? x : 0.1 * x;
    case "relu":
      return Math.max(0, x);
    case "logistic":
      return logistic(x);
    case "swish":
      return x * logistic(x);
    case "mish":
      return x * Math.tanh(Math.log1p(Math.exp(x)));
  }
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function at({ shape, data }: Volume, channel: number, y: number, x: number, outside = 0): number {
  if (y < 0 || x < 0 || y >= shape.height || x >= shape.width) return outside;
  return data[(channel * shape.height + y) * shape.width + x] ?? Number.NaN;
}

function fill(shape: Shape, value: (channel: number, y: number, x: number) => number): Volume {
  const data = new Float64Array(shape.channels * shape.height * shape.width);
  let index = 0;
  for (let channel = 0; channel < shape.channels; channel += 1) {
    for (let y = 0; y < shape.height; y += 1) {
      for (let x = 0; x < shape.width; x += 1) {
        data[index] = value(channel, y, x);
        index += 1;
      }
    }
  }
  return { shape, data };
}

/** From -1 to 1. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  };
}
