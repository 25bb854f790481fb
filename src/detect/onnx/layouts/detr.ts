// Transformers (DETR and its successors): some hundred queries, no suppression of overlaps.
import {
  type Candidate,
  corners,
  type DecodeContext,
  hasNames,
  type InputForm,
  type Layout,
  lastDim,
  type ModelFacts,
  namedFacts,
  type Output,
  onlyGrid,
  rowCount,
  sigmoid,
} from "./layout.ts";

const UNIT: InputForm = { fit: "letterbox", order: "rgb", range: "unit" };
const IMAGENET: InputForm = { fit: "letterbox", order: "rgb", range: "imagenet" };

/** Ultralytics RT-DETR: [1, 300, 4 + classes]; cx, cy, w, h from 0 to 1, then the classes. */
export const ultralyticsRtDetr: Layout = {
  key: "rtdetr-ultralytics",
  family: "RT-DETR (Ultralytics)",
  form: UNIT,
  needsSuppression: false,
  fits(facts) {
    const grid = onlyGrid(facts);
    if (grid === null) return false;
    const [rows, columns] = grid;
    const classes = columns - 4;
    return (
      rows === QUERIES &&
      classes > 0 &&
      (facts.labelCount === null ? columns !== 6 : classes === facts.labelCount)
    );
  },
  classCount: ([output]) => minus(lastDim(output), 4),
  decode(outputs, context) {
    const { data, dims } = outputs.at(0);
    const columns = dims.at(-1) ?? 0;
    return decodeQueries(
      { data, columns, boxes: data, boxColumns: columns, firstClass: 4, lastClass: columns },
      context,
      (score) => score,
    );
  },
};

/** RT-DETR, D-FINE and DEIM as their authors deploy them: told the size, they answer in its pixels. */
export const dfine: Layout = {
  key: "dfine",
  family: "RT-DETR, D-FINE or DEIM",
  form: UNIT,
  needsSuppression: false,
  fits: ({ inputs, outputs }) =>
    hasNames(inputs, "orig_target_sizes") && hasNames(outputs, "labels", "boxes", "scores"),
  classCount: () => null,
  decode(outputs, { minScore }) {
    const [labels, boxes, scores] = ["labels", "boxes", "scores"].map((name) => outputs.named(name).data);
    const found: Candidate[] = [];
    for (let index = 0; index < (scores?.length ?? 0); index++) {
      const score = scores?.[index] ?? 0;
      if (score < minScore) continue;
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = four(boxes ?? [], index * 4);
      found.push({ x1, y1, x2, y2, score, label: labels?.[index] ?? 0 });
    }
    return found;
  },
};

/** RT-DETR of Hugging Face: logits and boxes from 0 to 1. */
export const huggingFaceRtDetr: Layout = {
  key: "rtdetr-hf",
  family: "RT-DETR (Hugging Face)",
  form: UNIT,
  needsSuppression: false,
  fits: (facts) => isHuggingFace(facts) && !hasNothingClass(facts),
  classCount: (outputs) => lastDim(namedFacts(outputs, "logits")),
  decode: (outputs, context) => decodePair(outputs.named("logits"), outputs.named("pred_boxes"), context),
};

/** The first DETR: its last class is "nothing", and the classes of a query share one whole. */
export const detr: Layout = {
  key: "detr",
  family: "DETR",
  form: IMAGENET,
  needsSuppression: false,
  fits: (facts) => isHuggingFace(facts) && hasNothingClass(facts),
  classCount: (outputs) => minus(lastDim(namedFacts(outputs, "logits")), 1),
  decode(outputs, context) {
    const { data, dims } = outputs.named("logits");
    const columns = dims.at(-1) ?? 0;
    return decodePair({ data: softmax(data, columns), dims }, outputs.named("pred_boxes"), context, {
      lastClass: columns - 1,
      scoreOf: (value) => value,
    });
  },
};

/** RF-DETR: logits over COCO's 91 numbers, or the operator's own classes, and boxes from 0 to 1. */
export const rfDetr: Layout = {
  key: "rfdetr",
  family: "RF-DETR",
  form: IMAGENET,
  needsSuppression: false,
  fits: ({ outputs }) =>
    hasNames(outputs, "dets", "labels") && lastDim(namedFacts(outputs, "dets")) === 4 && outputs.length === 2,
  classCount: (outputs) => lastDim(namedFacts(outputs, "labels")),
  decode: (outputs, context) => decodePair(outputs.named("labels"), outputs.named("dets"), context),
};

const QUERIES = 300;
/** Logits of the first DETR, trained with COCO: 91 numbers and "nothing". */
const DETR_LOGITS = 92;

function isHuggingFace({ inputs, outputs }: ModelFacts): boolean {
  return hasNames(inputs, "pixel_values") && hasNames(outputs, "logits", "pred_boxes");
}

function hasNothingClass({ outputs, labelCount }: ModelFacts): boolean {
  const logits = lastDim(namedFacts(outputs, "logits"));
  return labelCount === null ? logits === DETR_LOGITS : logits === labelCount + 1;
}

interface Queries {
  readonly data: ArrayLike<number>;
  readonly columns: number;
  readonly boxes: ArrayLike<number>;
  readonly boxColumns: number;
  readonly firstClass: number;
  readonly lastClass: number;
}

function decodePair(
  logits: Output,
  boxes: Output,
  context: DecodeContext,
  { lastClass, scoreOf }: { lastClass?: number; scoreOf: (value: number) => number } = { scoreOf: sigmoid },
): Candidate[] {
  const columns = logits.dims.at(-1) ?? 0;
  const queries = {
    data: logits.data,
    columns,
    boxes: boxes.data,
    boxColumns: 4,
    firstClass: 0,
    lastClass: lastClass ?? columns,
  };
  return decodeQueries(queries, context, scoreOf);
}

/** The best class of each query; boxes are cx, cy, w, h from 0 to 1. */
function decodeQueries(
  { data, columns, boxes, boxColumns, firstClass, lastClass }: Queries,
  { inputSize: { width, height }, minScore }: DecodeContext,
  scoreOf: (value: number) => number,
): Candidate[] {
  const found: Candidate[] = [];
  for (let query = 0; query < rowCount(data, columns); query++) {
    let best = firstClass;
    for (let column = firstClass + 1; column < lastClass; column++) {
      if ((data[query * columns + column] ?? 0) > (data[query * columns + best] ?? 0)) best = column;
    }
    const score = scoreOf(data[query * columns + best] ?? 0);
    if (score < minScore) continue;
    const [x = 0, y = 0, w = 0, h = 0] = four(boxes, query * boxColumns);
    found.push({ ...corners(x * width, y * height, w * width, h * height), score, label: best - firstClass });
  }
  return found;
}

function softmax(data: ArrayLike<number>, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rowCount(data, columns); row++) {
    const start = row * columns;
    let most = Number.NEGATIVE_INFINITY;
    for (let index = start; index < start + columns; index++) most = Math.max(most, data[index] ?? 0);
    let sum = 0;
    for (let index = start; index < start + columns; index++) {
      const value = Math.exp((data[index] ?? 0) - most);
      result[index] = value;
      sum += value;
    }
    for (let index = start; index < start + columns; index++) result[index] = (result[index] ?? 0) / sum;
  }
  return result;
}

function four(data: ArrayLike<number>, start: number): number[] {
  return [data[start] ?? 0, data[start + 1] ?? 0, data[start + 2] ?? 0, data[start + 3] ?? 0];
}

function minus(value: number | null, amount: number): number | null {
  return value === null ? null : value - amount;
}
