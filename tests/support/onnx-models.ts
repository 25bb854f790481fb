// Tiny detectors in every layout, as ONNX files: whatever is bright in the picture is a person, or a car when it is red.
// Position, size and score follow from the pixels by real operators, so that they check everything from decoding to mapping back.
import {
  encodeOnnx,
  floatTensor,
  int64Tensor,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValue,
} from "../../src/detect/onnx/onnx-writer.ts";

export interface BlobOptions {
  readonly width?: number;
  readonly height?: number;
  /** How many classes; the first is the person, the third the car (by COCO's numbers, where the layout uses those). */
  readonly classes?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** True: batch, height and width are left open in the file. */
  readonly isDynamic?: boolean;
}

export type BlobLayout = keyof typeof heads;

/** A model of that layout. Takes 128x96 pixels and knows 80 classes when nothing else is said. */
export function blobModel(layout: BlobLayout, options: BlobOptions = {}): Buffer {
  const head: Head = heads[layout];
  const { input, extra = [], build, classes: usual = 80 } = head;
  const { width = 128, height = 96, classes = usual, metadata, isDynamic = false } = options;
  const graph = createGraph();
  const blob = findBlob(graph, input, { width, height });
  const outputs = build(graph, blob, { width, height, classes });
  const size = isDynamic ? ["height", "width"] : [height, width];
  const dims = input.isPlanar === false ? [1, ...size, 3] : [isDynamic ? "batch" : 1, 3, ...size];
  return encodeOnnx({
    name: layout,
    opset: 13,
    ...(metadata && { metadata }),
    inputs: [{ name: input.name, type: input.type ?? "float32", dims }, ...extra],
    outputs,
    nodes: graph.nodes,
    initializers: graph.initializers,
  });
}

/** What an export of Ultralytics notes. */
export function ultralyticsNotes(
  names: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const entries = names.map((name, index) => `${index}: '${name}'`);
  return { description: "blob", task: "detect", stride: "32", names: `{${entries.join(", ")}}`, ...more };
}

interface Graph {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
  /** Number of dimensions of values that `reshape` has made; all others are [1, n]. */
  readonly ranks: Map<string, number>;
  /** Adds an operator and returns the name of its result, or gives it the name. */
  op(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    name?: string,
  ): string;
  numbers(dims: readonly number[], values: readonly number[]): string;
  shape(values: readonly number[]): string;
}

function createGraph(): Graph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let count = 0;
  const nextName = () => `v${count++}`;
  return {
    nodes,
    initializers,
    ranks: new Map(),
    op(op, inputs, attributes = {}, name = nextName()) {
      nodes.push({ op, inputs, outputs: [name], attributes });
      return name;
    },
    numbers(dims, values) {
      const name = nextName();
      initializers.push(floatTensor(name, dims, values));
      return name;
    },
    shape(values) {
      const name = nextName();
      initializers.push(int64Tensor(name, [values.length], values));
      return name;
    },
  };
}

interface BlobInput {
  readonly name: string;
  readonly type?: "float32" | "uint8";
  readonly isPlanar?: boolean;
  readonly order?: "bgr";
  readonly range?: "bytes" | "imagenet";
}

/** Each a number of [1, 1]; corners in pixels of the input. */
interface Blob {
  readonly x1: string;
  readonly y1: string;
  readonly x2: string;
  readonly y2: string;
  readonly cx: string;
  readonly cy: string;
  readonly w: string;
  readonly h: string;
  readonly person: string;
  readonly car: string;
  readonly one: string;
}

interface Dimensions {
  readonly width: number;
  readonly height: number;
  readonly classes: number;
}

/** Brighter than this is the blob; the gray of a letterbox is 0.45. */
const THRESHOLD = 0.7;
/** A white blob's score. */
const CERTAINTY = 0.95;

