// Of several boxes round the same thing, keeps the strongest (non-maximum suppression).
import type { Candidate } from "./layouts/layout.ts";

/** Boxes of the same label that share more than this with a stronger one are left out. As the original's. */
const MAX_OVERLAP = 0.4;
/** Nobody's picture holds as many things; a broken model's would take seconds. */
const MAX_CANDIDATES = 3000;

/** Strongest first. Different labels do not suppress each other: a person in front of a car stays. */
export function suppress(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of strongestFirst(candidates)) {
    const isCovered = kept.some(
      (other) => other.label === candidate.label && overlap(other, candidate) > MAX_OVERLAP,
    );
    if (!isCovered) kept.push(candidate);
  }
  return kept;
}

/** At most 3000 of them. */
export function strongestFirst(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => b.score - a.score).slice(0, MAX_CANDIDATES);
}

/** Common area, divided by the area that either covers (intersection over union). */
function overlap(a: Candidate, b: Candidate): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (area(a) + area(b) - common);
}

function area({ x1, y1, x2, y2 }: Candidate): number {
  return (x2 - x1) * (y2 - y1);
}
