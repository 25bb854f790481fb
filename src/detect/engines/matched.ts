// The lists side by side in which the original and its servers give what was found: labels, boxes, confidences.
import { z } from "zod";
import type { Box, Size } from "../../domain/detection.ts";
import type { Finding } from "./engine.ts";

/** More than any picture shows; an answer that says so is nonsense. */
const MAX_FINDINGS = 1_000;
/** Height, then width. */
const dimensions = z.tuple([z.number().positive(), z.number().positive()]);
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);

const matched = z.object({
  labels: z.array(z.string()).max(MAX_FINDINGS),
  boxes: z.array(box).max(MAX_FINDINGS),
  confidences: z.array(z.number()).max(MAX_FINDINGS),
  image_dimensions: z
    .object({ original: dimensions.nullish().catch(null), resized: dimensions.nullish().catch(null) })
    .nullish()
    .catch(null),
});

/**
 * Findings in pixels of a picture of `size`, strongest first; null when `value` is of another form. Boxes count in
 * pixels of the picture as it was analyzed there, which the answer says.
 */
export function readMatched(value: unknown, size: Size): readonly Finding[] | null {
  const parsed = matched.safeParse(value);
  if (!parsed.success) return null;
  const { labels, boxes, confidences, image_dimensions: sizes } = parsed.data;
  const [height, width] = sizes?.resized ?? sizes?.original ?? [size.height, size.width];
  const scale = { x: size.width / width, y: size.height / height };
  return strongestFirst(
    labels.flatMap((label, index) => {
      const [found, confidence] = [boxes[index], confidences[index]];
      if (found === undefined || confidence === undefined) return [];
      return finding(
        label,
        confidence,
        [found[0] * scale.x, found[1] * scale.y, found[2] * scale.x, found[3] * scale.y],
        size,
      );
    }),
  );
}

/** One finding, or none where nothing of the box lies in the picture. */
export function finding(label: string, confidence: number, [x1, y1, x2, y2]: Box, size: Size): Finding[] {
  const inside: Box = [Math.max(0, x1), Math.max(0, y1), Math.min(size.width, x2), Math.min(size.height, y2)];
  if (!(inside[2] > inside[0] && inside[3] > inside[1])) return [];
  return [{ label, confidence: Math.min(1, Math.max(0, confidence)), box: inside }];
}

export function strongestFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => b.confidence - a.confidence);
}