function findBlob(graph: Graph, input: BlobInput, { width, height }: Omit<Dimensions, "classes">): Blob {
  const { op, numbers } = graph;
  const rgb = unitRgb(graph, input);
  const brightness = op("ReduceMax", [rgb], { axes: { ints: [1] }, keepdims: { int: 1 } });
  const isBright = op("Greater", [brightness, numbers([1], [THRESHOLD])]);
  const mask = op("Cast", [isBright], { to: { int: 1 } });
  const most = (of: string, axes: number[]) =>
    op("ReduceMax", [of], { axes: { ints: axes }, keepdims: { int: 0 } });
  const inside = (of: string) => op("Reshape", [most(op("Mul", [of, mask]), [1, 2, 3]), graph.shape([1, 1])]);
  const edges = (side: string, length: number) => {
    const after = numbers(
      [1, length],
      range(length).map((index) => index + 1),
    );
    const before = numbers(
      [1, length],
      range(length).map((index) => length - index),
    );
    const last = op("ReduceMax", [op("Mul", [side, after])], { axes: { ints: [1] }, keepdims: { int: 1 } });
    const first = op("ReduceMax", [op("Mul", [side, before])], { axes: { ints: [1] }, keepdims: { int: 1 } });
    return [op("Sub", [numbers([1, 1], [length]), first]), last] as const;
  };
  const [x1, x2] = edges(most(mask, [1, 2]), width);
  const [y1, y2] = edges(most(mask, [1, 3]), height);
  const channel = (index: number) => op("Gather", [rgb, graph.shape([index])], { axis: { int: 1 } });
  const redness = op("Relu", [op("Sub", [inside(channel(0)), inside(channel(1))])]);
  const one = numbers([1, 1], [1]);
  const score = op("Mul", [inside(brightness), numbers([1, 1], [CERTAINTY])]);
  const half = numbers([1, 1], [0.5]);
  return {
    x1,
    y1,
    x2,
    y2,
    cx: op("Mul", [op("Add", [x1, x2]), half]),
    cy: op("Mul", [op("Add", [y1, y2]), half]),
    w: op("Relu", [op("Sub", [x2, x1])]),
    h: op("Relu", [op("Sub", [y2, y1])]),
    person: op("Mul", [score, op("Sub", [one, redness])]),
    car: op("Mul", [score, redness]),
    one,
  };
}

/** Undoes what the layout's input form does: [1, 3, height, width], red first, 0 to 1. */
function unitRgb({ op, numbers, shape }: Graph, input: BlobInput): string {
  let rgb = input.type === "uint8" ? op("Cast", [input.name], { to: { int: 1 } }) : input.name;
  if (input.isPlanar === false) rgb = op("Transpose", [rgb], { perm: { ints: [0, 3, 1, 2] } });
  if (input.order === "bgr") rgb = op("Gather", [rgb, shape([2, 1, 0])], { axis: { int: 1 } });
  if (input.range === "imagenet") {
    const scaled = op("Mul", [rgb, numbers([1, 3, 1, 1], [0.229, 0.224, 0.225])]);
    return op("Add", [scaled, numbers([1, 3, 1, 1], [0.485, 0.456, 0.406])]);
  }
  const isBytes = input.range === "bytes" || input.type === "uint8";
  return isBytes ? op("Mul", [rgb, numbers([1], [1 / 255])]) : op("Mul", [rgb, numbers([1], [1])]);
}

interface Head {
  readonly input: BlobInput;
  readonly extra?: readonly OnnxValue[];
  /** When the layout usually has another number than 80. */
  readonly classes?: number;
  readonly build: (graph: Graph, blob: Blob, dimensions: Dimensions) => OnnxValue[];
}

const UNIT: BlobInput = { name: "images" };

