// What a detector saw in the pictures of an event: the words that engines, filters, files and messages share.

/** Left, top, right, bottom, in pixels of the analyzed picture; right and bottom are exclusive edges, not pixels. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Kinds of models, run in the order of `model_sequence`. */
export type ModelType = "object" | "face" | "alpr";

/** One thing in one picture. */
export interface Detection {
  /** As the model names it, such as "person"; plates are "alpr:<plate>". */
  readonly label: string;
  /** From 0 to 1. */
  readonly confidence: number;
  readonly box: Box;
  readonly type: ModelType;
  /** The name of the model in the configuration; shown with `show_models`. */
  readonly model: string;
}

/** Why something that a model saw does not count, in the order in which the filters act. */
export type RejectReason = "pattern" | "confidence" | "size" | "zone" | "zone-pattern" | "past-detection";

export interface Rejected {
  readonly detection: Detection;
  readonly reason: RejectReason;
  /** In words, with the figures that decided, such as "0.41 is below 0.5 (min_confidence)". */
  readonly detail: string;
}

/** "snapshot", "alarm", the number of a frame, or "single" for a file. */
export type FrameId = string;

/** A corner of a zone, in pixels of the analyzed picture. */
export type Point = readonly [x: number, y: number];

/** A polygon in which something counts. */
export interface Zone {
  readonly name: string;
  readonly points: readonly Point[];
}

/** What came of one run over the pictures of an event. */
export interface DetectionResult {
  /** The picture that won; null when there was none, or nothing that counts in any. */
  readonly frame: FrameId | null;
  readonly detections: readonly Detection[];
  /** Of the winning picture; when nothing counts, of the picture with most of them. */
  readonly rejected: readonly Rejected[];
  /** Of that picture as it was read; null when none could be read. */
  readonly original: Size | null;
  /** Of that picture as it was analyzed: the boxes are in its pixels. Equal to `original` when not resized. */
  readonly analyzed: Size | null;
  /** The zones that were looked in, in pixels of the analyzed picture. */
  readonly zones: readonly Zone[];
  readonly timings: readonly Timing[];
  /** In words, for people: a picture that was missing, a model that failed and was left out, a fallback. */
  readonly troubles: readonly string[];
}

/** How long one step took, such as "read snapshot", "decode", "yolo11n", "filters", "draw". */
export interface Timing {
  readonly step: string;
  readonly ms: number;
}
