// YOLO with one output of candidates: v8 and its successors (columns), v5 and v7 (rows), end to end (rows of six).
import {
  type Candidate,
  corners,
  type InputForm,
  type Layout,
  lastDim,
  onlyGrid,
  rowCount,
} from "./layout.ts";

const FORM: InputForm = { fit: "letterbox", order: "rgb", range: "unit" };

/** Ultralytics v8, 9, 11, 12, 13: [1, 4 + classes, candidates]; cx, cy, w, h in pixels, then the classes. */
export const yolov8: Layout = {
  key: "yolov8",
  family: "YOLOv8/9/11/12",
  form: FORM,
  needsSuppression: true,
  fits(facts) {
    const grid = onlyGrid(facts);
    if (grid === null || facts.outputs[0]?.type !== "float32") return false;
    const [rows, columns] = grid;
    return facts.labelCount === null
      ? rows > 4 && rows < columns
      : rows === 4 + facts.labelCount && columns > 6;
  },
  classCount: ([output]) => less(lastDim(output, 1), 4),
  decode(outputs, { minScore }) {
    const { data, dims } = outputs.at(0);
    const [, rows = 0, count = 0] = dims;
    const found: Candidate[] = [];
    // Class by class, because the memory lies that way: the best of each candidate is kept beside.
    const best = new Float32Array(count);
    const labels = new Uint32Array(count);
    for (let row = 4; row < rows; row++) {
      const start = row * count;
      for (let index = 0; index < count; index++) {
        const score = data[start + index] ?? 0;
        if (score > (best[index] ?? 0)) {
          best[index] = score;
          labels[index] = row - 4;
        }
      }
    }
    const at = (row: number, index: number) => data[row * count + index] ?? 0;
    for (let index = 0; index < count; index++) {
      const score = best[index] ?? 0;
      if (score < minScore) continue;
      const box = corners(at(0, index), at(1, index), at(2, index), at(3, index));
      found.push({ ...box, score, label: labels[index] ?? 0 });
    }
    return found;
  },
};

/** v5 and v7: [1, candidates, 5 + classes]; cx, cy, w, h in pixels, "something is here", then the classes. */
export const yolov5: Layout = {
  key: "yolov5",
  family: "YOLOv5/7",
  form: FORM,
  needsSuppression: true,
  fits(facts) {
    const grid = onlyGrid(facts);
    if (grid === null) return false;
    const [rows, columns] = grid;
    const isCount = rows === ANCHORS * cells(facts) || (rows > MAX_FINAL && rows !== cells(facts));
    return isCount && columns > 5 && isClasses(columns - 5, facts.labelCount);
  },
  classCount: ([output]) => less(lastDim(output), 5),
  decode: (outputs, { minScore }) => decodeRows(outputs.at(0), minScore),
};

/** v6, which decodes in its graph: one candidate per cell of three grids, otherwise as v5. Looks as YOLOX. */
export const yolov6: Layout = {
  ...yolov5,
  key: "yolov6",
  family: "YOLOv6",
  fits: (facts) => isCellGrid(facts),
};

/** YOLOX: as v6, but each candidate is relative to its cell; trained with BGR from 0 to 255. */
export const yolox: Layout = {
  ...yolov5,
  key: "yolox",
  family: "YOLOX",
  form: { fit: "letterbox", order: "bgr", range: "bytes" },
  fits: (facts) => isCellGrid(facts),
  decode(outputs, { inputSize, minScore }) {
    const { data, dims } = outputs.at(0);
    const columns = dims.at(-1) ?? 0;
    const decoded = Float32Array.from(data);
    let at = 0;
    for (const stride of STRIDES) {
      for (let y = 0; y < Math.floor(inputSize.height / stride); y++) {
        for (let x = 0; x < Math.floor(inputSize.width / stride); x++) {
          decoded[at] = ((data[at] ?? 0) + x) * stride;
          decoded[at + 1] = ((data[at + 1] ?? 0) + y) * stride;
          decoded[at + 2] = Math.exp(data[at + 2] ?? 0) * stride;
          decoded[at + 3] = Math.exp(data[at + 3] ?? 0) * stride;
          at += columns;
        }
      }
    }
    return decodeRows({ data: decoded, dims }, minScore);
  },
};

/** v10, 26 and exports with `nms=True`: [1, up to 1000, 6]; corners in pixels, score, class. */
export const endToEnd: Layout = {
  key: "end2end",
  family: "YOLOv10/26, end to end",
  form: FORM,
  needsSuppression: false,
  fits(facts) {
    const grid = onlyGrid(facts);
    if (grid === null) return false;
    const [rows, columns] = grid;
    // A YOLOv5 of one class has six numbers in a candidate too, but thousands of candidates; an RT-DETR of two has 300.
    return columns === 6 && rows <= MAX_FINAL && (facts.isEndToEnd || facts.labelCount !== 2);
  },
  classCount: () => null,
  decode(outputs, { minScore }) {
    const { data } = outputs.at(0);
    const found: Candidate[] = [];
    for (let at = 0; at + 5 < data.length; at += 6) {
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0, label = 0] = slice(data, at, 6);
      if (score >= minScore) found.push({ x1, y1, x2, y2, score, label: Math.round(label) });
    }
    return found;
  },
};

/** Finished detections that a model gives at most; the raw candidates of the smallest usual input are more. */
const MAX_FINAL = 1000;
/** Candidates of one cell, in versions 2 to 7. */
const ANCHORS = 3;
/** Sizes of the cells of the three grids. */
const STRIDES = [8, 16, 32] as const;

function decodeRows({ data, dims }: { data: ArrayLike<number>; dims: readonly number[] }, minScore: number) {
  const columns = dims.at(-1) ?? 0;
  const found: Candidate[] = [];
  for (let row = 0; row < rowCount(data, columns); row++) {
    const at = row * columns;
    const objectness = data[at + 4] ?? 0;
    if (objectness < minScore) continue;
    let best = 0;
    let label = 0;
    for (let column = 5; column < columns; column++) {
      const score = data[at + column] ?? 0;
      if (score > best) {
        best = score;
        label = column - 5;
      }
    }
    const score = objectness * best;
    if (score < minScore) continue;
    const [x = 0, y = 0, width = 0, height = 0] = slice(data, at, 4);
    found.push({ ...corners(x, y, width, height), score, label });
  }
  return found;
}

function isCellGrid(facts: Parameters<Layout["fits"]>[0]): boolean {
  const grid = onlyGrid(facts);
  if (grid === null) return false;
  const [rows, columns] = grid;
  return columns > 5 && isClasses(columns - 5, facts.labelCount) && rows === cells(facts);
}

function cells({ inputSize: { width, height } }: Pick<Parameters<Layout["fits"]>[0], "inputSize">): number {
  return STRIDES.reduce((sum, stride) => sum + Math.floor(width / stride) * Math.floor(height / stride), 0);
}

function isClasses(count: number, labelCount: number | null): boolean {
  return labelCount === null || labelCount === count;
}

function less(value: number | null, amount: number): number | null {
  return value === null ? null : value - amount;
}

function slice(data: ArrayLike<number>, start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => data[start + index] ?? 0);
}
