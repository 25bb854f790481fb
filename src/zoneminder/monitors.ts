// Loads the monitors that this server runs, whatever ZoneMinder's version calls what they do.
import { type Monitor, monitorId, type RecordingMode } from "../domain/monitor.ts";
import type { Logger } from "../lib/log.ts";
import type { Queries } from "./database.ts";
import { readGroups } from "./groups.ts";
import type { Schema } from "./schema.ts";

export interface MonitorSource {
  readonly database: Queries;
  readonly schema: Schema;
  /** Monitors to leave out, by id (`general.skip_monitors`). */
  readonly skip: readonly number[];
  readonly logger: Logger;
}

/**
 * The monitors that have a camera process on this server: not switched off, not a web site, not deleted, and of this
 * server when ZoneMinder spans several. Throws DatabaseUnavailable; an odd row costs that row only.
 */
export async function loadMonitors(source: MonitorSource): Promise<readonly Monitor[]> {
  const { database, schema, skip, logger } = source;
  const server = await ownServerId(source);
  const rows = await database.query<MonitorRow>(
    `SELECT Id, Name, Type, ${columns(schema)} FROM Monitors ${server === null ? "" : "WHERE ServerId = ?"} ORDER BY Id`,
    server === null ? [] : [server],
  );
  const groups = await readGroups(source);
  const monitors: Monitor[] = [];
  for (const row of rows) {
    if (!isRunning(row) || skip.includes(Number(row.Id))) continue;
    const monitor = toMonitor(row, schema);
    if (typeof monitor === "string") logger.warn(`Monitor ${row.Id} is left out: ${monitor}.`);
    else monitors.push(withGroups(monitor, groups.get(monitor.id)));
  }
  return monitors;
}

function withGroups(monitor: Monitor, groups: readonly string[] | undefined): Monitor {
  return groups === undefined ? monitor : { ...monitor, groups };
}

interface MonitorRow {
  readonly Id: unknown;
  readonly Name: string | null;
  readonly Type: string | null;
  /** What runs the camera: `Function` up to 1.36, `Capturing` from 1.37.12. */
  readonly Running: string | null;
  /** What is recorded: `Function` up to 1.36, `Recording` from 1.37.12. */
  readonly Recorded: string | null;
  readonly CloseMode: string | null;
  readonly Deleted: number | null;
}

// `Function` outlives 1.37.12 without being maintained: never read where `Capturing` exists.
function columns(schema: Schema): string {
  const modern = schema.has("Monitors", "Capturing");
  return [
    modern ? "Capturing AS Running, Recording AS Recorded" : "`Function` AS Running, `Function` AS Recorded",
    schema.has("Monitors", "EventCloseMode") ? "EventCloseMode AS CloseMode" : "NULL AS CloseMode",
    schema.has("Monitors", "Deleted") ? "Deleted" : "0 AS Deleted",
  ].join(", ");
}

function isRunning(row: MonitorRow): boolean {
  return row.Running !== "None" && row.Type !== "WebSite" && !row.Deleted;
}

const RECORDING: Readonly<Record<string, RecordingMode>> = {
  // Function, up to 1.36. Record and Mocord hold one event open all the time.
  None: "none",
  Monitor: "none",
  Modect: "on-motion",
  Nodect: "on-motion",
  Record: "always",
  Mocord: "always",
  // Recording, from 1.37.12.
  OnMotion: "on-motion",
  Always: "always",
};

/** The monitor, or what is wrong with its row. */
function toMonitor(row: MonitorRow, schema: Schema): Monitor | string {
  const id = monitorId(Number(row.Id));
  if (id === null) return "its id is not a positive number";
  if (row.Running === null || row.Running === "") return "its row does not say whether it runs";
  const recording = RECORDING[row.Recorded ?? ""];
  if (recording === undefined)
    return `its row says it records ${JSON.stringify(row.Recorded)}, which is unknown`;
  const ownMode = row.CloseMode === null || row.CloseMode === "system" ? undefined : row.CloseMode;
  const closeMode = ownMode ?? schema.setting("ZM_EVENT_CLOSE_MODE");
  return {
    id,
    name: row.Name?.trim() || `Monitor ${id}`,
    recording,
    closesEventOnAlarm: closeMode === undefined ? null : closeMode === "alarm",
  };
}

/**
 * The id of this server when ZoneMinder spans several: ZM_SERVER_ID, or the row of Servers with the name that
 * ZM_SERVER_NAME or ZM_SERVER_HOST gives. Null, and so all monitors whatever their ServerId, when neither is set.
 */
export async function ownServerId({ database, schema, logger }: MonitorSource): Promise<number | null> {
  const id = Number(schema.setting("ZM_SERVER_ID") || 0);
  if (Number.isSafeInteger(id) && id > 0) return id;
  const name = schema.setting("ZM_SERVER_NAME") || schema.setting("ZM_SERVER_HOST");
  if (!name || !schema.has("Servers")) return null;
  const rows = await database.query<{ Id: number }>("SELECT Id FROM Servers WHERE Name = ?", [name]);
  const [found] = rows;
  if (found) return found.Id;
  logger.warn(
    `No server of ZoneMinder is called "${name}" (ZM_SERVER_HOST in zm.conf): watching all monitors.`,
  );
  return null;
}
