// Puts log lines into ZoneMinder's `Logs` table, where its web page shows them.
import type { Clock } from "../lib/clock.ts";
import type { LogDestination, LogLevel, LogRecord } from "../lib/log.ts";
import { COMPONENT, levelCode, levelNumber, messageText } from "./log-line.ts";

/** What is needed of the database. Its failures must not be logged to this table again. */
export interface LogDatabase {
  query(sql: string, values: readonly (string | number | null)[]): Promise<unknown>;
}

export interface LogTableOptions {
  readonly database: LogDatabase;
  readonly level: LogLevel | null;
  /** Servers.Id of this machine, when ZoneMinder has several. */
  readonly serverId: number | null;
  readonly clock: Clock;
  readonly pid?: number;
}

/** The table is for people: beyond this many waiting lines (the database is away or slow) they are dropped. */
const LIMIT_LINES = 500;
/** Rows of one statement; far below max_allowed_packet whatever the messages. */
const BATCH_LINES = 50;
/** After a failure the database is left alone this long. */
const PAUSE_MS = 5000;
/** `Message` is TEXT: 65,535 bytes; four bytes a character at most. */
const MESSAGE_CHARACTERS = 8000;
const CLOSE_DEADLINE_MS = 200;

const COLUMNS = "(TimeKey, Component, ServerId, Pid, Level, Code, Message, File, Line)";
const ROW = "(?, ?, ?, ?, ?, ?, ?, ?, NULL)";

/** The destination named "table". Lines are dropped, and later counted in one line, while the database is away. */
export function createLogTable(options: LogTableOptions): LogDestination {
  const pid = options.pid ?? process.pid;
  let waiting: LogRecord[] = [];
  let lost = 0;
  let working: Promise<void> | null = null;
  let awayUntil: number | null = null;

  const drain = async (): Promise<void> => {
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_LINES);
      waiting = waiting.slice(batch.length);
      try {
        await insert(options, pid, lost > 0 ? [lossRecord(lost, options.clock.now()), ...batch] : batch);
        lost = 0;
      } catch {
        lost += batch.length + waiting.length;
        waiting = [];
        awayUntil = options.clock.monotonic() + PAUSE_MS;
      }
    }
    working = null;
  };

  return {
    name: "table",
    level: options.level,
    write(record) {
      const away = awayUntil !== null && options.clock.monotonic() < awayUntil;
      if (away || waiting.length >= LIMIT_LINES) {
        lost += 1;
        return;
      }
      awayUntil = null;
      waiting.push(record);
      working ??= drain();
    },
    async close() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, CLOSE_DEADLINE_MS);
      await Promise.race([working, late.promise]);
      clearTimeout(timer);
    },
  };
}

async function insert(options: LogTableOptions, pid: number, records: readonly LogRecord[]): Promise<void> {
  const rows = records.flatMap((record) => [
    (record.time / 1000).toFixed(6),
    COMPONENT,
    options.serverId,
    pid,
    levelNumber(record.level),
    levelCode(record.level),
    messageText(record).slice(0, MESSAGE_CHARACTERS),
    record.room.slice(0, 255),
  ]);
  await options.database.query(
    `INSERT INTO Logs ${COLUMNS} VALUES ${records.map(() => ROW).join(", ")}`,
    rows,
  );
}

function lossRecord(lost: number, time: number): LogRecord {
  const message = `${lost} lines were not put here: the database was away`;
  return { time, level: "warn", room: "log", message, fields: {} };
}
