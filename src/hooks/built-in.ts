// What a detector inside this program looks like to the hooks: it takes the place of a script.
import type { Alarm } from "../domain/alarm.ts";

export interface BuiltIn {
  /** Whether it looks at beginnings and ends. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
  /**
   * Looks at the event of an alarm. Never rejects. `printed`: what a script would have printed, empty when nothing was
   * found; `failed`: why nobody could look.
   */
  look(
    alarm: Alarm,
    signal: AbortSignal,
  ): Promise<{ readonly printed: string } | { readonly failed: string }>;
}

/** True when it is this alarm's hook. Without an event there is no picture to look at. */
export function looksAt(builtIn: BuiltIn | null, { phase, eventId }: Alarm): builtIn is BuiltIn {
  if (builtIn === null || eventId === null) return false;
  return phase === "ended" ? builtIn.atEnd : builtIn.atStart;
}

/** True when no script of this phase is run, whether or not there is anything to look at. */
export function replacesScript(builtIn: BuiltIn | null, { phase }: Alarm): boolean {
  return phase === "ended" ? builtIn?.atEnd === true : builtIn?.atStart === true;
}
