// Puts ZoneMinder's log places (file, system log, table) behind the logger as ZoneMinder's settings say.
import type { Clock } from "../lib/clock.ts";
import type { Log, LogDestination } from "../lib/log.ts";
import { createSyslog } from "../lib/syslog.ts";
import { createLogFile } from "./log-file.ts";
import { COMPONENT, logLevels, syslogText, type ZoneMinderLogLevels } from "./log-line.ts";
import { createLogTable, type LogDatabase } from "./log-table.ts";

export interface LogPlacesOptions {
  readonly log: Log;
  /** ZM_PATH_LOGS; null where there is none, then no file is written. */
  readonly directory: string | null;
  readonly database: LogDatabase;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface LogPlaces {
  /**
   * Applies ZoneMinder's settings (rows of Config by name; an empty object before they are known) and the id of
   * this server. Calling it again changes only what differs.
   */
  apply(settings: Readonly<Record<string, string | undefined>>, serverId: number | null): Promise<void>;
}

/** Nothing is written before the first `apply`. */
export function createLogPlaces(options: LogPlacesOptions): LogPlaces {
  const { log, clock } = options;
  let applied = "";

  const syslog = (level: ZoneMinderLogLevels["syslog"]): LogDestination =>
    createSyslog({
      level,
      tag: COMPONENT,
      text: syslogText,
      clock,
      onState(reachable, problem) {
        if (reachable) log.logger.info("The system log is reached again");
        else log.logger.warn({ problem }, "The system log cannot be reached");
      },
    });

  const file = (inDirectory: string, level: ZoneMinderLogLevels["file"]): LogDestination =>
    createLogFile({
      directory: inDirectory,
      level,
      clock,
      onState(writable, problem) {
        if (writable) log.logger.info("The log file is written again");
        else log.logger.warn({ problem }, "The log file cannot be written");
      },
    });

  return {
    async apply(settings, serverId) {
      const levels = logLevels(settings, options.environment);
      const wanted = JSON.stringify([levels, serverId]);
      if (wanted === applied) return;
      applied = wanted;
      const { directory, database } = options;
      await Promise.all([
        log.replace("file", directory === null || levels.file === null ? null : file(directory, levels.file)),
        log.replace("syslog", levels.syslog === null ? null : syslog(levels.syslog)),
        log.replace(
          "table",
          levels.database === null
            ? null
            : createLogTable({ database, level: levels.database, serverId, clock }),
        ),
      ]);
    },
  };
}
