// What happens to an alarm, in order: ask its hook where there is one, tell the sockets, then decide and save.
import type { Alarm, AlarmId } from "../domain/alarm.ts";
import { createRefusals } from "../domain/briefing.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import { type HookOutcome, hasAnswered, SKIPPED, saysYes } from "../domain/hook.ts";
import { labelsOf } from "../domain/labels.ts";
import type { MonitorId } from "../domain/monitor.ts";
import { createRepeatGuard, type RepeatOptions } from "../domain/repeats.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import { type BriefingDeps, createBriefings } from "./briefings.ts";
import type { ListOptions, SwitchOptions } from "./channel-lists.ts";
import { createDeciding } from "./deciding.ts";
import {
  causeOfEnd,
  endWithAnswer,
  type HookTextOptions,
  notesOfEnd,
  toldText,
  withAnswer,
  withoutMark,
} from "./hook-text.ts";
import { createLanes } from "./lanes.ts";
import type {
  DurableRecipients,
  EventLookup,
  EventNotes,
  Hooks,
  LiveChannel,
  Marks,
  Outbox,
  Starts,
} from "./ports.ts";
import { type Begun, createRunning } from "./running.ts";

export interface PipelineDeps extends BriefingDeps {
  /** The section "customize". */
  readonly options: RepeatOptions & SwitchOptions;
  /** The section "hook". */
  readonly hook: ListOptions &
    HookTextOptions & { readonly notify_first: boolean; readonly tag_detected_objects: boolean };
  readonly live: LiveChannel;
  readonly marks: Marks;
  /** Where beginnings of an earlier run are looked up; absent: nowhere. */
  readonly starts?: Starts;
  readonly recipients: DurableRecipients;
  readonly outbox: Outbox;
  readonly events: EventLookup;
  /** Absent: nothing is asked before alarms are told. */
  readonly hooks?: Hooks;
  readonly notes?: EventNotes;
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
  /** Resolves once no alarm waits for a hook or the database. */
  idle(): Promise<void>;
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
/** Of an alarm that ended while the program was away: one that began longer ago is nobody's news any more. */
const OLDEST_LATE_END_MS = 86_400_000;

/** An alarm on its way, and why nobody is told of it, if so. */
interface Item {
  readonly alarm: Alarm;
  readonly withheld: Decision["withheld"];
}

type Job = () => Promise<void>;
type Ask = ReturnType<Hooks["enter"]>;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { options, hook, hooks, live, marks, events, notes, onTold, clock, logger } = deps;
  const repeats = createRepeatGuard(options);
  const brief = createBriefings(deps);
  const deciding = createDeciding(deps);
  const lanes = createLanes(logger);
  const running = createRunning(deps.starts);
  const told = new Map<MonitorId, ToldMark>();
  /** Alarms of this run that were handled, newest last. */
  const handled = new Set<AlarmId>();
  /** Of each monitor, the last alarm if it was withheld. */
  const withheldLast = new Map<MonitorId, AlarmId>();

  return {
    handle: (alarms) => handle(alarms, false),
    handleMissed: (alarms) =>
      handle(
        alarms.filter(({ id }) => !handled.has(id)),
        true,
      ),
    marks: (before) => [
      ...new Map([...before.map((mark) => [mark.monitor, mark] as const), ...told]).values(),
    ],
    idle: lanes.idle,
  };

  function handle(alarms: readonly Alarm[], areOver: boolean): void {
    const ready: Item[] = [];
    for (const alarm of alarms) {
      handled.add(alarm.id);
      const item: Item = { alarm, withheld: isRepeat(alarm) ? "repeat" : null };
      const job = alarm.phase === "ended" ? endJob(alarm) : startJob(item, areOver);
      if (job !== null) lanes.run(alarm.monitor.id, job);
      else if (lanes.isBusy(alarm.monitor.id)) lanes.run(alarm.monitor.id, async () => tell([item], areOver));
      else ready.push(item);
    }
    forgetOldest();
    tell(ready, areOver);
  }

  function isRepeat(alarm: Alarm): boolean {
    if (alarm.phase !== "started") return false;
    withheldLast.delete(alarm.monitor.id);
    if (repeats.isWorthTelling(alarm)) return false;
    withheldLast.set(alarm.monitor.id, alarm.id);
    return true;
  }

