// What the tables of this ZoneMinder look like, its version, and those of its settings that zmes needs.
import type { Clock } from "../lib/clock.ts";
import type { Queries } from "./database.ts";
import { parseVersion, type ZmVersion } from "./version.ts";
import type { ZmConf } from "./zm-conf.ts";

export interface Schema {
  /** What the database believes (ZM_DYN_CURR_VERSION); the programs may be newer until zmupdate.pl ran. */
  readonly version: ZmVersion | null;
  /** Whether the table, or the column of the table, exists. Names as ZoneMinder writes them, case ignored. */
  has(table: string, column?: string): boolean;
  /** A setting, first from zm.conf and conf.d, then from the table Config: ZoneMinder's own order. */
  setting(name: string): string | undefined;
}

/** Gives the schema, read again when it is older than a minute, because ZoneMinder may be upgraded under us. */
export type SchemaSource = () => Promise<Schema>;

const TABLES = [
  "Monitors",
  "Servers",
  "Events",
  "Frames",
  "Storage",
  "Zones",
  "Users",
  "User_Roles",
  "Groups",
  "Groups_Monitors",
  "Monitors_Permissions",
  "Groups_Permissions",
  "Role_Monitors_Permissions",
  "Role_Groups_Permissions",
  "Config",
  "Logs",
  "Notifications",
  "Tags",
  "Events_Tags",
];

/** The settings of ZoneMinder's logs that zmes follows. */
export const LOG_SETTINGS = [
  "ZM_LOG_LEVEL_FILE",
  "ZM_LOG_LEVEL_SYSLOG",
  "ZM_LOG_LEVEL_DATABASE",
  "ZM_LOG_DEBUG",
  "ZM_LOG_DEBUG_TARGET",
  "ZM_LOG_DEBUG_LEVEL",
  "ZM_LOG_DEBUG_FILE",
] as const;

const SETTINGS = [
  "ZM_DYN_CURR_VERSION",
  "ZM_PATH_MAP", // a row of Config in 1.30 only
  "ZM_PATH_LOGS",
  "ZM_PATH_WEB",
  "ZM_DIR_EVENTS",
  "ZM_USE_DEEP_STORAGE", // up to 1.31
  "ZM_EVENT_IMAGE_DIGITS",
  "ZM_EVENT_CLOSE_MODE",
  "ZM_CASE_INSENSITIVE_USERNAMES",
  "ZM_OPT_USE_AUTH",
  "ZM_AUTH_TYPE",
  "ZM_TIMEZONE",
  ...LOG_SETTINGS,
];

/** Long enough to cost nothing, short enough that an upgrade or a changed setting is seen without a restart. */
const MAX_AGE_MS = 60_000;

/** Reads tables, columns and settings in two queries. Throws when this is no database of ZoneMinder. */
export async function readSchema(database: Queries, conf: ZmConf): Promise<Schema> {
  const columns = await readColumns(database);
  if (!columns.has("monitors") || !columns.has("config")) {
    throw new Error(
      "The database has no tables of ZoneMinder: check ZM_DB_NAME in zm.conf, and whether its user may read them.",
    );
  }
  const settings = await readSettings(database);
  const setting = (name: string) => conf.values.get(name) || settings.get(name);
  return {
    version: parseVersion(settings.get("ZM_DYN_CURR_VERSION") ?? ""),
    has(table, column) {
      const known = columns.get(table.toLowerCase());
      return column === undefined ? known !== undefined : known?.has(column.toLowerCase()) === true;
    },
    setting,
  };
}

/** Questions that arrive while the schema is being read share that reading; a failed one is not kept. */
export function createSchemaSource(database: Queries, conf: ZmConf, clock: Clock): SchemaSource {
  let reading: Promise<Schema> | null = null;
  let readAt = 0;
  return () => {
    if (reading !== null && clock.monotonic() - readAt < MAX_AGE_MS) return reading;
    const mine = readSchema(database, conf);
    mine.catch(() => {
      if (reading === mine) reading = null;
    });
    reading = mine;
    readAt = clock.monotonic();
    return mine;
  };
}

async function readColumns(database: Queries): Promise<Map<string, Set<string>>> {
  const rows = await database.query<{ T: string; C: string }>(
    "SELECT TABLE_NAME AS T, COLUMN_NAME AS C FROM information_schema.COLUMNS " +
      `WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${TABLES.map(() => "?").join()})`,
    TABLES,
  );
  const columns = new Map<string, Set<string>>();
  for (const { T, C } of rows) {
    const table = columns.get(T.toLowerCase()) ?? new Set();
    columns.set(T.toLowerCase(), table.add(C.toLowerCase()));
  }
  return columns;
}

async function readSettings(database: Queries): Promise<Map<string, string>> {
  const rows = await database.query<{ Name: string; Value: string | null }>(
    `SELECT Name, Value FROM Config WHERE Name IN (${SETTINGS.map(() => "?").join()})`,
    SETTINGS,
  );
  return new Map(rows.map(({ Name, Value }) => [Name, Value ?? ""]));
}
