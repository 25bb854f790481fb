// Turns a Darknet network into an ONNX graph that also decodes: boxes (left, top, right, bottom, as shares of the
// picture) and confs (one number per label) come out.

import { decode, type Head } from "./darknet-head.ts";
import type { Activation, Convolution, DarknetNetwork, MaxPool, Route } from "./darknet-network.ts";
import type { DarknetWeights } from "./darknet-weights.ts";
import { createGraph, type Graph, slice } from "./graph-builder.ts";
import type { OnnxModel, OnnxTensor } from "./onnx-writer.ts";

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