  /** What has to be waited for before the beginning is told; null when that is nothing. */
  function startJob(item: Item, isOver: boolean): Job | null {
    const { alarm, withheld } = item;
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
      annotate(answered);
      if (hook.notify_first) update(answered);
      else tell([{ alarm: answered, withheld }], isOver);
    };
  }

  /** The same for an end: notes and hook are asked only where somebody may hear of it. */
  function endJob(alarm: Alarm): Job | null {
    if (withheldLast.get(alarm.monitor.id) === alarm.id) return null;
    const asks = hooks?.plan(alarm) === "run";
    // What an earlier run wrote into the notes is overwritten when the event is closed.
    const isUnknown = hook.use_hook_description && notes !== undefined && running.get(alarm) === null;
    if (!asks && !options.send_event_end_notification && !isUnknown) return null;
    const since = clock.monotonic();
    return async () => {
      const begun = await running.end(alarm);
      note(alarm, begun.alarm.hook);
      // An end waits for the hook of its own beginning, however long that takes.
      const ask = asks ? hooks.enter(alarm, hasAnswered(begun.alarm.hook) ? undefined : since) : null;
      if (ask === null && !options.send_event_end_notification) {
        marks.put([remember(alarm)]);
        return;
      }
      const ended = await heardOut(alarm, begun.alarm, ask);
      const isOld = clock.now() - begun.alarm.seenAt > OLDEST_LATE_END_MS && alarm.late;
      const isQuiet = begun.withheld !== null || !options.send_event_end_notification;
      tellEnd(ended, begun, isOld || isQuiet);
    };
  }

  /** The end as it is told: with the notes of its event, what the hook said of the beginning, and of the end. */
  async function heardOut(alarm: Alarm, begun: Alarm, ask: Ask | null): Promise<Alarm> {
    const startText = toldText(begun.hook, hook);
    const cause = causeOfEnd(alarm.cause || begun.cause, await notesOf(alarm), startText);
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

  function tell(items: readonly Item[], areOver: boolean, isFirstStep = false): void {
    if (items.length === 0) return;
    const started = items.filter(({ alarm }) => alarm.phase === "started").map(begin);
    const worth = started.filter(({ withheld }) => withheld === null);
    if (worth.length > 0) live.tell(worth.map(({ briefing }) => briefing)); // now, before any await
    decideOn(started);
    const over = items.filter(({ alarm }) => alarm.phase === "ended").map(({ alarm }) => remember(alarm));
    if (over.length > 0) marks.put(over);
    for (const { alarm, withheld } of started) logAlarm(alarm, withheld === null);
    if (worth.length > 0) onTold?.(worth.map(({ alarm }) => alarm));

    function begin({ alarm, withheld }: Item) {
      const known: Alarm = {
        ...alarm,
        ...(hooks?.plan(alarm) === "skip" && { hook: SKIPPED }),
        ...(deps.control?.of(alarm.monitor.id, clock.now()) === "muted" && { muted: true }),
      };
      const refusals = isAskedAgain() ? createRefusals() : null;
      if (!areOver) running.begin({ alarm: known, withheld, refusals });
      return {
        alarm: known,
        withheld,
        ...brief({ alarm: known, refusals, atStart: undefined, isFirstStep }),
      };
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
    const briefed = brief({ alarm, refusals, atStart: undefined, isFirstStep: false });
    live.tell([briefed.briefing]);
    decideOn([{ alarm, withheld: null, ...briefed }]);
  }

  function tellEnd(alarm: Alarm, begun: Begun, isWithheld: boolean): void {
    if (isWithheld) {
      marks.put([remember(alarm)]);
      return;
    }
    const { refusals } = begun;
    const briefed = brief({ alarm, refusals, atStart: begun.alarm.hook, isFirstStep: false });
    live.tell([briefed.briefing]);
    decideOn([{ alarm, withheld: null, ...briefed }]);
    logger.info(
      { monitor: alarm.monitor.id, event: alarm.eventId ?? 0, edge: alarm.edge, cause: alarm.cause },
      `Event ${alarm.eventId ?? 0} of ${alarm.monitor.name} has ended`,
    );
  }

  /** The mark goes to disk together with what was decided. */
  function decideOn(briefed: readonly (Item & ReturnType<typeof brief>)[]): void {
    const undecided = briefed.map(({ alarm, ...rest }) => ({ ...rest, mark: remember(alarm), alarm }));
    deciding.add(
      undecided.map((each) => ({ ...each, mark: () => told.get(each.alarm.monitor.id) ?? each.mark })),
    );
  }

  /** The notes of the event and its tags say what the hook found. */
  function annotate(alarm: Alarm): void {
    const { eventId, hook: answer } = alarm;
    note(alarm, answer);
    if (eventId === null || answer === undefined || !saysYes(answer)) return;
    if (hook.tag_detected_objects) notes?.tag(eventId, labelsOf(answer.json));
  }

  /** As often as one likes: what stands there is not written again. */
  function note({ eventId }: Alarm, answer: HookOutcome | undefined): void {
    if (eventId === null || answer === undefined || !saysYes(answer)) return;
    if (hook.use_hook_description) notes?.prepend(eventId, answer.text);
  }

  /** Gives the mark that is to be kept of the alarm's monitor. */
  function remember(alarm: Alarm): ToldMark {
    const { monitor, eventId, edge, seenAt, late, phase } = alarm;
    const last = told.get(monitor.id);
    // A missed alarm may be found when a newer one was told already: the mark stays with the newer one.
    if (late && eventId !== null && last !== undefined && eventId < (last.event ?? 0)) return last;
    const mark = { monitor: monitor.id, event: eventId, edge, at: seenAt, open: phase !== "ended" };
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

  async function withZones(alarm: Alarm): Promise<Alarm> {
    const zones = (await notesOf(alarm))?.replace(/^\s*Continuous:?\s*/, "").trim() ?? "";
    return zones === "" ? alarm : { ...alarm, cause: zones };
  }

  async function notesOf({ eventId }: Alarm): Promise<string | null> {
    return eventId === null ? null : within(events.notes(eventId), NOTES_DEADLINE_MS);
  }
}

function needsNotes(alarm: Alarm): boolean {
  return alarm.phase === "started" && alarm.cause === CONTINUOUS && alarm.eventId !== null;
}
