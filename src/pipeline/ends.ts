// How an alarm ends: what its beginning left behind is looked up, its hook is asked, and whoever heard of it is told.
import type { Alarm } from "../domain/alarm.ts";
import { hasAnswered, SKIPPED } from "../domain/hook.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { type EventTextsDeps, noteAnswer, notesOf } from "./event-texts.ts";
import {
  causeOfEnd,
  endWithAnswer,
  type HookTextOptions,
  notesOfEnd,
  toldText,
  withoutMark,
} from "./hook-text.ts";
import type { Job } from "./lanes.ts";
import type { Hooks } from "./ports.ts";
import type { Begun, Running } from "./running.ts";
import type { Telling } from "./telling.ts";

export interface EndsDeps extends EventTextsDeps {
  /** The section "customize". */
  readonly options: { readonly send_event_end_notification: boolean };
  readonly hook: EventTextsDeps["hook"] & HookTextOptions;
  /** Absent: nothing is asked before ends are told. */
  readonly hooks?: Hooks;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Ends {
  /** What has to be done before it is told; null when nobody is told, and it is only to be noted. */
  job(alarm: Alarm): Job | null;
}

/** Of an alarm that ended while the program was away: one that began longer ago is nobody's news any more. */
const OLDEST_LATE_END_MS = 86_400_000;

type Ask = ReturnType<Hooks["enter"]>;

export function createEnds(deps: EndsDeps, telling: Telling, running: Running): Ends {
  const { options, hook, hooks, notes, clock, logger } = deps;

  return {
    job(alarm) {
      const asks = hooks?.plan(alarm) === "run";
      // What an earlier run wrote into the notes is overwritten when the event is closed.
      const isUnknown = hook.use_hook_description && notes !== undefined && running.get(alarm) === null;
      if (!asks && !options.send_event_end_notification && !isUnknown) return null;
      const since = clock.monotonic();
      return async () => {
        const begun = await running.end(alarm);
        noteAnswer(alarm, begun.alarm.hook, deps);
        // An end waits for the hook of its own beginning, however long that takes.
        const ask = asks ? hooks.enter(alarm, hasAnswered(begun.alarm.hook) ? undefined : since) : null;
        if (ask === null && !options.send_event_end_notification) {
          telling.noteOver([alarm]);
          return;
        }
        const ended = await heardOut(alarm, begun.alarm, ask);
        const isOld = clock.now() - begun.alarm.seenAt > OLDEST_LATE_END_MS && alarm.late;
        const isQuiet = begun.withheld !== null || !options.send_event_end_notification;
        if (isOld || isQuiet) telling.noteOver([ended]);
        else tell(ended, begun);
      };
    },
  };

  /** The end as it is told: with the notes of its event, what the hook said of the beginning, and of the end. */
  async function heardOut(alarm: Alarm, begun: Alarm, ask: Ask | null): Promise<Alarm> {
    const startText = toldText(begun.hook, hook);
    const cause = causeOfEnd(alarm.cause || begun.cause, await notesOf(alarm, deps), startText);
    const ended: Alarm = {
      ...alarm,
      cause,
      ...(hooks?.plan(alarm) === "skip" && { hook: SKIPPED }),
      ...(begun.muted && { muted: true }),
    };
    const shown = { ...ended, cause: withoutMark(cause, hook) };
    if (ask === null) return shown;
    const answer = await ask(ended);
    if (alarm.eventId !== null) notes?.prepend(alarm.eventId, notesOfEnd(cause, answer, hook));
    return endWithAnswer(shown, answer, hook);
  }

  function tell(alarm: Alarm, { alarm: { hook: atStart }, refusals }: Begun): void {
    telling.tell([{ alarm, withheld: null, refusals, atStart, isFirstStep: false }]);
    const { monitor, eventId, edge, cause } = alarm;
    logger.info(
      { monitor: monitor.id, event: eventId ?? 0, edge, cause },
      `Event ${eventId ?? 0} of ${monitor.name} has ended`,
    );
  }
}
