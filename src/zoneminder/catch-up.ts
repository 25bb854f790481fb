// Finds alarms that came, or came and went, while nobody watched: taken from ZoneMinder's events and their frames.
import { type Alarm, alarmId, type EventId, eventId } from "../domain/alarm.ts";
import type { Monitor, MonitorId } from "../domain/monitor.ts";
import type { Queries } from "./database.ts";
import { eventTimes } from "./events.ts";
import type { Schema } from "./schema.ts";

/** What was last told of a monitor. */
export interface LastTold {
  readonly monitor: MonitorId;
  readonly event: EventId | null;
  readonly edge: number;
  /** ms since 1970 */
  readonly at: number;
}

export interface CatchUpQuestion {
  readonly database: Queries;
  readonly schema: Schema;
  readonly monitors: readonly Monitor[];
  /** At most one of each monitor. A monitor without one was never watched before, so nothing of it was missed. */
  readonly marks: readonly LastTold[];
  /** ms since 1970 */
  readonly now: number;
  /** Alarms that began longer ago than this many seconds are not told any more. */
  readonly maxAge: number;
}

/**
 * One late alarm for each event that holds an alarm later than the mark of its monitor, oldest first, and one with
 * the next edge where the marked event itself went on to hold another alarm. An alarm that still runs is among them:
 * the caller leaves out events of which the watcher has told by then. Throws DatabaseUnavailable.
 */
export async function missedAlarms(question: CatchUpQuestion): Promise<readonly Alarm[]> {
  const marks = new Map(question.marks.map((mark) => [mark.monitor, mark]));
  const watched = question.monitors.filter(({ id }) => marks.has(id));
  const events = watched.length === 0 ? [] : await readEvents(question, watched);
  const seconds = await readAlarmSeconds(question.database, events);
  const oldest = question.now / 1000 - question.maxAge;
  return events
    .flatMap((event) => {
      const mark = marks.get(event.MonitorId);
      const runs = alarmRuns(event, seconds.get(event.Id) ?? []);
      if (mark?.event === event.Id && isOneAlarm(event, watched, question.schema)) return [];
      const run = mark && runs.find((begin) => begin >= oldest && isNew(event, begin, mark));
      return run === undefined || !mark ? [] : [{ event, begin: run, mark }];
    })
    .sort((a, b) => a.begin - b.begin || a.event.Id - b.event.Id)
    .flatMap(({ event, mark }) => toAlarm(event, mark, watched, question.now) ?? []);
}

interface EventRow {
  readonly Id: number;
  readonly MonitorId: MonitorId;
  readonly Cause: string | null;
  /** Seconds since 1970. */
  readonly Start: number;
  readonly IsOpen: number;
  readonly AlarmFrames: number | null;
  readonly PostEventCount: number;
  readonly AlarmFrameCount: number;
}

/** The frames with a score of one second of an event. */
interface AlarmSecond {
  readonly EventId: number;
  /** Seconds since 1970. */
  readonly At: number;
  readonly First: number;
  readonly Last: number;
  readonly Frames: number;
}

/** Events are stored in local time: an hour that happens twice must not hide them. Frames say the exact time. */
const CLOCK_SLACK_S = 2 * 3600;
/** Continuous events are cut at SectionLength, which nobody sets to more than a day. */
const LONGEST_EVENT_S = 2 * 86_400;
/** Keeps each query well inside the time limit. */
const EVENTS_PER_QUERY = 50;
/** Alarms inside one event closer together than this are one: the clock of `Frames` ticks in seconds. */
const SHORTEST_PAUSE_S = 2;

// Everything is compared inside the server, so that its time zone and the one of the rows are the same.
function readEvents(
  { database, schema, maxAge }: CatchUpQuestion,
  watched: readonly Monitor[],
): Promise<EventRow[]> {
  const { start, end } = eventTimes(schema);
  return database.query<EventRow>(
    `SELECT E.Id, E.MonitorId, E.Cause, UNIX_TIMESTAMP(E.${start}) AS Start, E.${end} IS NULL AS IsOpen, E.AlarmFrames,
       M.PostEventCount, M.AlarmFrameCount
     FROM Events E JOIN Monitors M ON M.Id = E.MonitorId
     WHERE E.MonitorId IN (${watched.map(() => "?").join()}) AND E.${start} >= NOW() - INTERVAL ? SECOND
       AND (E.${end} IS NULL OR E.${end} >= NOW() - INTERVAL ? SECOND) ORDER BY E.Id`,
    [...watched.map(({ id }) => id), LONGEST_EVENT_S + maxAge, CLOCK_SLACK_S + maxAge],
  );
}

