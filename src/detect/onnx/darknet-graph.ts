// Turns a Darknet network into an ONNX graph that also decodes: boxes (left, top, right, bottom, as shares of the
// picture) and confs (one number per label) come out.
import type { Activation, Convolution, DarknetNetwork, MaxPool, Route, Yolo } from "./darknet-network.ts";
import type { DarknetWeights } from "./darknet-weights.ts";
import {
  floatTensor,
  int64Tensor,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from "./onnx-writer.ts";

/** Builds the graph; the weights are read when it is written. */
export function darknetGraph(network: DarknetNetwork, weights: DarknetWeights): OnnxModel {
  const graph = createGraph();
  const { input, layers } = network;
  const names: string[] = [];
  const heads: Head[] = [];
  for (const [index, layer] of layers.entries()) {
    const from = layer.from.map((source) => (source < 0 ? "input" : (names[source] ?? "")));
    const [first = ""] = from;
    switch (layer.kind) {
      case "convolutional":
        names.push(convolution(graph, layer, first, weights.layers[index] ?? null, index));
        break;
      case "maxpool":
        names.push(maxPool(graph, layer, first));
        break;
      case "route":
        names.push(route(graph, layer, from, (source) => layers[source]?.shape.channels ?? input.channels));
        break;
      case "shortcut":
        names.push(activate(graph, layer.activation, graph.add("Add", from)));
        break;
      case "upsample":
        names.push(upsample(graph, layer.stride, first));
        break;
      case "yolo":
        names.push(first);
        heads.push(decode(graph, layer, first, network));
    }
  }
  return model(graph, network, heads);
}

/** Boxes and confs of one [yolo]. */
interface Head {
  readonly boxes: string;
  readonly confs: string;
  readonly count: number;
  readonly classes: number;
}

function model(graph: Graph, { input }: DarknetNetwork, heads: readonly Head[]): OnnxModel {
  const count = heads.reduce((sum, head) => sum + head.count, 0);
  const classes = heads[0]?.classes ?? 0;
  const concat = { axis: { int: 1 } };
  graph.add(
    "Concat",
    heads.map(({ boxes }) => boxes),
    concat,
    "boxes",
  );
  graph.add(
    "Concat",
    heads.map(({ confs }) => confs),
    concat,
    "confs",
  );
  return {
    name: "darknet",
    opset: 13,
    metadata: { description: "Darknet network, converted by zmes" },
    inputs: [{ name: "input", type: "float32", dims: [1, input.channels, input.height, input.width] }],
    outputs: [
      { name: "boxes", type: "float32", dims: [1, count, 1, 4] },
      { name: "confs", type: "float32", dims: [1, count, classes] },
    ],
    nodes: graph.nodes,
    initializers: graph.initializers,
  };
}

function convolution(
  graph: Graph,
  layer: Convolution,
  from: string,
  weights: DarknetWeights["layers"][number],
  index: number,
): string {
  const { size, stride, padding, dilation, groups, shape, inputChannels } = layer;
  const kernel: OnnxTensor = {
    name: `layer${index}.weights`,
    type: "float32",
    dims: [shape.channels, inputChannels / groups, size, size],
    data: () => weights?.weights() ?? new Float32Array(),
  };
  const biases: OnnxTensor = {
    name: `layer${index}.biases`,
    type: "float32",
    dims: [shape.channels],
    data: () => weights?.biases() ?? new Float32Array(),
  };
  const output = graph.add("Conv", [from, graph.constant(kernel), graph.constant(biases)], {
    kernel_shape: { ints: [size, size] },
    strides: { ints: [stride[1], stride[0]] },
    pads: { ints: [padding, padding, padding, padding] },
    dilations: { ints: [dilation, dilation] },
    group: { int: groups },
  });
  return activate(graph, layer.activation, output);
}

/** Mish is x * tanh(ln(1 + exp(x))); opset 13 has no operator of that name. */
function activate(graph: Graph, activation: Activation, from: string): string {
  switch (activation) {
    case "linear":
      return from;
    case "leaky":
      return graph.add("LeakyRelu", [from], { alpha: { float: 0.1 } });
    case "relu":
      return graph.add("Relu", [from]);
    case "logistic":
      return graph.add("Sigmoid", [from]);
    case "swish":
      return graph.add("Mul", [from, graph.add("Sigmoid", [from])]);
    case "mish":
      return graph.add("Mul", [from, graph.add("Tanh", [graph.add("Softplus", [from])])]);
  }
}

/** Darknet pads half of it, rounded down, on the left and top, and the rest on the other sides (maxpool_layer.c). */
function maxPool(graph: Graph, { size, stride, padding }: MaxPool, from: string): string {
  const before = padding >> 1;
  const after = padding - before;
  return graph.add("MaxPool", [from], {
    kernel_shape: { ints: [size, size] },
    strides: { ints: [stride[1], stride[0]] },
    pads: { ints: [before, before, after, after] },
  });
}

function route(
  graph: Graph,
  { groups, groupId, from }: Route,
  sources: readonly string[],
  channelsOf: (layer: number) => number,
): string {
  const parts = sources.map((source, index) => {
    if (groups === 1) return source;
    const share = channelsOf(from[index] ?? -1) / groups;
    return slice(graph, source, 1, share * groupId, share * (groupId + 1));
  });
  const [only = ""] = parts;
  return parts.length === 1 ? only : graph.add("Concat", parts, { axis: { int: 1 } });
}

function upsample(graph: Graph, stride: number, from: string): string {
  return graph.add("Resize", [from, "", graph.floats([4], [1, 1, stride, stride])], {
    mode: { string: "nearest" },
    coordinate_transformation_mode: { string: "asymmetric" },
    nearest_mode: { string: "floor" },
  });
}

/**
 * Darknet's yolo_layer.c, get_yolo_box: the center is logistic(x) within its cell, stretched by scale_x_y; the size is
 * exp(w) times the anchor. With new_coords the values come without logistic, and the size is (2w)^2 times the anchor.
 */
function decode(graph: Graph, layer: Yolo, from: string, { input }: DarknetNetwork): Head {
  const { anchors, classes, scaleXY, hasNewCoords, shape } = layer;
  const { width, height } = shape;
  const count = width * height * anchors.length;
  const row = 5 + classes;
  const split = graph.add("Reshape", [from, graph.ints([5], [1, anchors.length, row, height, width])]);
  const turned = graph.add("Transpose", [split], { perm: { ints: [0, 3, 4, 1, 2] } });
  const rows = graph.add("Reshape", [turned, graph.ints([3], [1, count, row])]);
  const part = (start: number, end: number): string => slice(graph, rows, 2, start, end);
  const logistic = (name: string): string => (hasNewCoords ? name : graph.add("Sigmoid", [name]));

  const stretch = graph.floats([1, 1, 2], [scaleXY / width, scaleXY / height]);
  const within = graph.add("Mul", [logistic(part(0, 2)), stretch]);
  const center = graph.add("Add", [within, graph.floats([1, count, 2], cellCorners(layer))]);
  const growth = hasNewCoords ? squaredDouble(graph, part(2, 4)) : graph.add("Exp", [part(2, 4)]);
  const halves = anchors.flatMap(([w, h]) => [w / input.width / 2, h / input.height / 2]);
  const half = graph.add("Mul", [growth, graph.floats([1, count, 2], repeated(halves, width * height))]);
  const corners = graph.add("Concat", [graph.add("Sub", [center, half]), graph.add("Add", [center, half])], {
    axis: { int: 2 },
  });
  return {
    boxes: graph.add("Unsqueeze", [corners, graph.ints([1], [2])]),
    confs: graph.add("Mul", [logistic(part(4, 5)), logistic(part(5, row))]),
    count,
    classes,
  };
}

function squaredDouble(graph: Graph, name: string): string {
  const double = graph.add("Add", [name, name]);
  return graph.add("Mul", [double, double]);
}

/** What is added to each center: the corner of its cell, less what scale_x_y stretches it by. */
function cellCorners({ shape, anchors, scaleXY }: Yolo): Float32Array {
  const { width, height } = shape;
  const values = new Float32Array(width * height * anchors.length * 2);
  const shift = (scaleXY - 1) / 2;
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (const _ of anchors) {
        values[at] = (x - shift) / width;
        values[at + 1] = (y - shift) / height;
        at += 2;
      }
    }
  }
  return values;
}

