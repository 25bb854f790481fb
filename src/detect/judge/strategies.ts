// Which of several answers counts: of the models of one kind, and of the pictures of one event.
import type { DetectSettings, ModelGroup } from "../../domain/detect-settings.ts";
import type { Detection } from "../../domain/detection.ts";
import { canonicalLabel } from "./labels.ts";

/** What the models of one group found, in their order, comes down to this (`same_model_sequence_strategy`). */
export function combined(
  strategy: ModelGroup["strategy"],
  answers: readonly (readonly Detection[])[],
): readonly Detection[] {
  switch (strategy) {
    case "first":
      return answers.find((answer) => answer.length > 0) ?? [];
    case "union":
      return answers.flat();
    case "most":
      return best(answers, (answer) => [answer.length]) ?? [];
    case "most_unique":
      return best(answers, (answer) => [distinctLabels(answer)]) ?? [];
  }
}

/** The picture that wins (`frame_strategy`): of equals, the one that was looked at first. Null when nothing was found. */
export function winner<T extends { readonly detections: readonly Detection[] }>(
  strategy: DetectSettings["frameStrategy"],
  frames: readonly T[],
): T | null {
  const found = frames.filter(({ detections }) => detections.length > 0);
  switch (strategy) {
    case "first":
      return found[0] ?? null;
    case "most":
      return best(found, ({ detections }) => [detections.length]);
    case "most_unique":
      return best(found, ({ detections }) => [distinctLabels(detections)]);
    case "most_models":
      // As version 7: more models, then more detections, then surer ones.
      return best(found, ({ detections }) => [
        new Set(detections.map(({ model }) => model)).size,
        detections.length,
        detections.reduce((sum, { confidence }) => sum + confidence, 0),
      ]);
  }
}

/** The first of those with the highest rank; ranks are compared figure by figure. */
function best<T>(candidates: readonly T[], rank: (candidate: T) => readonly number[]): T | null {
  const [first = null, ...others] = candidates;
  return others.reduce<T | null>(
    (leader, each) => (leader === null || isHigher(rank(each), rank(leader)) ? each : leader),
    first,
  );
}

function isHigher(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((figure, index) => figure !== other[index]);
  return at >= 0 && (one[at] ?? 0) > (other[at] ?? 0);
}

function distinctLabels(detections: readonly Detection[]): number {
  return new Set(detections.map(({ label }) => canonicalLabel(label))).size;
}