const heads = {
  yolov8: {
    input: UNIT,
    build(graph, blob, { classes, ...size }) {
      const values = [blob.cx, blob.cy, blob.w, blob.h, scores(graph, blob, classes)];
      const column = reshape(graph, join(graph, values), [1, 4 + classes, 1]);
      // Every candidate says the same: all but one are suppressed.
      const count = cells(size);
      graph.op(
        "Mul",
        [
          column,
          graph.numbers(
            [1, 1, count],
            range(count).map(() => 1),
          ),
        ],
        {},
        "output0",
      );
      return [output("output0", [1, 4 + classes, count])];
    },
  },
  yolov5: {
    input: UNIT,
    build: (graph, blob, { classes, ...size }) =>
      rowsOfFive(graph, blob, classes, 3 * cells(size), "output0"),
  },
  yolov6: {
    input: UNIT,
    build: (graph, blob, { classes, ...size }) => rowsOfFive(graph, blob, classes, cells(size), "outputs"),
  },
  yolox: {
    input: { name: "images", order: "bgr", range: "bytes" },
    build(graph, blob, { classes, width, height }) {
      // The last candidate: the lower right one of the cells of 32 pixels.
      const { op, numbers } = graph;
      const relative = (center: string, cell: number) =>
        op("Sub", [op("Mul", [center, numbers([1], [1 / 32])]), numbers([1], [cell])]);
      const logarithm = (length: string) => op("Log", [op("Mul", [length, numbers([1], [1 / 32])])]);
      const row = join(graph, [
        relative(blob.cx, width / 32 - 1),
        relative(blob.cy, height / 32 - 1),
        logarithm(op("Max", [blob.w, numbers([1], [1])])),
        logarithm(op("Max", [blob.h, numbers([1], [1])])),
        blob.one,
        scores(graph, blob, classes),
      ]);
      const count = cells({ width, height });
      atRow(graph, reshape(graph, row, [1, 1, 5 + classes]), count, count - 1, "output");
      return [output("output", [1, count, 5 + classes])];
    },
  },
  end2end: {
    input: UNIT,
    build(graph, blob) {
      const { x1, y1, x2, y2 } = blob;
      const row = join(graph, [x1, y1, x2, y2, bestScore(graph, blob), bestClass(graph, blob)]);
      atRow(graph, reshape(graph, row, [1, 1, 6]), 300, 0, "output0");
      return [output("output0", [1, 300, 6])];
    },
  },
  "rtdetr-ultralytics": {
    input: UNIT,
    build(graph, blob, { classes, ...size }) {
      const row = join(graph, [...unitCenter(graph, blob, size), scores(graph, blob, classes)]);
      atRow(graph, reshape(graph, row, [1, 1, 4 + classes]), 300, 7, "output0");
      return [output("output0", [1, 300, 4 + classes])];
    },
  },
  dfine: {
    input: UNIT,
    extra: [{ name: "orig_target_sizes", type: "int64", dims: ["N", 2] }],
    build(graph, blob, { width, height }) {
      const { op, numbers } = graph;
      const { x1, y1, x2, y2 } = blob;
      const asked = op("Cast", ["orig_target_sizes"], { to: { int: 1 } });
      const unit = numbers([1, 4], [1 / width, 1 / height, 1 / width, 1 / height]);
      const box = op("Mul", [op("Mul", [join(graph, [x1, y1, x2, y2]), unit]), join(graph, [asked, asked])]);
      atRow(graph, reshape(graph, box, [1, 1, 4]), 300, 3, "boxes");
      atRow(graph, reshape(graph, bestScore(graph, blob), [1, 1]), 300, 3, "scores");
      const label = atRow(graph, reshape(graph, bestClass(graph, blob), [1, 1]), 300, 3);
      op("Cast", [label], { to: { int: 7 } }, "labels");
      return [
        output("labels", ["N", 300], "int64"),
        output("boxes", ["N", 300, 4]),
        output("scores", ["N", 300]),
      ];
    },
  },
  "rtdetr-hf": {
    input: { name: "pixel_values" },
    build: (graph, blob, { classes, ...size }) =>
      queries(graph, blob, logits(graph, scores(graph, blob, classes)), { classes, ...size }, [
        "logits",
        "pred_boxes",
      ]),
  },
  detr: {
    input: { name: "pixel_values", range: "imagenet" },
    extra: [{ name: "pixel_mask", type: "int64", dims: [1, 64, 64] }],
    classes: 91,
    build(graph, blob, { classes, ...size }) {
      const { op, numbers } = graph;
      // Logarithms of shares are logits of a softmax.
      const some = op("Max", [scores(graph, blob, classes, COCO_NUMBERS), numbers([1], [1e-6])]);
      const nothing = op("Sub", [blob.one, op("Max", [blob.person, blob.car])]);
      const row = op("Log", [join(graph, [some, op("Max", [nothing, numbers([1], [1e-6])])])]);
      // Inputs that nobody uses would be dropped from the file's list by some tools.
      op("Identity", ["pixel_mask"]);
      return queries(graph, blob, row, { classes: classes + 1, ...size }, ["logits", "pred_boxes"]);
    },
  },
  rfdetr: {
    input: { name: "input", range: "imagenet" },
    classes: 91,
    build: (graph, blob, { classes, ...size }) =>
      queries(graph, blob, logits(graph, scores(graph, blob, classes, COCO_NUMBERS)), { classes, ...size }, [
        "labels",
        "dets",
      ]).toReversed(),
  },
  "efficient-nms": {
    input: UNIT,
    build(graph, blob) {
      const { x1, y1, x2, y2 } = blob;
      const { op, shape } = graph;
      atRow(graph, reshape(graph, join(graph, [x1, y1, x2, y2]), [1, 1, 4]), 100, 0, "det_boxes");
      atRow(graph, bestScore(graph, blob), 100, 0, "det_scores");
      const label = atRow(graph, bestClass(graph, blob), 100, 0);
      op("Cast", [label], { to: { int: 6 } }, "det_classes");
      // One when there is a blob: twice its score, cut to 1 and rounded down.
      const present = op("Ceil", [bestScore(graph, blob)]);
      op("Cast", [op("Reshape", [present, shape([1, 1])])], { to: { int: 6 } }, "num_dets");
      return [
        output("num_dets", [1, 1], "int32"),
        output("det_boxes", [1, 100, 4]),
        output("det_scores", [1, 100]),
        output("det_classes", [1, 100], "int32"),
      ];
    },
  },
  "yolov7-flat": {
    input: UNIT,
    build(graph, blob) {
      const { x1, y1, x2, y2 } = blob;
      const batch = graph.numbers([1, 1], [0]);
      const row = [batch, x1, y1, x2, y2, bestClass(graph, blob), bestScore(graph, blob)];
      graph.op("Concat", row, { axis: { int: 1 } }, "output");
      return [output("output", ["found", 7])];
    },
  },
  "yolonas-flat": {
    input: { name: "input", type: "uint8" },
    build(graph, blob) {
      const { x1, y1, x2, y2 } = blob;
      const batch = graph.numbers([1, 1], [0]);
      const row = [batch, x1, y1, x2, y2, bestScore(graph, blob), bestClass(graph, blob)];
      graph.op("Concat", row, { axis: { int: 1 } }, "graph2_flat_predictions");
      return [output("graph2_flat_predictions", ["found", 7])];
    },
  },
  darknet: {
    input: { name: "input" },
    build(graph, blob, { classes, width, height }) {
      const { x1, y1, x2, y2 } = blob;
      const unit = graph.numbers([1, 4], [1 / width, 1 / height, 1 / width, 1 / height]);
      const box = graph.op("Mul", [join(graph, [x1, y1, x2, y2]), unit]);
      atRow(graph, reshape(graph, box, [1, 1, 1, 4]), 50, 9, "boxes");
      atRow(graph, reshape(graph, scores(graph, blob, classes), [1, 1, classes]), 50, 9, "confs");
      return [output("boxes", [1, 50, 1, 4]), output("confs", [1, 50, classes])];
    },
  },
  "yolov4-heads": {
    input: { name: "input_1:0", isPlanar: false },
    build: (graph, blob, dimensions) =>
      [8, 16, 32].map((stride, index) => rawHead(graph, blob, dimensions, stride, index)),
  },
  ssd: {
    input: { name: "image_tensor:0", type: "uint8", isPlanar: false },
    build(graph, blob, { width, height }) {
      const { op, numbers } = graph;
      const { x1, y1, x2, y2 } = blob;
      const unit = numbers([1, 4], [1 / height, 1 / width, 1 / height, 1 / width]);
      const box = op("Mul", [join(graph, [y1, x1, y2, x2]), unit]);
      atRow(graph, reshape(graph, box, [1, 1, 4]), 100, 0, "detection_boxes:0");
      atRow(graph, bestScore(graph, blob), 100, 0, "detection_scores:0");
      // Counted from 1.
      const label = op("Add", [bestClass(graph, blob), numbers([1, 1], [1])]);
      atRow(graph, label, 100, 0, "detection_classes:0");
      op("Mul", [numbers([1], [100]), numbers([1], [1])], {}, "num_detections:0");
      return [
        output("detection_boxes:0", [1, 100, 4]),
        output("detection_classes:0", [1, 100]),
        output("detection_scores:0", [1, 100]),
        output("num_detections:0", [1]),
      ];
    },
  },
} as const satisfies Record<string, Head>;

