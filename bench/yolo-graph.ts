// A model that costs what YOLOv8n costs (3.2 million weights, 8.7 GFLOPs at 640): the published graph, with random weights.
import { closeSync, openSync, writeSync } from "node:fs";
import {
  floatTensor,
  int64Tensor,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  onnxChunks,
} from "../src/detect/onnx/onnx-writer.ts";

const SIZE = 640;
const CLASSES = 80;
/** Of the published exporter: as in every YOLOv8 detector. */
const BOX_BINS = 16;
/** Far from 0, so that what random weights see stays below any threshold: no boxes, as in most pictures of a yard. */
const CLASS_BIAS = -9;

interface Volume {
  readonly name: string;
  readonly channels: number;
  readonly side: number;
}

/** Writes the file. The same weights each time. */
export function writeYoloGraph(file: string): void {
  const output = openSync(file, "w");
  try {
    for (const chunk of onnxChunks(yoloGraph())) writeSync(output, chunk);
  } finally {
    closeSync(output);
  }
}

function yoloGraph() {
  const graph = createGraph();
  const { conv, c2f, concat, upsample } = graph;
  const p1 = conv({ name: "images", channels: 3, side: SIZE }, 16, 3, 2);
  const p2 = c2f(conv(p1, 32, 3, 2), 32, 1, true);
  const p3 = c2f(conv(p2, 64, 3, 2), 64, 2, true);
  const p4 = c2f(conv(p3, 128, 3, 2), 128, 2, true);
  const p5 = graph.sppf(c2f(conv(p4, 256, 3, 2), 256, 1, true));
  const up4 = c2f(concat([upsample(p5), p4]), 128, 1, false);
  const small = c2f(concat([upsample(up4), p3]), 64, 1, false);
  const medium = c2f(concat([conv(small, 64, 3, 2), up4]), 128, 1, false);
  const large = c2f(concat([conv(medium, 128, 3, 2), p5]), 256, 1, false);
  graph.detect([small, medium, large]);
  const names = Array.from({ length: CLASSES }, (_, index) => `${index}: 'thing ${index}'`);
  const boxes = [8, 16, 32].reduce((sum, stride) => sum + (SIZE / stride) ** 2, 0);
  return {
    name: "bench",
    opset: 13,
    metadata: { task: "detect", stride: "32", imgsz: `[${SIZE}, ${SIZE}]`, names: `{${names.join(", ")}}` },
    inputs: [{ name: "images", type: "float32", dims: [1, 3, SIZE, SIZE] }],
    outputs: [{ name: "output0", type: "float32", dims: [1, 4 + CLASSES, boxes] }],
    nodes: graph.nodes,
    initializers: graph.initializers,
  } as const;
}

