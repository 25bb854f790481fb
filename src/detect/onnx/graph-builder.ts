// Puts an ONNX graph together, one operator after the other.
import {
  floatTensor,
  int64Tensor,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from "./onnx-writer.ts";

/** A graph while it grows; every value gets a number for a name. */
export interface Graph {
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

export function createGraph(): Graph {
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

/** A part along one axis, `end` not included. */
export function slice(graph: Graph, from: string, axis: number, start: number, end: number): string {
  return graph.add("Slice", [
    from,
    graph.ints([1], [start]),
    graph.ints([1], [end]),
    graph.ints([1], [axis]),
  ]);
}
