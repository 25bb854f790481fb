// Looks for alarms that nobody watched, once after the start and after every stall, and has them told late.
import type { Alarm } from "../domain/alarm.ts";
import type { ToldMark } from "../domain/decision.ts";
import type { Monitor, MonitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Marks } from "./ports.ts";

export interface MissedAlarmsDeps {
  /** What earlier runs told; a disk that hangs is not waited for: it follows when it answers. */
  readonly store: Marks & { marksBefore(): Promise<readonly ToldMark[]> };
  /** What began after the marks, as the database has it; throws while it is away. */
  readonly search: (monitors: readonly Monitor[], marks: readonly ToldMark[]) => Promise<readonly Alarm[]>;
  /** Hears of what was found before it is told. */
  readonly onFound: (alarms: readonly Alarm[]) => void;
  readonly pipeline: Pick<Pipeline, "marks" | "handleMissed">;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MissedAlarms extends Part {
  /** What was last told of each monitor, by this run or those before. */
  lastTold(): ReadonlyMap<MonitorId, ToldMark>;
  /** These are watched from now on. */
  monitorsAre(monitors: readonly Monitor[]): void;
  /** The database answers again. */
  databaseIsBack(): void;
  /** Nothing was watched for a while. */
  stalled(): void;
}

/** Alarms that run when the program starts are found by the first scans; what they belong to is known by then. */
const DELAY_MS = 1_500;
/** A search that failed is tried again ever more seldom, and at once when the database comes back. */
const RETRY_AT_MOST_MS = 30_000;
/** The store is open by then: these are a few rows. */
const MARKS_DEADLINE_MS = 500;

export function createMissedAlarms(deps: MissedAlarmsDeps): MissedAlarms {
  const { store, pipeline, clock, logger } = deps;
  let marks: readonly ToldMark[] = [];
  let watched: readonly Monitor[] = [];
  /** False while the disk hangs that knows what earlier runs told: nothing is looked for until then. */
  let areMarksKnown = false;
  let due = true;
  let timer: NodeJS.Timeout | null = null;
  let retryDelay = DELAY_MS;
  let isStopped = false;

  return {
    name: "catch-up",
    async start() {
      const before = store.marksBefore();
      const known = await within(before, MARKS_DEADLINE_MS);
      if (known === null) void before.then(begin);
      else begin(known);
    },
    async stop() {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
    lastTold: () => new Map(pipeline.marks(marks).map((mark) => [mark.monitor, mark])),
    monitorsAre(monitors) {
      watched = monitors;
      noteFirstWatched();
      searchIn(DELAY_MS);
    },
    databaseIsBack: () => searchIn(DELAY_MS),
    stalled() {
      // Nothing was looked for since the start yet: then that is still to be done, from where the last run ended.
      if (!due) marks = pipeline.marks(marks);
      due = true;
      searchIn(DELAY_MS);
    },
  };

  function begin(before: readonly ToldMark[]): void {
    marks = before;
    areMarksKnown = true;
    noteFirstWatched();
    searchIn(DELAY_MS);
  }

  /** From its first minute on a camera can have missed alarms, though none of it was ever told. */
  function noteFirstWatched(): void {
    if (!areMarksKnown) return;
    const known = new Set(marks.map((mark) => mark.monitor));
    const unknown = watched.filter(({ id }) => !known.has(id));
    const at = clock.now();
    const first = unknown.map(({ id }) => ({ monitor: id, event: null, edge: 0, at, open: false }));
    marks = [...marks, ...first];
    const told = new Set(pipeline.marks([]).map((mark) => mark.monitor));
    store.put(first.filter(({ monitor }) => !told.has(monitor)));
  }

  /** The live watcher reports what is running first; what it told is not told again. */
  function searchIn(delay: number): void {
    if (timer !== null) clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void search(), delay);
  }

  async function search(): Promise<void> {
    if (!due || !areMarksKnown || watched.length === 0) return;
    due = false;
    try {
      const missed = await deps.search(watched, marks);
      deps.onFound(missed);
      pipeline.handleMissed(missed);
      retryDelay = DELAY_MS;
    } catch (error) {
      due = true;
      logger.debug({ err: error }, "Missed alarms could not be looked for yet");
      retryDelay = Math.min(retryDelay * 2, RETRY_AT_MOST_MS);
      searchIn(retryDelay);
    }
  }
}
