// Structured logging for every room: one pino logger in front, any number of destinations behind it.
import pino from "pino";
import { hideSecrets, isSecretName } from "./secrets-in-logs.ts";

export type Logger = pino.Logger;

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** One line of the log, secrets already taken out. */
export interface LogRecord {
  /** ms since 1970 */
  readonly time: number;
  readonly level: LogLevel;
  /** Which room speaks; "main" outside of one. */
  readonly room: string;
  readonly message: string;
  /** Everything else that was given, in the order given; an error is under `err`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A place where lines go: the terminal, a file, syslog, a table. */
export interface LogDestination {
  readonly name: string;
  /** The lowest level it wants; null for nothing at all. */
  readonly level: LogLevel | null;
  /** Never throws, never waits. */
  write(record: LogRecord): void;
  /** Opens its file again (after a rotation). */
  reopen?(): void;
  /** Writes what it still holds. */
  close(): Promise<void>;
}

export interface Log {
  readonly logger: Logger;
  add(destination: LogDestination): void;
  /** Closes the destination of that name and puts another in its place, or nothing. */
  replace(name: string, destination: LogDestination | null): Promise<void>;
  reopen(): void;
  close(): Promise<void>;
}

/**
 * Builds the logger of the program. Destinations may come and go later (ZoneMinder's settings are known only
 * once its database answers); the level of the logger and all its children follows the most talkative one.
 */
export function createLogger(destinations: readonly LogDestination[]): Log {
  let current = [...destinations];
  const write = (line: string): void => {
    const record = recordFrom(line);
    for (const destination of current) {
      if (destination.level !== null && wants(destination.level, record.level)) destination.write(record);
    }
  };
  const logger = pino(
    { base: null, level: lowestLevel(current), serializers: pino.stdSerializers },
    { write },
  );
  const changed = (next: LogDestination[]): void => {
    current = next;
    // Children follow: pino's look the level up in their parent.
    logger.level = lowestLevel(current);
  };
  return {
    logger,
    add: (destination) => changed([...current, destination]),
    async replace(name, destination) {
      const old = current.filter((each) => each.name === name);
      const rest = current.filter((each) => each.name !== name);
      changed(destination === null ? rest : [...rest, destination]);
      await Promise.all(old.map((each) => each.close()));
    },
    reopen: () => {
      for (const destination of current) destination.reopen?.();
    },
    async close() {
      const closing = current;
      changed([]);
      await Promise.all(closing.map((each) => each.close()));
    },
  };
}

/** True when a destination of that level takes a line of this one. */
function wants(level: LogLevel, line: LogLevel): boolean {
  return levelValue(line) >= levelValue(level);
}

function levelValue(level: LogLevel): number {
  return pino.levels.values[level] ?? 0;
}

function lowestLevel(destinations: readonly LogDestination[]): LogLevel | "silent" {
  const levels = destinations.flatMap((each) => each.level ?? []);
  if (levels.length === 0) return "silent";
  return levels.reduce((lowest, level) => (wants(level, lowest) ? level : lowest));
}

function recordFrom(line: string): LogRecord {
  const parsed: Record<string, unknown> = JSON.parse(line, (name, value: unknown) =>
    isSecretName(name) && value !== null && typeof value !== "boolean" ? "[redacted]" : value,
  );
  const { time, level, msg, room, ...fields } = parsed;
  return {
    time: typeof time === "number" ? time : 0,
    level: (pino.levels.labels[Number(level)] ?? "info") as LogLevel,
    room: typeof room === "string" ? room : "main",
    message: hideSecrets(typeof msg === "string" ? msg : ""),
    fields,
  };
}
