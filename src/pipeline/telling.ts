// Tells of alarms: the sockets at once, then everybody else is decided about and saved, with the mark of the monitor.
import type { Alarm } from "../domain/alarm.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import { type BriefingDeps, createBriefings, type Subject } from "./briefings.ts";
import { createDeciding, type DecidingDeps } from "./deciding.ts";
import type { LiveChannel, Marks } from "./ports.ts";
import { createToldMarks } from "./told-marks.ts";

export interface TellingDeps extends BriefingDeps, DecidingDeps {
  readonly live: LiveChannel;
  readonly marks: Marks;
}

/** An alarm as it is told, and why nobody is told of it, if so. */
interface ToTell extends Subject {
  readonly withheld: Decision["withheld"];
}

export interface Telling {
  /** The first slice is written before it returns. */
  tell(alarms: readonly ToTell[]): void;
  /** Nobody hears that these are over; it is kept for the next start. */
  noteOver(alarms: readonly Alarm[]): void;
  /** What was last told of each monitor: `before` brought up to date by what this run told. */
  marks(before: readonly ToldMark[]): readonly ToldMark[];
}

export function createTelling(deps: TellingDeps): Telling {
  const brief = createBriefings(deps);
  const deciding = createDeciding(deps);
  const told = createToldMarks();

  return {
    tell(alarms) {
      const briefed = alarms.map((each) => ({ ...each, ...brief(each) }));
      const worth = briefed.filter(({ withheld }) => withheld === null);
      if (worth.length > 0) deps.live.tell(worth.map(({ briefing }) => briefing)); // now, before any await
      const noted = briefed.map((each) => ({ ...each, own: told.note(each.alarm) }));
      // The mark goes to disk together with what was decided.
      deciding.add(
        noted.map(({ own, ...each }) => ({ ...each, mark: () => told.of(each.alarm.monitor.id) ?? own })),
      );
    },
    noteOver(alarms) {
      if (alarms.length > 0) deps.marks.put(alarms.map(told.note));
    },
    marks: told.after,
  };
}
