// The answer in the form that everything around ZoneMinder reads: "[s] detected:person:97% --SPLIT--{...}".
import type { OutputSettings } from "../../domain/detect-settings.ts";
import type { Box, Detection, DetectionResult } from "../../domain/detection.ts";
import { type PythonValue, pythonJson, pythonPercent } from "./python-json.ts";

export type TextSettings = Pick<OutputSettings, "showPercent" | "showModels" | "showFrameMark">;

/**
 * Exactly what the original's script printed, without the line feed: text, `--SPLIT--`, JSON. Empty when nothing was found.
 * @param isBestMatch `frames.isBestMatch`: the mark is [a] or [s] for those two pictures; otherwise always [x].
 */
export function printedAnswer(result: DetectionResult, output: TextSettings, isBestMatch: boolean): string {
  const text = answerText(result, output, isBestMatch);
  return text === "" ? "" : `${text}--SPLIT--${pythonJson(answerJson(result))}`;
}

/** The part for people, as it is put in front of the event's notes; each label once. Empty when nothing was found. */
export function answerText(result: DetectionResult, output: TextSettings, isBestMatch: boolean): string {
  if (result.detections.length === 0) return "";
  const items = firstOfEachLabel(result.detections).map((each) => {
    const model = output.showModels ? `(${each.model}) ` : "";
    // The space after each percentage, the last one too, is as the original prints it.
    return output.showPercent
      ? `${model}${each.label}:${pythonPercent(each.confidence)} `
      : `${model}${each.label}`;
  });
  const mark = output.showFrameMark ? frameMark(result.frame, isBestMatch) : "";
  return `${mark}detected:${items.join(output.showPercent ? "" : ",")}`;
}

/**
 * What objects.json holds: the printed JSON and, for ZoneMinder's training page (web/skins/classic/views/js/training.js of
 * 1.39, which knows no other form), `detections` with boxes in the same pixels.
 */
export function objectsJson(result: DetectionResult): string {
  const detections = result.detections.map(({ label, confidence, box }) => ({
    label,
    confidence: { float: confidence },
    bbox: wholePixels(box),
  }));
  return pythonJson({ ...answerJson(result), detections });
}

function answerJson(result: DetectionResult): { readonly [key: string]: PythonValue } {
  const { detections, frame, original, analyzed } = result;
  const isResized =
    original !== null &&
    analyzed !== null &&
    (original.width !== analyzed.width || original.height !== analyzed.height);
  return {
    labels: detections.map((each) => each.label),
    boxes: detections.map((each) => wholePixels(each.box)),
    frame_id: frame,
    confidences: detections.map((each) => ({ float: each.confidence })),
    image_dimensions: {
      original: original === null ? null : [original.height, original.width],
      resized: isResized && analyzed !== null ? [analyzed.height, analyzed.width] : null,
    },
  };
}

function firstOfEachLabel(detections: readonly Detection[]): readonly Detection[] {
  const seen = new Set<string>();
  return detections.filter(({ label }) => {
    if (seen.has(label)) return false;
    seen.add(label);
    return true;
  });
}

/** Four characters that the daemon and scripts look at to choose a picture for the message. */
function frameMark(frame: string | null, isBestMatch: boolean): string {
  if (isBestMatch && frame === "alarm") return "[a] ";
  if (isBestMatch && frame === "snapshot") return "[s] ";
  return "[x] ";
}

function wholePixels(box: Box): readonly number[] {
  return box.map(Math.trunc);
}
