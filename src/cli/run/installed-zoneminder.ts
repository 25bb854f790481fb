// The ZoneMinder of this machine, and the log in the places that its settings name.
import type { Config } from "../../config/schema.ts";
import type { Clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { Log, Logger } from "../../lib/log.ts";
import { createInstallation, type Installation } from "../../zoneminder/installation.ts";
import { createLogPlaces, type LogPlaces } from "../../zoneminder/log-places.ts";
import { readZmConf, type ZmConf } from "../../zoneminder/zm-conf.ts";

/** Where ZoneMinder's packages log when zm.conf does not say. */
const USUAL_LOG_FOLDER = "/var/log/zm";

/** Resolves once the log goes where zm.conf says; where the database says follows when it answers. Throws an AppError. */
export async function installedZoneMinder(config: Config, log: Log, clock: Clock): Promise<Installation> {
  const conf = requireZmConf(config.zoneminder.config);
  const zoneminder = createInstallation({ conf, config, clock, logger: log.logger });
  const directory = conf.values.get("ZM_PATH_LOGS") || USUAL_LOG_FOLDER;
  const { database } = zoneminder;
  const places = createLogPlaces({ log, directory, database, clock, environment: process.env });
  await places.apply(Object.fromEntries(conf.values), null);
  zoneminder.onAvailable(() => void followSettings(zoneminder, places, log.logger));
  return zoneminder;
}

/** Logs go where ZoneMinder's own settings send them, as soon as its database says so. */
async function followSettings(zoneminder: Installation, places: LogPlaces, logger: Logger): Promise<void> {
  try {
    const { settings, serverId } = await zoneminder.logSettings();
    await places.apply(settings, serverId);
  } catch (failure) {
    logger.debug({ err: failure }, "ZoneMinder's settings for logs could not be read");
  }
}

/** ZoneMinder's configuration, or an AppError. */
export function requireZmConf(file: string): ZmConf {
  const read = readZmConf(file);
  if (!read.ok) throw new AppError("ZM_CONF_UNREADABLE", { path: file, problem: read.problem });
  return read.conf;
}
