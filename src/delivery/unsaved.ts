// Decisions that were sent without the disk: they are kept for the moment when it can be written again.
import type { Decision } from "../domain/decision.ts";
import type { Logger } from "../lib/log.ts";
import { type Entry, entriesFor } from "./lane.ts";

export interface Unsaved {
  /** Gives the notices that there is room for, to be sent from memory; says what was not saved. */
  take(decisions: readonly Decision[], room: number): readonly Kept[];
  /** Keeps them until `takeAll`, as far as memory allows. */
  keep(kept: readonly Kept[]): void;
  /** Everything that was kept; whoever cannot save it gives it back. */
  takeAll(): readonly Kept[];
  counts(): { readonly unsaved: number; readonly lost: number };
}

/** A decision with its notices on their way. */
export interface Kept {
  readonly decision: Decision;
  readonly entries: readonly Entry[];
}

/** Verdicts in memory while the disk refuses, a few hundred bytes each; beyond it the history has a gap. */
const VERDICTS = 10_000;

export function createUnsaved(logger: Logger): Unsaved {
  let waiting: Kept[] = [];
  let verdicts = 0;
  let unsaved = 0;
  let lost = 0;

  return {
    take(decisions, room) {
      let left = room;
      return decisions.map((decision) => {
        const notices = decision.notices.slice(0, Math.max(0, left));
        left -= notices.length;
        unsaved += notices.length;
        lost += decision.notices.length - notices.length;
        report(decision, notices.length);
        return { decision, entries: entriesFor(notices, []) };
      });
    },
    keep(kept) {
      for (const each of kept) {
        const { decision, entries } = each;
        const weight = 1 + decision.verdicts.length;
        // Notices that found no room were lost: as pending ones in the file they would be a lie.
        if (entries.length < decision.notices.length || verdicts + weight > VERDICTS) continue;
        verdicts += weight;
        waiting.push(each);
      }
    },
    takeAll() {
      const all = waiting;
      [waiting, verdicts] = [[], 0];
      return all;
    },
    counts: () => ({ unsaved, lost }),
  };

  function report({ alarm, notices }: Decision, taken: number): void {
    if (notices.length === 0) return;
    const details = { alarm: alarm.id, notices: taken, lost: notices.length - taken };
    logger.warn(details, "Notices could not be saved: they are sent from memory, unsaved");
  }
}
