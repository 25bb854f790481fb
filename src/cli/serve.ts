// One run of the daemon over the installed ZoneMinder: user, lock, logs, signals, start and stop.
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hasPushKey } from "../config/checks.ts";
import type { LoadedConfig } from "../config/load.ts";
import { createDaemon } from "../daemon.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError, reasonOf } from "../lib/errors.ts";
import { createLogger, type Log, type LogDestination, type Logger } from "../lib/log.ts";
import { createTerminal } from "../lib/log-terminal.ts";
import { becomeUser } from "../lib/privileges.ts";
import { openLogins } from "../server/open-logins.ts";
import { createPictureMaker } from "../server/picture-maker.ts";
import { createPictures } from "../server/pictures.ts";
import { createDevices } from "../store/devices.ts";
import { createKeyFile } from "../store/key-file.ts";
import { lockDataDirectory } from "../store/lock.ts";
import { createStore } from "../store/store.ts";
import { createInstallation, type Installation } from "../zoneminder/installation.ts";
import { createLogPlaces, type LogPlaces } from "../zoneminder/log-places.ts";
import { detectOriginal } from "../zoneminder/original.ts";
import { readZmConf, type ZmConf } from "../zoneminder/zm-conf.ts";
import { createChannels } from "./channels.ts";
import { programVersion } from "./version.ts";

export interface ServeOptions {
  readonly loaded: LoadedConfig;
  /** Log in detail, on the console as well. */
  readonly debug: boolean;
  readonly underZmdc: boolean;
  /** Aborted when the program shall end. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
}

/** Runs until `stop` is aborted. Throws an AppError when the daemon cannot start. */
export async function serve(options: ServeOptions): Promise<void> {
  const { loaded, clock, stop } = options;
  const { config } = loaded;
  const conf = requireZmConf(config.zoneminder.config);
  // Before the first file of ours is opened: data belongs to the web server's user.
  const user = becomeUser(conf.values.get("ZM_WEB_USER"), conf.values.get("ZM_WEB_GROUP"));
  if (user !== null) requireOwnFiles(user);
  const lock = lockDataDirectory(config.general.base_data_path);
  const log = createLogger(consoleOf(options));
  const { logger } = log;
  const crashed = Promise.withResolvers<never>();
  const onCrash = (failure: unknown): void => crashed.reject(failure);
  const onReopen = (): void => log.reopen();
  process.on("uncaughtException", onCrash).on("unhandledRejection", onCrash);
  // ZoneMinder up to 1.39.21 rotates logs with HUP, later releases with WINCH.
  process.on("SIGHUP", onReopen).on("SIGWINCH", onReopen);
  try {
    const zoneminder = createInstallation({ conf, config, clock, logger });
    const directory = conf.values.get("ZM_PATH_LOGS") || USUAL_LOG_FOLDER;
    const { database } = zoneminder;
    const places = createLogPlaces({ log, directory, database, clock, environment: process.env });
    await places.apply(Object.fromEntries(conf.values), null);
    logger.info(`Event Notification daemon v ${programVersion} starting`);
    greet(log, loaded);
    const store = createStore({
      path: path.join(config.general.base_data_path, "zmes.db"),
      clock,
      logger: logger.child({ room: "store" }),
    });
    const rights = config.auth.enable ? zoneminder.logins : openLogins();
    const devices = createDevices({
      ...config,
      rights,
      memory: config.auth.enable ? store : null,
      canPush: () => hasPushKey(config),
      clock,
      logger: logger.child({ room: "devices" }),
    });
    const version = programVersion;
    const phones = { ...zoneminder.notifications, rightsOf: rights.rightsOf };
    const inRoom = logger.child({ room: "pictures" });
    const pictures = createPictures({
      ...config,
      key: createKeyFile({ directory: config.general.base_data_path, logger: inRoom }),
      rights,
      maker: createPictureMaker({ source: zoneminder.eventFiles, logger: inRoom }),
      clock,
      logger: inRoom,
    });
    const channels = createChannels({
      config,
      version,
      devices,
      phones,
      picture: async ({ alarm }, owner) => pictures.pictureFor(alarm, owner),
      readPicture: pictures.jpegOf,
      eventFolder: zoneminder.eventFiles.folder,
      clock,
      logger,
    });
    const parts = { devices, pictures, channels };
    const daemon = createDaemon({ config, version, zoneminder, store, ...parts, clock, logger });
    zoneminder.onAvailable(() => void followSettings(zoneminder, places, logger));
    try {
      await Promise.race([daemon.start(stop), crashed.promise]);
      await Promise.race([aborted(stop), crashed.promise]);
      logger.info("Stopping");
    } finally {
      await daemon.stop();
    }
  } catch (failure) {
    if (stop.aborted) return;
    report(log, failure);
    throw failure;
  } finally {
    await log.close();
    lock.release();
    process.off("SIGHUP", onReopen).off("SIGWINCH", onReopen);
    process.off("uncaughtException", onCrash).off("unhandledRejection", onCrash);
  }
}

/** Where ZoneMinder's packages log when zm.conf does not say. */
const USUAL_LOG_FOLDER = "/var/log/zm";

/** What zmdc.pl's children print ends in its own log: there the console speaks only when asked to. */
function consoleOf({ loaded: { config }, debug, underZmdc }: ServeOptions): LogDestination[] {
  const { verbose, console_logs } = config.customize;
  const { format, level } = config.logging;
  if (underZmdc && !debug && !verbose && !console_logs && format !== "json") return [];
  return [createTerminal({ level: debug ? "debug" : level, format })];
}

/** Some of the program is loaded later (the store's thread, character sets): it must be readable without root. */
function requireOwnFiles(user: string): void {
  const own = fileURLToPath(import.meta.url);
  try {
    accessSync(own, constants.R_OK);
  } catch (failure) {
    throw new AppError(
      "PROGRAM_UNREADABLE",
      { user, path: path.dirname(own), problem: reasonOf(failure) },
      failure,
    );
  }
}

function requireZmConf(file: string): ZmConf {
  const read = readZmConf(file);
  if (!read.ok) throw new AppError("ZM_CONF_UNREADABLE", { path: file, problem: read.problem });
  return read.conf;
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

function greet({ logger }: Log, { source, warnings }: LoadedConfig): void {
  logger.info(source.read ? `using config file: ${source.path}` : `no config file: defaults are used`);
  for (const warning of warnings) logger.warn(warning);
  const original = detectOriginal();
  if (original === null) return;
  const { code, message, hint } = new AppError("ORIGINAL_RUNNING", { pid: original });
  logger.warn(`${message}. ${hint} [${code}]`);
}

function report({ logger }: Log, failure: unknown): void {
  if (failure instanceof AppError) logger.fatal(`${failure.message}. ${failure.hint} [${failure.code}]`);
  else logger.fatal({ err: failure }, "The program failed and ends; whoever supervises it starts it again");
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
