// Remembers of each alarm that is running what its end will need; what an earlier run told is asked of the store.
import type { Alarm } from "../domain/alarm.ts";
import { createRefusals, type Refusals } from "../domain/briefing.ts";
import type { Decision } from "../domain/decision.ts";
import type { MonitorId } from "../domain/monitor.ts";
import { within } from "../lib/within.ts";
import type { Starts } from "./ports.ts";

/** The beginning of an alarm, as it was told. */
export interface Begun {
  readonly alarm: Alarm;
  readonly withheld: Decision["withheld"];
  /** null: they were not asked for when it began. */
  readonly refusals: Refusals | null;
}

export interface Running {
  /** One alarm of a monitor at a time. */
  begin(begun: Begun): void;
  /** The same alarm with what its hook said. */
  update(alarm: Alarm): void;
  get(alarm: Alarm): Begun | null;
  /** Takes the beginning of an alarm that is over. Without one, everybody counts as told. */
  end(alarm: Alarm): Promise<Begun>;
}

/** A store that hangs must not keep an end back. */
const STORE_DEADLINE_MS = 1_000;

export function createRunning(starts: Starts | undefined): Running {
  const known = new Map<MonitorId, Begun>();
  const find = ({ id, monitor }: Alarm): Begun | null => {
    const begun = known.get(monitor.id);
    return begun?.alarm.id === id ? begun : null;
  };

  return {
    begin: (begun) => void known.set(begun.alarm.monitor.id, begun),
    update(alarm) {
      const begun = find(alarm);
      if (begun !== null) known.set(alarm.monitor.id, { ...begun, alarm: { ...begun.alarm, ...alarm } });
    },
    get: find,
    async end(alarm) {
      const begun = find(alarm);
      if (begun !== null) {
        known.delete(alarm.monitor.id);
        return begun;
      }
      const stored = starts && (await within(starts.startOf(alarm.id), STORE_DEADLINE_MS));
      if (!stored) return { alarm, withheld: null, refusals: null };
      return { ...stored, refusals: createRefusals(stored.refused) };
    },
  };
}