/** Classes of person and car. */
const IN_ORDER = [0, 2] as const;
/** The same in COCO's own numbers, which begin with the background. */
const COCO_NUMBERS = [1, 3] as const;

function rowsOfFive(graph: Graph, blob: Blob, classes: number, count: number, name: string): OnnxValue[] {
  const values = [blob.cx, blob.cy, blob.w, blob.h, blob.one, scores(graph, blob, classes)];
  atRow(graph, reshape(graph, join(graph, values), [1, 1, 5 + classes]), count, 5, name);
  return [output(name, [1, count, 5 + classes])];
}

function queries(
  graph: Graph,
  blob: Blob,
  row: string,
  { classes, ...size }: Dimensions,
  [scoresName, boxesName]: readonly [string, string],
): OnnxValue[] {
  const { op, numbers } = graph;
  const isQuery = numbers(
    [1, 300, 1],
    range(300).map((index) => (index === 11 ? 0 : -20)),
  );
  // The other queries are sure of nothing: their logits are very low, and "nothing" is their last class.
  const elsewhere = op("Add", [reshape(graph, row, [1, 1, classes]), isQuery]);
  const last = numbers(
    [1, 1, classes],
    range(classes).map((index) => (index === classes - 1 ? 1 : 0)),
  );
  const lift = op("Mul", [
    numbers(
      [1, 300, 1],
      range(300).map((index) => (index === 11 ? 0 : 15)),
    ),
    last,
  ]);
  const isSoftmax = classes === 92;
  if (isSoftmax) op("Add", [elsewhere, lift], {}, scoresName);
  else op("Identity", [elsewhere], {}, scoresName);
  atRow(graph, reshape(graph, join(graph, unitCenter(graph, blob, size)), [1, 1, 4]), 300, 11, boxesName);
  return [output(scoresName, [1, 300, classes]), output(boxesName, [1, 300, 4])];
}

