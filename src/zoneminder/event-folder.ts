// Where the files of an event are: its storage, and its folder there by the scheme ZoneMinder recorded it with.
import path from "node:path";
import type { EventId } from "../domain/alarm.ts";
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { DatabaseUnavailable, type Queries } from "./database.ts";
import { eventTimes } from "./events.ts";
import type { Schema, SchemaSource } from "./schema.ts";

export interface EventPlace {
  readonly event: EventId;
  readonly monitor: MonitorId;
  /** True until ZoneMinder has written its end. */
  readonly isOpen: boolean;
  /** Row of Storage; null: ZM_DIR_EVENTS. */
  readonly storage: number | null;
  /** The folder of the storage, absolute. */
  readonly root: string;
  /** Where the event may be below it, most likely first; never empty. */
  readonly folders: readonly string[];
}

export interface EventFolders {
  /**
   * Null when there is no such event; "unknown" when nobody can say: while the database is away, only places that were asked
   * for before in this run are known. Storage, scheme and start stand in the event's row alone, and so does whether it was
   * deleted, so nothing is guessed. Never throws.
   */
  locate(event: EventId): Promise<EventPlace | "unknown" | null>;
}

export interface EventFoldersDeps {
  readonly database: Queries;
  readonly schema: SchemaSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Storages are hardly ever changed. */
const STORAGE_AGE_MS = 60_000;
/** Places that are remembered, a few hundred bytes each: more than anybody looks at while a database is away. */
const KNOWN_PLACES = 1_000;
/** What ZoneMinder's packages use where zm.conf does not say (1.30: the row of Config). */
const USUAL_WEB_PATH = "/usr/share/zoneminder/www";
const USUAL_EVENTS = "events";

interface EventRow {
  readonly MonitorId: number;
  readonly Start: string | null;
  readonly IsOpen: number;
  readonly StorageId: number | null;
  readonly Scheme: string | null;
}

export function createEventFolders({ database, schema, clock, logger }: EventFoldersDeps): EventFolders {
  const storages = new Map<number, { readonly path: string | null; readonly readAt: number }>();

  const known = new Map<EventId, EventPlace>();

  return {
    async locate(event) {
      try {
        const place = await find(event, await schema());
        remember(event, place);
        return place;
      } catch (error) {
        if (error instanceof DatabaseUnavailable) return known.get(event) ?? "unknown";
        logger.warn({ err: error }, `The place of event ${event} could not be read`);
        return null;
      }
    },
  };

  /** As one that is over: while the database is away nobody waits for files it would have to name. */
  function remember(event: EventId, place: EventPlace | null): void {
    known.delete(event);
    if (place !== null) known.set(event, { ...place, isOpen: false });
    const [oldest] = known.keys();
    if (known.size > KNOWN_PLACES && oldest !== undefined) known.delete(oldest);
  }

  async function find(event: EventId, known: Schema): Promise<EventPlace | null> {
    const row = (await database.query<EventRow>(statement(known), [event]))[0];
    const monitor = monitorId(row?.MonitorId ?? 0);
    if (row === undefined || monitor === null) return null;
    const web = known.setting("ZM_PATH_WEB") || USUAL_WEB_PATH;
    const usual = known.setting("ZM_DIR_EVENTS") || USUAL_EVENTS;
    const stored = row.StorageId ? await storagePath(row.StorageId, known) : null;
    return {
      event,
      monitor,
      isOpen: row.IsOpen === 1,
      storage: row.StorageId || null,
      root: path.resolve(web, stored ?? usual),
      folders: eventFolders({ scheme: schemeOf(row, known), monitor, event, start: row.Start ?? "" }),
    };
  }

  async function storagePath(id: number, known: Schema): Promise<string | null> {
    const cached = storages.get(id);
    if (cached !== undefined && clock.monotonic() - cached.readAt < STORAGE_AGE_MS) return cached.path;
    if (!known.has("Storage")) return null;
    const rows = await database.query<{ Path: string | null }>("SELECT Path FROM Storage WHERE Id = ?", [id]);
    const found = rows[0]?.Path || null;
    storages.set(id, { path: found, readAt: clock.monotonic() });
    return found;
  }
}

/** The moment as text: it is the local time of ZoneMinder's host, which is what the folders are named after. */
function statement(known: Schema): string {
  const { start, end } = eventTimes(known);
  const storage = known.has("Events", "StorageId") ? "StorageId" : "NULL";
  const scheme = known.has("Events", "Scheme") ? "Scheme" : "NULL";
  return (
    `SELECT MonitorId, CAST(${start} AS CHAR) AS Start, ${end} IS NULL AS IsOpen, ` +
    `${storage} AS StorageId, ${scheme} AS Scheme FROM Events WHERE Id = ?`
  );
}

/** Up to 1.31 a setting decides for all events; its default is yes. */
function schemeOf({ Scheme }: EventRow, known: Schema): string {
  if (Scheme) return Scheme;
  const deep = known.setting("ZM_USE_DEEP_STORAGE") ?? "1";
  return ["0", "no", ""].includes(deep.toLowerCase()) ? "Shallow" : "Deep";
}

export interface EventFolderFacts {
  readonly scheme: string;
  readonly monitor: MonitorId;
  readonly event: EventId;
  /** "2026-11-22 05:04:01" */
  readonly start: string;
}

/**
 * The folder by its scheme (Storage.pm and Event.pm, 1.32 to 1.39). The database may keep another time zone than
 * ZoneMinder's host, so the days before and after count too; in the Deep scheme by their link `.<event>`.
 */
export function eventFolders({ scheme, monitor, event, start }: EventFolderFacts): readonly string[] {
  if (scheme === "Shallow") return [`${monitor}/${event}`];
  const [, day = "", ...time] = /^(\d{4}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)/.exec(start) ?? [];
  if (day === "") return [`${monitor}/${event}`];
  const days = [day, shifted(day, -1), shifted(day, 1)];
  if (scheme !== "Deep") return days.map((each) => `${monitor}/${each}/${event}`);
  const deep = days.map((each) => `${monitor}/${each.slice(2).replaceAll("-", "/")}`);
  return [`${deep[0]}/${time.join("/")}`, ...deep.map((each) => `${each}/.${event}`)];
}

function shifted(day: string, by: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date + by)).toISOString().slice(0, 10);
}
