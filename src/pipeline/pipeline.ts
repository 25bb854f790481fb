// What happens to an alarm, in order: enrich where that is needed, tell the sockets, then decide and save.
import type { Alarm, AlarmId } from "../domain/alarm.ts";
import type { ToldMark } from "../domain/decision.ts";
import type { MonitorId } from "../domain/monitor.ts";
import { createRepeatGuard, type RepeatOptions } from "../domain/repeats.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import { createDeciding } from "./deciding.ts";
import { createLanes } from "./lanes.ts";
import type { DurableRecipients, EventLookup, LiveChannel, Marks, Outbox } from "./ports.ts";

export interface PipelineDeps {
  readonly options: RepeatOptions;
  readonly live: LiveChannel;
  readonly marks: Marks;
  readonly recipients: DurableRecipients;
  readonly outbox: Outbox;
  readonly events: EventLookup;
  /** Told once per alarm, after the sockets: counting and showing. */
  readonly onTold?: (alarms: readonly Alarm[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Pipeline {
  /** Takes all alarms of one scan. What needs nothing is told before it returns. */
  handle(alarms: readonly Alarm[]): void;
  /** Takes alarms found in the database after the fact; those already told in this run are dropped. */
  handleMissed(alarms: readonly Alarm[]): void;
  /** What was last told of each monitor: `before` brought up to date by what this run told. */
  marks(before: readonly ToldMark[]): readonly ToldMark[];
}

/**
 * ZoneMinder 1.37 and later leave the cause of a continuous event at this word; what moved is only in its notes
 * (zm_monitor.cpp from 1.37.7). No other alarm waits for the database.
 */
const CONTINUOUS = "Continuous";

/** Zones are welcome, but no alarm waits longer than this for them. */
const NOTES_DEADLINE_MS = 300;
/** Far more than any catch-up looks back over. */
const HANDLED_ALARMS = 10_000;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { options, live, marks, events, onTold, logger } = deps;
  const repeats = createRepeatGuard(options);
  const deciding = createDeciding(deps);
  const lanes = createLanes(logger);
  const told = new Map<MonitorId, ToldMark>();
  /** Alarms of this run that were handled, newest last. */
  const handled = new Set<AlarmId>();

  return {
    handle,
    handleMissed: (alarms) => handle(alarms.filter(({ id }) => !handled.has(id))),
    marks: (before) => [
      ...new Map([...before.map((mark) => [mark.monitor, mark] as const), ...told]).values(),
    ],
  };

  function handle(alarms: readonly Alarm[]): void {
    const ready: Alarm[] = [];
    for (const alarm of alarms) {
      if (needsNotes(alarm)) lanes.run(alarm.monitor.id, async () => tell([await withNotes(alarm)]));
      else if (lanes.isBusy(alarm.monitor.id)) lanes.run(alarm.monitor.id, async () => tell([alarm]));
      else ready.push(alarm);
    }
    tell(ready);
  }

  function tell(alarms: readonly Alarm[]): void {
    if (alarms.length === 0) return;
    const started = alarms.filter((alarm) => alarm.phase === "started");
    const worth = new Set(started.filter((alarm) => repeats.isWorthTelling(alarm)));
    if (worth.size > 0) live.tell([...worth]); // now, before any await
    const remembered = alarms.map((alarm) => ({ alarm, mark: remember(alarm) }));
    forgetOldest();
    // The mark of a start goes to disk together with what was decided about it.
    deciding.add(
      remembered
        .filter(({ alarm }) => alarm.phase === "started")
        .map(({ alarm, mark }) => ({
          alarm,
          mark: () => told.get(alarm.monitor.id) ?? mark,
          withheld: worth.has(alarm) ? null : "repeat",
        })),
    );
    const over = remembered.filter(({ alarm }) => alarm.phase === "ended");
    if (over.length > 0) marks.put(over.map(({ mark }) => mark));
    for (const alarm of started) logAlarm(alarm, worth.has(alarm));
    if (worth.size > 0) onTold?.([...worth]);
  }

  /** Gives the mark that is to be kept of the alarm's monitor. */
  function remember(alarm: Alarm): ToldMark {
    const { id, monitor, eventId, edge, seenAt, late, phase } = alarm;
    const last = told.get(monitor.id);
    handled.add(id);
    // A missed alarm may be found when a newer one was told already: the mark stays with the newer one.
    if (late && eventId !== null && last !== undefined && eventId < (last.event ?? 0)) return last;
    const mark = { monitor: monitor.id, event: eventId, edge, at: seenAt, open: phase === "started" };
    told.set(monitor.id, mark);
    return mark;
  }

  function forgetOldest(): void {
    for (const id of handled) {
      if (handled.size <= HANDLED_ALARMS) break;
      handled.delete(id);
    }
  }

  function logAlarm(alarm: Alarm, isTold: boolean): void {
    const { eventId, monitor, cause, late } = alarm;
    const details = { monitor: monitor.id, event: eventId ?? 0, edge: alarm.edge, cause, late };
    if (isTold) logger.info(details, `New event ${eventId ?? 0} reported for ${monitor.name}`);
    else
      logger.info(
        details,
        `Repeated alarm in event ${eventId ?? 0} of ${monitor.name}: too soon to tell again`,
      );
  }

  async function withNotes(alarm: Alarm): Promise<Alarm> {
    const notes =
      alarm.eventId === null ? null : await within(events.notes(alarm.eventId), NOTES_DEADLINE_MS);
    const zones = notes?.replace(/^\s*Continuous:?\s*/, "").trim() ?? "";
    return zones === "" ? alarm : { ...alarm, cause: zones };
  }
}

function needsNotes(alarm: Alarm): boolean {
  return alarm.phase === "started" && alarm.cause === CONTINUOUS && alarm.eventId !== null;
}