/** As Darknet's yolov4.cfg: the middle anchor, in the cell where the center is. Only the head of 16 pixels answers. */
function rawHead(
  graph: Graph,
  blob: Blob,
  { width, height, classes }: Dimensions,
  stride: number,
  index: number,
): OnnxValue {
  const { op, numbers } = graph;
  const [columns, rows] = [width / stride, height / stride];
  const scaled = (value: string) => op("Mul", [value, numbers([1], [1 / stride])]);
  const [x, y] = [scaled(blob.cx), scaled(blob.cy)];
  const cell = (value: string) => op("Floor", [value]);
  // Turns around sigmoid(t) * 1.1 - 0.05.
  const inCell = (value: string) => {
    const part = op("Sub", [value, cell(value)]);
    return logits(graph, op("Mul", [op("Add", [part, numbers([1], [0.05])]), numbers([1], [1 / 1.1])]));
  };
  const relativeTo = (length: string, anchor: number) =>
    op("Log", [op("Mul", [op("Max", [length, numbers([1], [1])]), numbers([1], [1 / anchor])])]);
  const row = join(graph, [
    inCell(x),
    inCell(y),
    relativeTo(blob.w, 76),
    relativeTo(blob.h, 55),
    numbers([1, 1], [stride === 16 ? 10 : -40]),
    logits(graph, scores(graph, blob, classes)),
  ]);
  const hit = (value: string, count: number, dims: number[]) =>
    op("Cast", [op("Equal", [numbers(dims, range(count)), cell(value)])], { to: { int: 1 } });
  const place = op("Mul", [hit(x, columns, [1, 1, columns, 1, 1]), hit(y, rows, [1, rows, 1, 1, 1])]);
  const mask = op("Mul", [place, numbers([1, 1, 1, 3, 1], [0, 1, 0])]);
  const here = op("Mul", [mask, reshape(graph, row, [1, 1, 1, 1, 5 + classes])]);
  const elsewhere = op("Mul", [op("Sub", [mask, numbers([1], [1])]), numbers([1], [20])]);
  const name = index === 0 ? "Identity:0" : `Identity_${index}:0`;
  op("Add", [here, elsewhere], {}, name);
  return output(name, [1, rows, columns, 3, 5 + classes]);
}

