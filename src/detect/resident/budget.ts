// The time of one job: so long for waiting, so long for work, counted apart.
import type { Clock } from "../../lib/clock.ts";

export type BudgetUse = "waiting" | "working";

export interface Budget {
  /** From now on this is what time is spent on. */
  use(on: BudgetUse): void;
  /** Begins anew for one of the two; counts again from the next `use`. */
  refill(on: BudgetUse): void;
  /** Nothing is counted any more. */
  end(): void;
}

/** `onSpent` is called once, when one of the two is used up. Nothing counts before the first `use`. */
export function createBudget(
  limitsMs: Readonly<Record<BudgetUse, number>>,
  clock: Clock,
  onSpent: (on: BudgetUse) => void,
): Budget {
  const left = { ...limitsMs };
  let current: { readonly on: BudgetUse; readonly since: number; readonly timer: NodeJS.Timeout } | null =
    null;

  const settle = (): void => {
    if (current === null) return;
    clearTimeout(current.timer);
    left[current.on] -= clock.monotonic() - current.since;
    current = null;
  };
  return {
    use(on) {
      if (current?.on === on) return;
      settle();
      const timer = setTimeout(onSpent, Math.max(0, left[on]), on);
      current = { on, since: clock.monotonic(), timer };
    },
    refill(on) {
      settle();
      left[on] = limitsMs[on];
    },
    end: settle,
  };
}
