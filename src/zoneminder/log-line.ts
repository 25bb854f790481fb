// ZoneMinder's own log line, its level numbers, and which of its settings let a line through. Pure.
import type { LogLevel, LogRecord } from "../lib/log.ts";
import { lineText, stackLines } from "../lib/log-text.ts";

/** The component every log of ZoneMinder knows this program by, as with the original. */
export const COMPONENT = "zmeventnotification";

/** The lowest level for each place; null: nothing goes there. */
export interface ZoneMinderLogLevels {
  readonly file: LogLevel | null;
  readonly syslog: LogLevel | null;
  readonly database: LogLevel | null;
}

/** ZoneMinder's numbers: DB9 is 9, DB1 1, INF 0, WAR -1, ERR -2, FAT -3, PNC -4 (Logger.pm, 1.30 to 1.39). */
const byLevel: Readonly<Record<LogLevel, readonly [code: string, value: number]>> = {
  trace: ["DB2", 2],
  debug: ["DB1", 1],
  info: ["INF", 0],
  warn: ["WAR", -1],
  error: ["ERR", -2],
  fatal: ["FAT", -3],
};

/** The three letters ZoneMinder shows for a level. */
export function levelCode(level: LogLevel): string {
  return byLevel[level][0];
}

/** ZoneMinder's number of a level. */
export function levelNumber(level: LogLevel): number {
  return byLevel[level][1];
}

/**
 * `12/20/2018 08:31:32.606198 zmeventnotification[12460].INF [main:0] [About to start listening to socket]`.
 * The date is the one of the original's documentation whatever the locale, so that the file is the same under
 * systemd, zmdc and by hand. Perl puts a source line after the caller; here stands the room, and 0.
 */
export function logLine(record: LogRecord, pid: number): string {
  const head = `${localTime(record.time)} ${COMPONENT}[${pid}].${levelCode(record.level)}`;
  return `${head} [${record.room}:0] [${messageText(record)}]`;
}

/** As the original's lines stand in the system log: `INF [Push enabled via FCM]`. */
export function syslogText(record: LogRecord): string {
  return `${levelCode(record.level)} [${messageText(record)}]`;
}

/** What stands in the last brackets, in syslog and in `Logs.Message`: one line, whatever was logged. */
export function messageText(record: LogRecord): string {
  return [lineText(record), ...stackLines(record).map((line) => line.trim())].join(" | ");
}

/**
 * Reads ZM_LOG_LEVEL_FILE, _SYSLOG and _DATABASE as Logger.pm (1.36) does: the environment wins (LOG_LEVEL_FILE,
 * and LOG_LEVEL_FILE_zmeventnotification over that), and nothing above INF goes anywhere unless ZM_LOG_DEBUG is
 * on for this program. A missing setting means ZoneMinder's default. "Off" needs no version: -5 (-6 from 1.39.1)
 * both lie below everything this program says.
 */
export function logLevels(
  settings: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>> = {},
): ZoneMinderLogLevels {
  const read = (name: string, standard: number): number => {
    const set = environment[`${name}_${COMPONENT}`] ?? environment[name] ?? settings[`ZM_${name}`];
    return wholeNumber(set) ?? standard;
  };
  const debug = isDebugged(settings) ? (wholeNumber(settings.ZM_LOG_DEBUG_LEVEL) ?? 1) : null;
  const cap = debug ?? read("LOG_LEVEL", 0);
  // With a debug file of its own, the original writes everything there; here it stays in the one file.
  const file = debug !== null && settings.ZM_LOG_DEBUG_FILE ? debug : read("LOG_LEVEL_FILE", 1);
  return {
    file: levelFrom(Math.min(cap, file)),
    syslog: levelFrom(Math.min(cap, read("LOG_LEVEL_SYSLOG", -1))),
    database: levelFrom(Math.min(cap, read("LOG_LEVEL_DATABASE", 0))),
  };
}

/** The level that a number of ZoneMinder's settings lets through. */
function levelFrom(setting: number): LogLevel | null {
  if (setting >= 2) return "trace";
  if (setting === 1) return "debug";
  if (setting === 0) return "info";
  if (setting === -1) return "warn";
  if (setting === -2) return "error";
  return setting === -3 ? "fatal" : null;
}

/** ZM_LOG_DEBUG_TARGET: names joined by "|", with or without a leading underscore; empty means everybody. */
function isDebugged(settings: Readonly<Record<string, string | undefined>>): boolean {
  if ((wholeNumber(settings.ZM_LOG_DEBUG) ?? 0) === 0) return false;
  const targets = (settings.ZM_LOG_DEBUG_TARGET ?? "").trim();
  return targets === "" || targets.split("|").some((each) => each.trim().replace(/^_/, "") === COMPONENT);
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\s*-?\d+\s*$/.test(text) ? Number(text) : null;
}

function localTime(time: number): string {
  const at = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${two(at.getMonth() + 1)}/${two(at.getDate())}/${at.getFullYear()}`;
  const micros = String(at.getMilliseconds() * 1000).padStart(6, "0");
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${micros}`;
}
