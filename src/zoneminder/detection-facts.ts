// What a detector wants to know of an event and its monitor: where its pictures are, which ones matter, and the zones.
import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EventId, eventId } from "../domain/alarm.ts";
import type { EventSource, MonitorFacts, ZoneFacts } from "../domain/detection-source.ts";
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { Queries, SqlValue } from "./database.ts";
import { createEventFolders, type EventPlace } from "./event-folder.ts";
import { ownServerId } from "./monitors.ts";
import type { Schema, SchemaSource } from "./schema.ts";

/** An event as its rows describe it. */
interface EventFacts extends EventSource {
  readonly monitor: MonitorId;
}

/** Both throw DatabaseUnavailable, and answer null when there is no such row. */
export interface DetectionFacts {
  /** The row of an event that has just begun is waited for briefly. */
  event(event: number, frames: readonly number[]): Promise<EventFacts | null>;
  monitor(monitor: number): Promise<MonitorFacts | null>;
}

export interface DetectionFactsDeps {
  readonly database: Queries;
  readonly schema: SchemaSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The row comes within milliseconds of the event's number (facts of 1.30 to 1.39). */
const ROW_WAIT_MS = 500;
const LOOK_EVERY_MS = 60;
/** More than any configuration asks for. */
const MOST_FRAMES = 50;
const USUAL_DIGITS = 5;

export function createDetectionFacts(deps: DetectionFactsDeps): DetectionFacts {
  const { database, schema, clock } = deps;
  const places = createEventFolders(deps);

  return {
    async event(number, frames) {
      const event = eventId(number);
      const known = await schema();
      const place = event === null ? null : await locate(event);
      if (place === null) {
        await database.query("SELECT 1"); // no such event, or nobody to ask?
        return null;
      }
      const row = (await database.query<EventRow>(eventStatement(known), [place.event]))[0];
      const bestFrame = row?.Best || (await frameBy(place.event, "ORDER BY Score DESC, FrameId"));
      const alarmFrame = await frameBy(place.event, "AND Type = 'Alarm' ORDER BY FrameId");
      const wanted = new Set([...frames, bestFrame ?? 0, alarmFrame ?? 0].filter((each) => each > 0));
      return {
        kind: "event",
        event: place.event,
        monitor: place.monitor,
        root: (await isHere(place, known)) ? place.root : null,
        folders: place.folders,
        isOpen: place.isOpen,
        video: row?.Video ?? "",
        digits: digitsOf(known),
        bestFrame,
        alarmFrame,
        frameTimes: await timesOf(place.event, [...wanted].slice(0, MOST_FRAMES)),
      };
    },
    async monitor(number) {
      const id = monitorId(number);
      if (id === null) return null;
      const rows = await database.query<MonitorRow>("SELECT Name, Width, Height FROM Monitors WHERE Id = ?", [
        id,
      ]);
      const [row] = rows;
      if (row === undefined) return null;
      const name = row.Name?.trim() || `Monitor ${id}`;
      return { id, name, width: Number(row.Width), height: Number(row.Height), zones: await zonesOf(id) };
    },
  };

  async function locate(event: EventId): Promise<EventPlace | null> {
    const begun = clock.monotonic();
    for (;;) {
      const located = await places.locate(event);
      const place = located === "unknown" ? null : located;
      if (place !== null || clock.monotonic() - begun >= ROW_WAIT_MS) return place;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** True unless another server has it and there is no trace of the event here. */
  async function isHere({ storage, monitor, root, folders }: EventPlace, known: Schema): Promise<boolean> {
    const own = await ownServerId({ ...deps, schema: known, skip: [] });
    if (own === null) return true;
    const owner =
      storage === null
        ? await serverOf("SELECT ServerId FROM Monitors WHERE Id = ?", monitor)
        : known.has("Storage", "ServerId")
          ? await serverOf("SELECT ServerId FROM Storage WHERE Id = ?", storage)
          : null;
    if (owner === null || owner === own) return true;
    const found = await Promise.all(folders.map((folder) => stat(path.join(root, folder)).catch(() => null)));
    return found.some((each) => each?.isDirectory());
  }

  async function serverOf(sql: string, id: SqlValue): Promise<number | null> {
    return (await database.query<{ ServerId: number | null }>(sql, [id]))[0]?.ServerId || null;
  }

  async function frameBy(event: EventId, order: string): Promise<number | null> {
    const sql = `SELECT FrameId FROM Frames WHERE EventId = ? ${order} LIMIT 1`;
    return (await database.query<{ FrameId: number }>(sql, [event]))[0]?.FrameId ?? null;
  }

  async function timesOf(event: EventId, frames: readonly number[]): Promise<Record<number, number>> {
    const times = await Promise.all(frames.map((frame) => timeOf(event, frame)));
    return Object.fromEntries(
      frames.flatMap((frame, i) => {
        const time = times[i] ?? null;
        return time === null ? [] : [[frame, time] as const];
      }),
    );
  }

  /** Idle frames have a row only now and then (Bulk): between two rows time passes evenly. */
  async function timeOf(event: EventId, frame: number): Promise<number | null> {
    const next = (condition: string) =>
      database.query<FrameRow>(
        `SELECT FrameId, Delta FROM Frames WHERE EventId = ? AND FrameId ${condition} LIMIT 1`,
        [event, frame],
      );
    const [[before], [after]] = await Promise.all([
      next("<= ? ORDER BY FrameId DESC"),
      next(">= ? ORDER BY FrameId"),
    ]);
    if (before === undefined || after === undefined) return null;
    const [from, to] = [Number(before.Delta), Number(after.Delta)];
    if (after.FrameId === before.FrameId) return from;
    const share = (frame - before.FrameId) / (after.FrameId - before.FrameId);
    return from + (to - from) * share;
  }

  async function zonesOf(monitor: MonitorId): Promise<readonly ZoneFacts[]> {
    const rows = await database.query<ZoneColumns>(
      "SELECT Name, Type, Units, Coords FROM Zones WHERE MonitorId = ? ORDER BY Id",
      [monitor],
    );
    return rows.map(({ Name, Type, Units, Coords }) => ({
      name: Name ?? "",
      type: Type ?? "",
      units: Units ?? "",
      coords: Coords ?? "",
    }));
  }
}

interface EventRow {
  readonly Video: string | null;
  readonly Best: number | null;
}

interface FrameRow {
  readonly FrameId: number;
  readonly Delta: string | number;
}

interface MonitorRow {
  readonly Name: string | null;
  readonly Width: number;
  readonly Height: number;
}

interface ZoneColumns {
  readonly Name: string | null;
  readonly Type: string | null;
  readonly Units: string | null;
  readonly Coords: string | null;
}

/** DefaultVideo came with 1.32, MaxScoreFrameId with 1.37.68. */
function eventStatement(known: Schema): string {
  const video = known.has("Events", "DefaultVideo") ? "DefaultVideo" : "NULL";
  const best = known.has("Events", "MaxScoreFrameId") ? "MaxScoreFrameId" : "NULL";
  return `SELECT ${video} AS Video, ${best} AS Best FROM Events WHERE Id = ?`;
}

function digitsOf(known: Schema): number {
  const digits = Number(known.setting("ZM_EVENT_IMAGE_DIGITS"));
  return Number.isInteger(digits) && digits >= 1 && digits <= 10 ? digits : USUAL_DIGITS;
}
