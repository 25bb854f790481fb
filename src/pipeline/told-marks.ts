// What this run last told of each monitor.
import type { Alarm, AlarmId } from "../domain/alarm.ts";
import type { ToldMark } from "../domain/decision.ts";
import type { MonitorId } from "../domain/monitor.ts";

export interface ToldMarks {
  /** Notes that the alarm is told, or over; gives the mark that is to be kept of its monitor. */
  note(alarm: Alarm): ToldMark;
  /** The newest of the monitor. */
  of(monitor: MonitorId): ToldMark | null;
  /** The marks of earlier runs brought up to date by what this one told. */
  after(before: readonly ToldMark[]): readonly ToldMark[];
}

export function createToldMarks(): ToldMarks {
  const told = new Map<MonitorId, { readonly alarm: AlarmId; readonly mark: ToldMark }>();

  return {
    note(alarm) {
      const { id, monitor, eventId, edge, seenAt, phase } = alarm;
      const last = told.get(monitor.id);
      if (last !== undefined && isOlder(alarm, last)) return last.mark;
      const mark = { monitor: monitor.id, event: eventId, edge, at: seenAt, open: phase !== "ended" };
      told.set(monitor.id, { alarm: id, mark });
      return mark;
    },
    of: (monitor) => told.get(monitor)?.mark ?? null,
    after: (before) => {
      const all = [...before, ...[...told.values()].map(({ mark }) => mark)];
      return [...new Map(all.map((mark) => [mark.monitor, mark])).values()];
    },
  };
}

/** A missed alarm may be found, and an end be heard of, when a newer alarm was told already: its mark stays. */
function isOlder(
  { id, eventId, late, phase }: Alarm,
  last: { readonly alarm: AlarmId; readonly mark: ToldMark },
): boolean {
  if (phase === "ended" && last.alarm !== id) return true;
  return late && eventId !== null && eventId < (last.mark.event ?? 0);
}
