// Remembers when each rule with a cooldown last let an alarm of a monitor through.
import type { MonitorId } from "./monitor.ts";
import type { RuleDecision } from "./rules.ts";

export interface RuleCooldowns {
  /** For RuleQuestion.lastToldAt. */
  of(monitor: MonitorId): (rule: string) => number | null;
  /**
   * An alarm of the monitor was told to somebody, with this decision. `at` is when it was seen (RuleQuestion.at):
   * its other recipients, which have the same moment, are still told.
   */
  told(monitor: MonitorId, decision: RuleDecision, at: number): void;
}

export function createRuleCooldowns(): RuleCooldowns {
  const lastTold = new Map<string, number>();
  return {
    of: (monitor) => (rule) => lastTold.get(`${monitor} ${rule}`) ?? null,
    told(monitor, { rule, hasCooldown }, at) {
      if (!hasCooldown || rule === null) return;
      const key = `${monitor} ${rule}`;
      lastTold.delete(key); // so that the oldest stays in front
      lastTold.set(key, at);
      if (lastTold.size > REMEMBERED) lastTold.delete(lastTold.keys().next().value ?? "");
    },
  };
}

/** 500 cameras with twenty such rules each. Names change when comments are edited, and must not pile up. */
const REMEMBERED = 10_000;
