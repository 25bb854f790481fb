// Exports whose only output is a list of finished detections with seven columns; the last two differ in their order.
import type { Candidate, InputForm, Layout, ModelFacts, Outputs } from "./layout.ts";

/** YOLOv7 `--end2end` for onnxruntime: batch, corners in pixels, class, score. */
export const yolov7Flat: Layout = flat("yolov7-flat", "YOLOv7 end to end", 5, 6, "unit");

/** YOLO-NAS `output_predictions_format="flat"`: batch, corners in pixels, score, class. */
export const yoloNasFlat: Layout = flat("yolonas-flat", "YOLO-NAS", 6, 5, "unit");

function flat(key: string, family: string, label: number, score: number, range: InputForm["range"]): Layout {
  return {
    key,
    family,
    form: { fit: "letterbox", order: "rgb", range },
    needsSuppression: false,
    fits: isFlat,
    classCount: () => null,
    decode: (outputs, { minScore }) => decodeFlat(outputs, label, score, minScore),
  };
}

/** The number of rows depends on what is found: it is never a fixed one. */
function isFlat({ outputs }: ModelFacts): boolean {
  const [only, ...others] = outputs;
  return only !== undefined && others.length === 0 && only.dims.length === 2 && only.dims[1] === 7;
}

function decodeFlat(outputs: Outputs, label: number, score: number, minScore: number): Candidate[] {
  const { data } = outputs.at(0);
  const found: Candidate[] = [];
  const at = (index: number) => data[index] ?? 0;
  for (let row = 0; row + 7 <= data.length; row += 7) {
    if (at(row + score) < minScore) continue;
    found.push({
      x1: at(row + 1),
      y1: at(row + 2),
      x2: at(row + 3),
      y2: at(row + 4),
      score: at(row + score),
      label: Math.round(at(row + label)),
    });
  }
  return found;
}
