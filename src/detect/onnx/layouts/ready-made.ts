// Models that give finished detections in several outputs: exports with EfficientNMS, and TensorFlow's SSD.
import { type Candidate, hasNames, type Layout, type Output } from "./layout.ts";

/** YOLO exports with the outputs of NVIDIA's EfficientNMS: count, corners in pixels, scores, classes. */
export const efficientNms: Layout = {
  key: "efficient-nms",
  family: "YOLO with EfficientNMS",
  form: { fit: "letterbox", order: "rgb", range: "unit" },
  needsSuppression: false,
  fits: ({ outputs }) => hasNames(outputs, "num_dets", "det_boxes", "det_scores", "det_classes"),
  classCount: () => null,
  decode(outputs, { minScore }) {
    const count = outputs.named("num_dets").data[0] ?? 0;
    const [boxes, scores, classes] = ["det_boxes", "det_scores", "det_classes"].map(outputs.named);
    return finished({ boxes, scores, classes, count, minScore }).map(([box, score, label]) => {
      const [x1, y1, x2, y2] = box;
      return { x1, y1, x2, y2, score, label };
    });
  },
};

/** TensorFlow's detection models: top, left, bottom, right from 0 to 1; classes count from 1. */
export const ssd: Layout = {
  key: "ssd",
  family: "SSD (TensorFlow)",
  form: { fit: "squeeze", order: "rgb", range: "bytes" },
  needsSuppression: false,
  fits: ({ outputs }) => hasNames(outputs, "detection_boxes", "detection_scores", "detection_classes"),
  classCount: () => TENSORFLOW_CLASSES,
  decode(outputs, { inputSize: { width, height }, minScore }): Candidate[] {
    const names = ["detection_boxes", "detection_scores", "detection_classes"];
    const [boxes, scores, classes] = names.map(outputs.named);
    // What lies behind the last detection may be anything; a few exports do not count them.
    const counted = outputs.has("num_detections") ? outputs.named("num_detections").data[0] : undefined;
    const count = counted ?? scores?.data.length ?? 0;
    return finished({ boxes, scores, classes, count, minScore }).map(([box, score, label]) => {
      const [top, left, bottom, right] = box;
      const [x1, y1, x2, y2] = [left * width, top * height, right * width, bottom * height];
      return { x1, y1, x2, y2, score, label: label - 1 };
    });
  },
};

/** The numbers of COCO without that of the background: the models say nothing, and nearly all are trained with it. */
const TENSORFLOW_CLASSES = 90;

type Finished = readonly [box: readonly [number, number, number, number], score: number, label: number];

function finished(given: {
  readonly boxes: Output | undefined;
  readonly scores: Output | undefined;
  readonly classes: Output | undefined;
  readonly count: number;
  readonly minScore: number;
}): Finished[] {
  const { boxes, scores, classes, count, minScore } = given;
  const found: Finished[] = [];
  const at = (index: number) => boxes?.data[index] ?? 0;
  for (let index = 0; index < Math.min(count, scores?.data.length ?? 0); index++) {
    const score = scores?.data[index] ?? 0;
    if (score < minScore) continue;
    const first = index * 4;
    const label = Math.round(classes?.data[index] ?? 0);
    found.push([[at(first), at(first + 1), at(first + 2), at(first + 3)], score, label]);
  }
  return found;
}
