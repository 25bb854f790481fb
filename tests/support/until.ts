// Waits for a condition where vitest is not at hand: what tests and benches both start.
import { setInterval } from "node:timers/promises";

export interface Patience {
  readonly everyMs: number;
  readonly atMostMs: number;
  /** Looked at besides: nothing will come of it any more. */
  readonly isOver?: () => boolean;
}

/** True once it is so; false when the time was over first. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { everyMs, atMostMs, isOver = () => false }: Patience,
): Promise<boolean> {
  const deadline = performance.now() + atMostMs;
  if (await isSo()) return true;
  for await (const _ of setInterval(everyMs)) {
    if (isOver() || performance.now() >= deadline) break;
    if (await isSo()) return true;
  }
  return false;
}
