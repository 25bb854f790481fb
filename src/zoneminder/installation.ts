// The ZoneMinder installed on this machine, put together: its configuration, database, users and events.
import type { Alarm } from "../domain/alarm.ts";
import type { Monitor } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { type LastTold, missedAlarms } from "./catch-up.ts";
import { createDatabase, type Database } from "./database.ts";
import { databaseTarget } from "./database-target.ts";
import { createDetectionFacts, type DetectionFacts } from "./detection-facts.ts";
import { createEventFiles, type EventFiles } from "./event-files.ts";
import { createEventNotes, type EventNotes } from "./event-notes.ts";
import { createEvents, type Events } from "./events.ts";
import type { MonitorSnapshot } from "./monitor-list.ts";
import { loadMonitors, ownServerId } from "./monitors.ts";
import { createNotifications, type Notifications } from "./notifications.ts";
import { createSchemaSource, LOG_SETTINGS } from "./schema.ts";
import { createZoneMinderLogins, type ZoneMinderLogins } from "./users.ts";
import type { ZmConf } from "./zm-conf.ts";

export interface InstallationOptions {
  readonly conf: ZmConf;
  readonly config: {
    readonly general: { readonly skip_monitors: readonly number[] };
    readonly zoneminder: { readonly map_path: string | null };
    readonly limits: { readonly queued_logins: number };
  };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Installation {
  readonly mapPath: string;
  readonly part: Part;
  readonly database: Database;
  readonly logins: ZoneMinderLogins;
  readonly events: Events;
  readonly eventFiles: EventFiles;
  readonly eventNotes: EventNotes;
  readonly detectionFacts: DetectionFacts;
  /** ZoneMinder's own table of phones. */
  readonly notifications: Notifications;
  loadMonitors(): Promise<MonitorSnapshot>;
  missedAlarms(
    monitors: readonly Monitor[],
    marks: readonly LastTold[],
    maxAgeSeconds: number,
  ): Promise<readonly Alarm[]>;
  onAvailable(listener: () => void): void;
  /** ZoneMinder's LOG_LEVEL_* settings and the id of this server. Rejects while the database is away. */
  logSettings(): Promise<LogSettings>;
}

interface LogSettings {
  readonly settings: Readonly<Record<string, string | undefined>>;
  readonly serverId: number | null;
}

/** ZM_PATH_MAP where zm.conf does not say: a row of Config in 1.30, whose default this is. */
const USUAL_MAP_PATH = "/dev/shm";

/** Builds everything; nothing is connected before `part.start`. */
export function createInstallation(options: InstallationOptions): Installation {
  const { conf, config, clock, logger } = options;
  const room = logger.child({ room: "zoneminder" });
  const database = createDatabase(databaseTarget(conf), { logger: room, clock });
  const schema = createSchemaSource(database, conf, clock);
  const events = createEvents({ database, schema, logger: room });
  return {
    mapPath: config.zoneminder.map_path ?? (conf.values.get("ZM_PATH_MAP") || USUAL_MAP_PATH),
    part: database,
    database,
    logins: createZoneMinderLogins({ database, schema, options: config.limits, clock, logger: room }),
    events,
    eventNotes: createEventNotes({ database, schema, isOpen: events.isOpen, clock, logger: room }),
    detectionFacts: createDetectionFacts({ database, schema, clock, logger: room }),
    eventFiles: createEventFiles({ database, schema, clock, logger: room }),
    notifications: createNotifications({ database, schema }),
    async loadMonitors() {
      const known = await schema();
      const monitors = await loadMonitors({
        database,
        schema: known,
        skip: config.general.skip_monitors,
        logger: room,
      });
      return { monitors, version: known.version };
    },
    async missedAlarms(monitors, marks, maxAge) {
      return missedAlarms({ database, schema: await schema(), monitors, marks, now: clock.now(), maxAge });
    },
    onAvailable(listener) {
      database.onStateChange((up) => up && listener());
    },
    async logSettings() {
      const known = await schema();
      const settings = Object.fromEntries(LOG_SETTINGS.map((name) => [name, known.setting(name)]));
      return { settings, serverId: await ownServerId({ database, schema: known, skip: [], logger: room }) };
    },
  };
}
