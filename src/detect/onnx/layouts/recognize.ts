// Finds out which family of detectors a model belongs to: from names, then dimensions, then what the exporter noted.
import { darknet, yolov4Heads } from "./darknet.ts";
import { detr, dfine, huggingFaceRtDetr, rfDetr, ultralyticsRtDetr } from "./detr.ts";
import { yoloNasFlat, yolov7Flat } from "./flat.ts";
import type { Layout, ModelFacts } from "./layout.ts";
import { efficientNms, ssd } from "./ready-made.ts";
import { endToEnd, yolov5, yolov6, yolov8, yolox } from "./yolo.ts";

/** In the order in which they are tried: those with names of their own first. */
const layouts: readonly Layout[] = [
  dfine,
  huggingFaceRtDetr,
  detr,
  rfDetr,
  efficientNms,
  ssd,
  darknet,
  yolov4Heads,
  endToEnd,
  yolov8,
  ultralyticsRtDetr,
  yolov5,
  yolov6,
  yolox,
  yolov7Flat,
  yoloNasFlat,
];

/** Values of `model_layout`. */
export const layoutKeys: readonly string[] = layouts.map(({ key }) => key);

/** The layout of that name, or null. Case and "_" for "-" do not matter. */
export function layoutNamed(key: string): Layout | null {
  const wanted = key.trim().toLowerCase().replaceAll("_", "-");
  return layouts.find((layout) => layout.key === wanted) ?? null;
}

/**
 * One layout, or several that look the same, or none. A number of labels that fits nothing is not believed, because
 * somebody may have named the wrong file of labels.
 */
export function recognize(facts: ModelFacts): readonly Layout[] {
  const counted = fitting(facts);
  return counted.length > 0 || facts.labelCount === null ? counted : fitting({ ...facts, labelCount: null });
}

function fitting(facts: ModelFacts): readonly Layout[] {
  const [first, ...others] = layouts.filter((layout) => layout.fits(facts));
  if (first === undefined) return [];
  const group = LOOK_ALIKE.find((alike) => alike.includes(first));
  return group === undefined ? [first] : [first, ...others.filter((layout) => group.includes(layout))];
}

/** Nothing in the files of these tells one from the other. */
const LOOK_ALIKE: readonly (readonly Layout[])[] = [
  [yolov6, yolox],
  [yolov7Flat, yoloNasFlat],
];

/**
 * Why a model that is no detector is refused; null for all others. `task` is what the exporter noted; a segmentation
 * shows in a second output with 32 masks even where nothing is noted.
 */
export function otherTask(task: string | null, { outputs }: Pick<ModelFacts, "outputs">): string | null {
  if (task !== null && task !== "detect") return OTHER_TASKS[task] ?? `a model for the task "${task}"`;
  const [candidates, masks] = outputs;
  const isSegmentation =
    outputs.length === 2 && candidates?.dims.length === 3 && masks?.dims.length === 4 && masks.dims[1] === 32;
  return isSegmentation ? (OTHER_TASKS.segment ?? null) : null;
}

const OTHER_TASKS: Readonly<Record<string, string>> = {
  segment: "a segmentation model (task segment)",
  pose: "a pose model (task pose)",
  obb: "a model for rotated boxes (task obb)",
  classify: "a classification model (task classify)",
};