/** [1, classes] */
function scores(
  { op, numbers }: Graph,
  { person, car }: Blob,
  classes: number,
  [personClass, carClass]: readonly [number, number] = IN_ORDER,
): string {
  const only = (wanted: number) =>
    numbers(
      [1, classes],
      range(classes).map((index) => (index === wanted ? 1 : 0)),
    );
  return op("Add", [op("Mul", [person, only(personClass)]), op("Mul", [car, only(carClass)])]);
}

function bestScore({ op }: Graph, { person, car }: Blob): string {
  return op("Max", [person, car]);
}

function bestClass({ op, numbers }: Graph, { person, car }: Blob): string {
  const isCar = op("Cast", [op("Greater", [car, person])], { to: { int: 1 } });
  return op("Mul", [isCar, numbers([1, 1], [2])]);
}

function unitCenter(
  { op, numbers }: Graph,
  { cx, cy, w, h }: Blob,
  { width, height }: Omit<Dimensions, "classes">,
): string[] {
  const part = (value: string, of: number) => op("Mul", [value, numbers([1, 1], [1 / of])]);
  return [part(cx, width), part(cy, height), part(w, width), part(h, height)];
}

/** log(p / (1 - p)) */
function logits({ op, numbers }: Graph, shares: string): string {
  const clipped = op("Min", [op("Max", [shares, numbers([1], [1e-6])]), numbers([1], [1 - 1e-6])]);
  return op("Log", [op("Div", [clipped, op("Sub", [numbers([1], [1]), clipped])])]);
}

/** Puts it at that place of the second dimension; everything else there is 0. */
function atRow(
  { op, numbers, ranks }: Graph,
  value: string,
  count: number,
  at: number,
  name?: string,
): string {
  const places = range(count).map((index) => (index === at ? 1 : 0));
  // As many dimensions as the value has: [1, count] for numbers, [1, count, 1 ...] for rows.
  const rank = ranks.get(value) ?? 2;
  return op("Mul", [value, numbers([1, count, ...range(rank - 2).map(() => 1)], places)], {}, name);
}

function reshape({ op, shape, ranks }: Graph, value: string, dims: readonly number[]): string {
  const name = op("Reshape", [value, shape(dims)]);
  ranks.set(name, dims.length);
  return name;
}

function join({ op }: Graph, values: readonly string[]): string {
  return op("Concat", values, { axis: { int: 1 } });
}

function output(name: string, dims: readonly (number | string)[], type: OnnxType = "float32"): OnnxValue {
  return { name, type, dims };
}

function cells({ width, height }: Omit<Dimensions, "classes">): number {
  return [8, 16, 32].reduce((sum, stride) => sum + (width / stride) * (height / stride), 0);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