async function readAlarmSeconds(
  database: Queries,
  events: readonly EventRow[],
): Promise<Map<number, AlarmSecond[]>> {
  const seconds = new Map<number, AlarmSecond[]>();
  for (let from = 0; from < events.length; from += EVENTS_PER_QUERY) {
    const ids = events.slice(from, from + EVENTS_PER_QUERY).map(({ Id }) => Id);
    const rows = await database.query<AlarmSecond>(
      `SELECT EventId, UNIX_TIMESTAMP(TimeStamp) AS At, MIN(FrameId) AS First, MAX(FrameId) AS Last, COUNT(*) AS Frames
       FROM Frames WHERE EventId IN (${ids.map(() => "?").join()}) AND Type = 'Alarm'
       GROUP BY EventId, TimeStamp ORDER BY EventId, TimeStamp`,
      ids,
    );
    for (const row of rows) {
      const known = seconds.get(row.EventId);
      if (known) known.push(row);
      else seconds.set(row.EventId, [row]);
    }
  }
  return seconds;
}

/**
 * When each alarm of the event began, in seconds since 1970. ZoneMinder ends an alarm after PostEventCount frames
 * without score, and begins none before AlarmFrameCount frames with one (Monitor::Analyse, all versions).
 */
function alarmRuns(event: EventRow, seconds: readonly AlarmSecond[]): number[] {
  const runs: { begin: number; frames: number }[] = [];
  let previous: AlarmSecond | null = null;
  for (const second of seconds) {
    const run = runs.at(-1);
    const isPause =
      previous !== null &&
      second.First - previous.Last > event.PostEventCount &&
      second.At - previous.At >= SHORTEST_PAUSE_S;
    if (run === undefined || isPause) runs.push({ begin: second.At, frames: second.Frames });
    else run.frames += second.Frames;
    previous = second;
  }
  const begins = runs.filter(({ frames }) => frames >= event.AlarmFrameCount).map(({ begin }) => begin);
  // A closed event that counts alarm frames whose rows are gone: its own begin is the best that is known.
  const isBare = seconds.length === 0 && event.IsOpen === 0 && (event.AlarmFrames ?? 0) > 0;
  return isBare ? [event.Start] : begins;
}

/**
 * Up to 1.36 an event on motion ends with its alarm, which stays in ALERT until MinSectionLength however long nothing
 * moves; later releases go to IDLE at once and may begin another alarm in the open event (Monitor::Analyse).
 */
function isOneAlarm(event: EventRow, watched: readonly Monitor[], schema: Schema): boolean {
  const recording = watched.find(({ id }) => id === event.MonitorId)?.recording;
  return recording === "on-motion" && !schema.has("Monitors", "Capturing");
}

function isNew(event: EventRow, begin: number, mark: LastTold): boolean {
  const isAfter = begin * 1000 > mark.at;
  // Without an event to compare with, the same second may be before or after; better told twice than never.
  if (mark.event === null) return (begin + 1) * 1000 > mark.at;
  // A later event is new even in the same second; an earlier number means that ZoneMinder's counting began anew.
  return event.Id > mark.event || isAfter;
}

function toAlarm(event: EventRow, mark: LastTold, watched: readonly Monitor[], now: number): Alarm | null {
  const monitor = watched.find(({ id }) => id === event.MonitorId);
  const id = eventId(event.Id);
  if (!monitor || id === null) return null;
  const edge = event.Id === mark.event ? mark.edge + 1 : 1;
  return {
    id: alarmId(monitor.id, id, edge, now),
    monitor,
    eventId: id,
    edge,
    phase: "started",
    cause: event.Cause?.trim() ?? "",
    seenAt: now,
    late: true,
  };
}
