// Darknet's YOLO as ONNX: with decoded boxes (this program's converter, pytorch-YOLOv4), or with the raw heads of the model zoo.
import {
  type Candidate,
  corners,
  hasNames,
  type Layout,
  lastDim,
  namedFacts,
  type Output,
  rowCount,
  sigmoid,
  type TensorFacts,
} from "./layout.ts";

/** boxes [1, candidates, 1, 4]: corners from 0 to 1; confs [1, candidates, classes]. */
export const darknet: Layout = {
  key: "darknet",
  family: "YOLOv3/v4 (Darknet)",
  form: { fit: "squeeze", order: "rgb", range: "unit" },
  needsSuppression: true,
  fits: ({ outputs }) =>
    hasNames(outputs, "boxes", "confs") && namedFacts(outputs, "boxes")?.dims.length === 4,
  classCount: (outputs) => lastDim(namedFacts(outputs, "confs")),
  decode(outputs, { inputSize: { width, height }, minScore }) {
    const { data: confidences, dims } = outputs.named("confs");
    const { data: boxes } = outputs.named("boxes");
    const classes = dims.at(-1) ?? 0;
    const found: Candidate[] = [];
    for (let index = 0; index < rowCount(confidences, classes); index++) {
      const [label, score] = strongest(confidences, index * classes, classes);
      if (score < minScore) continue;
      const at = (offset: number) => boxes[index * 4 + offset] ?? 0;
      found.push({
        x1: at(0) * width,
        y1: at(1) * height,
        x2: at(2) * width,
        y2: at(3) * height,
        score,
        label,
      });
    }
    return found;
  },
};

/** YOLOv4 of the ONNX model zoo: three heads [1, rows, columns, 3, 5 + classes] that are not decoded. */
export const yolov4Heads: Layout = {
  key: "yolov4-heads",
  family: "YOLOv4 (model zoo)",
  form: { fit: "letterbox", order: "rgb", range: "unit" },
  needsSuppression: true,
  fits: ({ outputs }) =>
    outputs.length === HEADS.length && outputs.every(({ dims }) => dims.length === 5 && dims[3] === 3),
  classCount: ([output]) => classesOf(output),
  decode(outputs, { inputSize, minScore }) {
    const heads = [outputs.at(0), outputs.at(1), outputs.at(2)];
    return heads.flatMap((output) => decodeHead(output, inputSize.width, minScore));
  },
};

interface Head {
  readonly stride: number;
  /** Width and height of the three anchors, in pixels. */
  readonly anchors: readonly (readonly [number, number])[];
  /** How far a center may lie outside its cell (`scale_x_y`). */
  readonly reach: number;
}

/** As in Darknet's yolov4.cfg. */
const HEADS: readonly Head[] = [
  {
    stride: 8,
    anchors: [
      [12, 16],
      [19, 36],
      [40, 28],
    ],
    reach: 1.2,
  },
  {
    stride: 16,
    anchors: [
      [36, 75],
      [76, 55],
      [72, 146],
    ],
    reach: 1.1,
  },
  {
    stride: 32,
    anchors: [
      [142, 110],
      [192, 243],
      [459, 401],
    ],
    reach: 1.05,
  },
];

/** Which head it is follows from its size: exporters give them in either order. */
function decodeHead({ data, dims }: Output, inputWidth: number, minScore: number): Candidate[] {
  const [, rows = 0, columns = 0, anchors = 0, values = 0] = dims;
  const head = HEADS.find(({ stride }) => Math.round(inputWidth / columns) === stride);
  if (head === undefined) throw new Error(`A head of ${columns}x${rows} cells is none of YOLOv4's`);
  const found: Candidate[] = [];
  for (let cell = 0; cell < rows * columns * anchors; cell++) {
    const start = cell * values;
    const at = (offset: number) => data[start + offset] ?? 0;
    const objectness = sigmoid(at(4));
    if (objectness < minScore) continue;
    const [label, logit] = strongest(data, start + 5, values - 5);
    const score = objectness * sigmoid(logit);
    if (score < minScore) continue;
    const [width, height] = head.anchors[cell % anchors] ?? [0, 0];
    const place = Math.floor(cell / anchors);
    const center = (value: number, index: number) =>
      (sigmoid(value) * head.reach - (head.reach - 1) / 2 + index) * head.stride;
    const x = center(at(0), place % columns);
    const y = center(at(1), Math.floor(place / columns));
    found.push({ ...corners(x, y, Math.exp(at(2)) * width, Math.exp(at(3)) * height), score, label });
  }
  return found;
}

function strongest(
  data: ArrayLike<number>,
  start: number,
  count: number,
): readonly [label: number, value: number] {
  let label = 0;
  for (let index = 1; index < count; index++) {
    if ((data[start + index] ?? 0) > (data[start + label] ?? 0)) label = index;
  }
  return [label, data[start + label] ?? 0];
}

function classesOf(output: TensorFacts | undefined): number | null {
  const values = lastDim(output);
  return values === null ? null : values - 5;
}
