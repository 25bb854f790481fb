// How an alarm begins: its hook is asked where there is one, then it is told; or first told, and told anew after that.
import type { Alarm } from "../domain/alarm.ts";
import { createRefusals } from "../domain/briefing.ts";
import type { Decision } from "../domain/decision.ts";
import { hasAnswered, SKIPPED } from "../domain/hook.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { BriefingDeps } from "./briefings.ts";
import { type EventTextsDeps, noteAnswer, notesOf, tagAnswer } from "./event-texts.ts";
import { type HookTextOptions, withAnswer } from "./hook-text.ts";
import type { Job } from "./lanes.ts";
import type { Hooks } from "./ports.ts";
import type { Running } from "./running.ts";
import type { Telling } from "./telling.ts";

export interface BeginningsDeps extends EventTextsDeps, Pick<BriefingDeps, "control" | "isOldDialect"> {
  /** The section "customize". */
  readonly options: { readonly send_event_end_notification: boolean };
  readonly hook: EventTextsDeps["hook"] & HookTextOptions & { readonly notify_first: boolean };
  /** Absent: nothing is asked before alarms are told. */
  readonly hooks?: Hooks;
  /** Told once per alarm, after the sockets: counting and showing. */
  readonly onTold?: (alarms: readonly Alarm[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An alarm that begins, and why nobody is told of it, if so. */
export interface Beginning {
  readonly alarm: Alarm;
  readonly withheld: Decision["withheld"];
}

export interface Beginnings {
  /** What has to be waited for before it is told; null when that is nothing. `isOver`: nobody waits for its end. */
  job(beginning: Beginning, isOver: boolean): Job | null;
  /** Tells them as they are. */
  tell(beginnings: readonly Beginning[], areOver: boolean): void;
}

/**
 * ZoneMinder 1.37 and later leave the cause of a continuous event at this word; what moved is only in its notes
 * (zm_monitor.cpp from 1.37.7). No other alarm waits for the database.
 */
const CONTINUOUS = "Continuous";

export function createBeginnings(deps: BeginningsDeps, telling: Telling, running: Running): Beginnings {
  const { options, hook, hooks, control, clock, logger, onTold } = deps;

  return {
    job(beginning, isOver) {
      const { alarm, withheld } = beginning;
      const asks = withheld === null && hooks?.plan(alarm) === "run";
      if (!asks && !needsNotes(alarm)) return null;
      const ask = asks ? hooks.enter(alarm) : null;
      return async () => {
        const current = needsNotes(alarm) ? await withZones(alarm) : alarm;
        if (ask === null) {
          tell([{ alarm: current, withheld }], isOver);
          return;
        }
        if (hook.notify_first) tell([{ alarm: current, withheld }], isOver, true);
        const answered = withAnswer(current, await ask(current), hook, deps.isOldDialect);
        noteAnswer(answered, answered.hook, deps);
        tagAnswer(answered, answered.hook, deps);
        if (hook.notify_first) update(answered);
        else tell([{ alarm: answered, withheld }], isOver);
      };
    },
    tell,
  };

  function tell(beginnings: readonly Beginning[], areOver: boolean, isFirstStep = false): void {
    if (beginnings.length === 0) return;
    const begun = beginnings.map(({ alarm, withheld }) => begin(alarm, withheld));
    telling.tell(begun.map((each) => ({ ...each, atStart: undefined, isFirstStep })));
    for (const { alarm, withheld } of begun) logBeginning(alarm, withheld === null);
    const worth = begun.filter(({ withheld }) => withheld === null);
    if (worth.length > 0) onTold?.(worth.map(({ alarm }) => alarm));

    function begin(alarm: Alarm, withheld: Beginning["withheld"]) {
      const known: Alarm = {
        ...alarm,
        ...(hooks?.plan(alarm) === "skip" && { hook: SKIPPED }),
        ...(control?.of(alarm.monitor.id, clock.now()) === "muted" && { muted: true }),
      };
      const refusals = isAskedAgain() ? createRefusals() : null;
      if (!areOver) running.begin({ alarm: known, withheld, refusals });
      return { alarm: known, withheld, refusals };
    }
  }

  /** Whether anything will want to know who was refused: with thousands of clients that is megabytes. */
  function isAskedAgain(): boolean {
    return options.send_event_end_notification || hook.notify_first;
  }

  /** What was told at once, told anew with the answer of the hook. */
  function update(answered: Alarm): void {
    running.update(answered);
    if (!hasAnswered(answered.hook)) return;
    const begun = running.get(answered);
    const alarm: Alarm = { ...(begun?.alarm ?? answered), phase: "updated" };
    const refusals = begun?.refusals ?? null;
    telling.tell([{ alarm, withheld: null, refusals, atStart: undefined, isFirstStep: false }]);
  }

  function logBeginning(alarm: Alarm, isTold: boolean): void {
    const { eventId, monitor, cause, late } = alarm;
    const details = { monitor: monitor.id, event: eventId ?? 0, edge: alarm.edge, cause, late };
    const event = eventId ?? 0;
    if (isTold) logger.info(details, `New event ${event} reported for ${monitor.name}`);
    else logger.info(details, `Repeated alarm in event ${event} of ${monitor.name}: too soon to tell again`);
  }

  async function withZones(alarm: Alarm): Promise<Alarm> {
    const zones = (await notesOf(alarm, deps))?.replace(/^\s*Continuous:?\s*/, "").trim() ?? "";
    return zones === "" ? alarm : { ...alarm, cause: zones };
  }
}

function needsNotes({ cause, eventId }: Alarm): boolean {
  return cause === CONTINUOUS && eventId !== null;
}