/** The blocks of the architecture, added to one list of nodes. */
function createGraph() {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const random = generator();
  let count = 0;

  const add = (
    op: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute> = {},
    outputs = 1,
  ) => {
    const names = Array.from({ length: outputs }, () => `v${++count}`);
    nodes.push({ op, inputs, outputs: names, attributes });
    return names;
  };
  const one = (...given: Parameters<typeof add>): string => add(...given)[0] ?? "";
  const keep = (tensor: OnnxTensor): string => {
    initializers.push(tensor);
    return tensor.name;
  };
  const floats = (dims: readonly number[], values: Float32Array) =>
    keep(floatTensor(`w${++count}`, dims, values));
  const integers = (values: readonly number[]) => keep(int64Tensor(`w${++count}`, [values.length], values));

  /** Without activation and normalization, as the last layers of the head. */
  const plainConv = (from: Volume, channels: number, kernel: number, stride: number, bias = 0): Volume => {
    const fan = from.channels * kernel ** 2;
    const weights = Float32Array.from({ length: channels * fan }, () => (random() * 2 - 1) / Math.sqrt(fan));
    const pad = kernel >> 1;
    const name = one(
      "Conv",
      [
        from.name,
        floats([channels, from.channels, kernel, kernel], weights),
        floats([channels], new Float32Array(channels).fill(bias)),
      ],
      {
        kernel_shape: { ints: [kernel, kernel] },
        strides: { ints: [stride, stride] },
        pads: { ints: [pad, pad, pad, pad] },
      },
    );
    return { name, channels, side: from.side / stride };
  };
  const conv = (from: Volume, channels: number, kernel: number, stride = 1): Volume => {
    const plain = plainConv(from, channels, kernel, stride);
    return { ...plain, name: one("Mul", [plain.name, one("Sigmoid", [plain.name])]) };
  };
  const concat = (parts: readonly Volume[]): Volume => ({
    name: one(
      "Concat",
      parts.map(({ name }) => name),
      { axis: { int: 1 } },
    ),
    channels: parts.reduce((sum, { channels }) => sum + channels, 0),
    side: parts[0]?.side ?? 0,
  });
  const c2f = (from: Volume, channels: number, depth: number, hasShortcut: boolean): Volume => {
    const wide = conv(from, channels, 1);
    const half = channels / 2;
    const halves = add("Split", [wide.name, integers([half, half])], { axis: { int: 1 } }, 2);
    const parts: Volume[] = halves.map((name) => ({ name, channels: half, side: from.side }));
    for (let index = 0; index < depth; index++) {
      const last = parts.at(-1) ?? wide;
      const next = conv(conv(last, half, 3), half, 3);
      parts.push(hasShortcut ? { ...next, name: one("Add", [last.name, next.name]) } : next);
    }
    return conv(concat(parts), channels, 1);
  };
  const pool = (from: Volume): Volume => ({
    ...from,
    name: one("MaxPool", [from.name], {
      kernel_shape: { ints: [5, 5] },
      strides: { ints: [1, 1] },
      pads: { ints: [2, 2, 2, 2] },
    }),
  });
  const sppf = (from: Volume): Volume => {
    const parts = [conv(from, from.channels / 2, 1)];
    for (let index = 0; index < 3; index++) parts.push(pool(parts.at(-1) ?? from));
    return conv(concat(parts), from.channels, 1);
  };
  const upsample = (from: Volume): Volume => {
    const scales = floats([4], Float32Array.of(1, 1, 2, 2));
    const name = one("Resize", [from.name, "", scales], { mode: { string: "nearest" } });
    return { ...from, name, side: from.side * 2 };
  };
  const flat = (from: Volume): string =>
    one("Reshape", [from.name, integers([1, from.channels, from.side ** 2])]);

  const detect = (levels: readonly Volume[]): void => {
    const boxChannels = 4 * BOX_BINS;
    const boxes = levels.map((level) => flat(plainConv(conv(conv(level, 64, 3), 64, 3), boxChannels, 1, 1)));
    const scores = levels.map((level) =>
      flat(plainConv(conv(conv(level, CLASSES, 3), CLASSES, 3), CLASSES, 1, 1, CLASS_BIAS)),
    );
    const total = levels.reduce((sum, { side }) => sum + side ** 2, 0);
    const bins = one("Reshape", [
      one("Concat", boxes, { axis: { int: 2 } }),
      integers([1, 4, BOX_BINS, total]),
    ]);
    const turned = one("Transpose", [bins], { perm: { ints: [0, 2, 1, 3] } });
    const share = one("Softmax", [turned], { axis: { int: 1 } });
    const weights = floats(
      [1, BOX_BINS, 1, 1],
      Float32Array.from({ length: BOX_BINS }, (_, index) => index),
    );
    const distances = one("Reshape", [one("Conv", [share, weights]), integers([1, 4, total])]);
    const [near = "", far = ""] = add("Split", [distances, integers([2, 2])], { axis: { int: 1 } }, 2);
    const { anchors, strides } = anchorsOf(levels);
    const centers = floats([1, 2, total], anchors);
    const first = one("Sub", [centers, near]);
    const last = one("Add", [centers, far]);
    const middle = one("Div", [one("Add", [first, last]), floats([1], Float32Array.of(2))]);
    const box = one("Concat", [middle, one("Sub", [last, first])], { axis: { int: 1 } });
    const pixels = one("Mul", [box, floats([1, 1, total], strides)]);
    const classes = one("Sigmoid", [one("Concat", scores, { axis: { int: 2 } })]);
    nodes.push({
      op: "Concat",
      inputs: [pixels, classes],
      outputs: ["output0"],
      attributes: { axis: { int: 1 } },
    });
  };
  return { nodes, initializers, conv, c2f, concat, sppf, upsample, detect };
}

/** Centers of the cells, and how many pixels a cell has. */
function anchorsOf(levels: readonly Volume[]) {
  const cells = levels.flatMap(({ side }) =>
    Array.from({ length: side ** 2 }, (_, index) => ({
      x: (index % side) + 0.5,
      y: Math.floor(index / side) + 0.5,
      stride: SIZE / side,
    })),
  );
  return {
    anchors: Float32Array.from([...cells.map(({ x }) => x), ...cells.map(({ y }) => y)]),
    strides: Float32Array.from(cells.map(({ stride }) => stride)),
  };
}

/** Numbers from 0 to 1 that are the same each time (a linear congruential generator). */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