function repeated(values: readonly number[], times: number): Float32Array {
  return Float32Array.from(
    { length: values.length * times },
    (_, index) => values[index % values.length] ?? 0,
  );
}

function slice(graph: Graph, from: string, axis: number, start: number, end: number): string {
  return graph.add("Slice", [
    from,
    graph.ints([1], [start]),
    graph.ints([1], [end]),
    graph.ints([1], [axis]),
  ]);
}

/** A graph while it grows; every value gets a number for a name. */
interface Graph {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
  add(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    output?: string,
  ): string;
  constant(tensor: OnnxTensor): string;
  ints(dims: readonly number[], values: readonly number[]): string;
  floats(dims: readonly number[], values: readonly number[] | Float32Array): string;
}

function createGraph(): Graph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const constant = (tensor: OnnxTensor): string => {
    initializers.push(tensor);
    return tensor.name;
  };
  const name = (): string => `constant${initializers.length}`;
  return {
    nodes,
    initializers,
    add(op, inputs, attributes = {}, output = `value${nodes.length}`) {
      nodes.push({ op, inputs, outputs: [output], attributes });
      return output;
    },
    constant,
    ints: (dims, values) => constant(int64Tensor(name(), dims, values)),
    floats: (dims, values) => constant(floatTensor(name(), dims, values)),
  };
}
