// Decodes what comes out of a [yolo] into boxes and confidences, with operators of ONNX.
import type { DarknetNetwork, Yolo } from "./darknet-network.ts";
import { type Graph, slice } from "./graph-builder.ts";

/** Boxes and confs of one [yolo]. */
export interface Head {
  readonly boxes: string;
  readonly confs: string;
  readonly count: number;
  readonly classes: number;
}

/**
 * Darknet's yolo_layer.c, get_yolo_box: the center is logistic(x) within its cell, stretched by scale_x_y; the size is
 * exp(w) times the anchor. With new_coords the values come without logistic, and the size is (2w)^2 times the anchor.
 */
export function decode(graph: Graph, layer: Yolo, from: string, { input }: DarknetNetwork): Head {
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
