// A Darknet .weights file: a header, then the numbers of all convolutions in the order of the .cfg.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DarknetError } from "./darknet-config.ts";
import type { Convolution, DarknetNetwork } from "./darknet-network.ts";

export interface DarknetWeights {
  /** Per layer of the network; null where there is nothing to learn. */
  readonly layers: readonly (ConvolutionWeights | null)[];
  close(): void;
}

/** With the batch normalization folded in: what remains is y = weights * x + biases. Read from the file when called. */
interface ConvolutionWeights {
  biases(): Float32Array;
  /** [filters, channels of a group, size, size]. */
  weights(): Float32Array;
}

/** Opens a file, whose size must be what the network needs to the last byte. Throws a DarknetError. */
export function openDarknetWeights(path: string, network: DarknetNetwork): DarknetWeights {
  const file = openSync(path, "r");
  try {
    const layers = network.layers.map((layer) => (layer.kind === "convolutional" ? layer : null));
    let position = headerBytes(file);
    const places = layers.map((layer) => {
      if (layer === null) return null;
      const start = position;
      position += numbersOf(layer) * 4;
      return convolutionWeights(file, layer, start);
    });
    const { size } = fstatSync(file);
    if (size !== position) {
      throw new DarknetError(
        `has ${size} bytes, but the network of the .cfg file needs ${position}: do the two belong together, and is the download complete?`,
      );
    }
    return { layers: places, close: () => closeSync(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Three versions, and pictures seen: 8 bytes of it since version 0.2 (darknet's parser.c, load_weights_upto). */
function headerBytes(file: number): number {
  const header = Buffer.alloc(12);
  if (readSync(file, header, 0, 12, 0) < 12)
    throw new DarknetError("is too short for a Darknet .weights file");
  const [major, minor] = [header.readInt32LE(0), header.readInt32LE(4)];
  return major * 10 + minor >= 2 && major < 1000 && minor < 1000 ? 20 : 16;
}

function numbersOf(layer: Convolution): number {
  return layer.shape.channels * (layer.hasBatchNorm ? 4 : 1) + filterNumbers(layer) * layer.shape.channels;
}

/** Weights of one filter. */
function filterNumbers({ inputChannels, groups, size }: Convolution): number {
  return (inputChannels / groups) * size * size;
}

/** As OpenCV, with which these models were always run here; Darknet's own forks differ among themselves. */
const EPSILON = 1e-6;

/** In the file: biases; with batch normalization its scales, means and variances; weights. */
function convolutionWeights(file: number, layer: Convolution, start: number): ConvolutionWeights {
  const filters = layer.shape.channels;
  const block = (index: number): Float32Array => readFloats(file, start + index * filters * 4, filters);
  const factors = (): Float32Array => {
    const variances = block(3);
    return block(1).map((scale, filter) => scale / Math.sqrt((variances[filter] ?? 0) + EPSILON));
  };
  const plainWeights = (): Float32Array =>
    readFloats(file, start + filters * (layer.hasBatchNorm ? 4 : 1) * 4, filterNumbers(layer) * filters);
  if (!layer.hasBatchNorm) return { biases: () => block(0), weights: plainWeights };
  return {
    biases() {
      const [means, scales] = [block(2), factors()];
      return block(0).map((bias, filter) => bias - (means[filter] ?? 0) * (scales[filter] ?? 0));
    },
    weights() {
      const [values, scales, each] = [plainWeights(), factors(), filterNumbers(layer)];
      for (const [filter, scale] of scales.entries()) {
        const own = values.subarray(filter * each, (filter + 1) * each);
        for (let index = 0; index < each; index += 1) own[index] = (own[index] ?? 0) * scale;
      }
      return values;
    },
  };
}

function readFloats(file: number, position: number, count: number): Float32Array {
  const values = new Float32Array(count);
  const bytes = new Uint8Array(values.buffer);
  let read = 0;
  while (read < bytes.length) {
    const got = readSync(file, bytes, read, bytes.length - read, position + read);
    if (got === 0) throw new DarknetError("became shorter while it was read");
    read += got;
  }
  return values;
}
