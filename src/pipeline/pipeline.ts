// What happens to an alarm, in order: repeats are held back, what must wait takes its monitor's lane, the rest is told.
import type { Alarm, AlarmId } from "../domain/alarm.ts";
import type { ToldMark } from "../domain/decision.ts";
import type { MonitorId } from "../domain/monitor.ts";
import { createRepeatGuard, type RepeatOptions } from "../domain/repeats.ts";
import { type Beginning, type BeginningsDeps, createBeginnings } from "./beginnings.ts";
import type { ListOptions, SwitchOptions } from "./channel-lists.ts";
import { createEnds, type EndsDeps } from "./ends.ts";
import { createLanes } from "./lanes.ts";
import type { Starts } from "./ports.ts";
import { createRunning } from "./running.ts";
import { createTelling, type TellingDeps } from "./telling.ts";

export interface PipelineDeps extends TellingDeps, BeginningsDeps, EndsDeps {
  /** The section "customize". */
  readonly options: RepeatOptions & SwitchOptions;
  /** The section "hook". */
  readonly hook: ListOptions & BeginningsDeps["hook"];
  /** Where beginnings of an earlier run are looked up; absent: nowhere. */
  readonly starts?: Starts;
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

/** Far more than any catch-up looks back over. */
const HANDLED_ALARMS = 10_000;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const repeats = createRepeatGuard(deps.options);
  const lanes = createLanes(deps.logger);
  const running = createRunning(deps.starts);
  const telling = createTelling(deps);
  const beginnings = createBeginnings(deps, telling, running);
  const ends = createEnds(deps, telling, running);
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
    marks: telling.marks,
    idle: lanes.idle,
  };

  function handle(alarms: readonly Alarm[], areOver: boolean): void {
    const begun: Beginning[] = [];
    const over: Alarm[] = [];
    for (const alarm of alarms) {
      handled.add(alarm.id);
      if (alarm.phase === "ended") end(alarm, over);
      else begin(alarm, areOver, begun);
    }
    forgetOldest();
    beginnings.tell(begun, areOver);
    telling.noteOver(over);
  }

  function begin(alarm: Alarm, isOver: boolean, ready: Beginning[]): void {
    const { id } = alarm.monitor;
    const beginning: Beginning = { alarm, withheld: isRepeat(alarm) ? "repeat" : null };
    const job = beginnings.job(beginning, isOver);
    if (job !== null) lanes.run(id, job);
    else if (lanes.isBusy(id)) lanes.run(id, async () => beginnings.tell([beginning], isOver));
    else ready.push(beginning);
  }

  function end(alarm: Alarm, ready: Alarm[]): void {
    const { id } = alarm.monitor;
    // Notes and hook are asked only where somebody may hear of it.
    const job = withheldLast.get(id) === alarm.id ? null : ends.job(alarm);
    if (job !== null) lanes.run(id, job);
    else if (lanes.isBusy(id)) lanes.run(id, async () => telling.noteOver([alarm]));
    else ready.push(alarm);
  }

  function isRepeat(alarm: Alarm): boolean {
    withheldLast.delete(alarm.monitor.id);
    if (repeats.isWorthTelling(alarm)) return false;
    withheldLast.set(alarm.monitor.id, alarm.id);
    return true;
  }

  function forgetOldest(): void {
    for (const id of handled) {
      if (handled.size <= HANDLED_ALARMS) break;
      handled.delete(id);
    }
  }
}
