// One life of the server inside the process: all its parts from one configuration, until it ends or begins anew.
import { existsSync } from "node:fs";
import path from "node:path";
import { hasPushKey } from "../../config/checks.ts";
import { isOldDialect } from "../../config/dialect.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { createRules } from "../../config/rules.ts";
import type { Config, KeyPath } from "../../config/schema.ts";
import { createDaemon, type Daemon } from "../../daemon.ts";
import { createHooks } from "../../hooks/hooks.ts";
import type { Clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { Log, Logger } from "../../lib/log.ts";
import type { ServiceManager } from "../../lib/service-manager.ts";
import { openLogins } from "../../server/open-logins.ts";
import { createPictureMaker } from "../../server/picture-maker.ts";
import { createPictures } from "../../server/pictures.ts";
import { createDevices } from "../../store/devices.ts";
import { createKeyFile } from "../../store/key-file.ts";
import { createKnownRights, type KnownRights } from "../../store/known-rights.ts";
import { lockDataDirectory } from "../../store/lock.ts";
import { controlFile, createControl, type KeptSettings } from "../../store/overrides.ts";
import { createStore } from "../../store/store.ts";
import { createInstallation, type Installation } from "../../zoneminder/installation.ts";
import { createLogPlaces, type LogPlaces } from "../../zoneminder/log-places.ts";
import { detectOriginal } from "../../zoneminder/original.ts";
import { readZmConf, type ZmConf } from "../../zoneminder/zm-conf.ts";
import { detectionOf } from "../detection.ts";
import { programVersion } from "../version.ts";
import { createChannels } from "./channels.ts";
import { watchConfig } from "./config-watch.ts";
import { createControlPanel } from "./control-panel.ts";
import { createLiveConfig, type LiveConfig } from "./live-config.ts";

export interface OneRunOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again, with these changes of escontrol instead of those on the disk. */
  readonly read: (kept?: KeptSettings) => LoadedConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly serviceManager: ServiceManager;
  /** Aborted when the program shall end; `stopped` resolves then. */
  readonly stop: AbortSignal;
  readonly stopped: Promise<void>;
  /** Rejects when the program has failed. */
  readonly crashed: Promise<never>;
  /** The log on the console is to be as the configuration now says. */
  readonly onConsoleChange: (config: Config) => void;
  /** What a signal reads again; null while there is nothing to. */
  readonly onLive: (live: LiveConfig | null) => void;
}

/** Resolves with the configuration to begin anew with, or with null when the program shall end. */
export async function oneRun(options: OneRunOptions): Promise<LoadedConfig | null> {
  const { loaded, stop, stopped, crashed, onLive } = options;
  const { logger } = options.log;
  const lock = lockDataDirectory(loaded.config.general.base_data_path);
  try {
    const { daemon, live, restart } = await build(options);
    const files = filesOf(loaded);
    const watch = watchConfig({ files, onChange: () => live.reload("its file has changed"), logger });
    onLive(live);
    try {
      await Promise.race([daemon.start(stop), crashed]);
      options.serviceManager.ready();
      const why = await Promise.race([stopped, crashed, restart]);
      logger.info(why === "restart" ? "Restarting, as escontrol asked for" : "Stopping");
      return why === "restart" ? toBeginWith(options, live) : null;
    } finally {
      onLive(null);
      watch.close();
      await daemon.stop();
    }
  } finally {
    lock.release();
  }
}

/** ZoneMinder's configuration, or an AppError. */
export function requireZmConf(file: string): ZmConf {
  const read = readZmConf(file);
  if (!read.ok) throw new AppError("ZM_CONF_UNREADABLE", { path: file, problem: read.problem });
  return read.conf;
}

/** Where ZoneMinder's packages log when zm.conf does not say. */
const USUAL_LOG_FOLDER = "/var/log/zm";

interface Built {
  readonly daemon: Daemon;
  readonly live: LiveConfig;
  readonly restart: Promise<"restart">;
}

async function build(options: OneRunOptions): Promise<Built> {
  const { loaded, read, log, clock } = options;
  const { logger } = log;
  const room = (name: string) => logger.child({ room: name });
  const restart = Promise.withResolvers<"restart">();
  const { general } = loaded.config;
  // The parts get the sections of the running configuration, which change in place.
  const control = createControl({
    directory: general.base_data_path,
    // Home Assistant mutes cameras as well, through MQTT.
    isOn: () => live.config.general.use_escontrol_interface || live.config.mqtt.enable,
    onOrders: () => {
      for (const channel of channels) channel.mutesChanged?.();
    },
    clock,
    logger: room("control"),
  });
  const live = createLiveConfig({
    loaded,
    load: read,
    kept: control,
    onChange: (changed) => applyChange(changed),
    logger: room("configuration"),
  });
  const { config } = live;
  const zoneminder = await installation(options, config);
  logger.info(`Event Notification daemon v ${programVersion} starting`);
  greet(log, loaded);
  const store = createStore({
    path: path.join(general.base_data_path, "zmes.db"),
    clock,
    logger: room("store"),
  });
  const logins = config.auth.enable ? zoneminder.logins : openLogins();
  const rights = createKnownRights({ source: logins, memory: config.auth.enable ? store : null, clock });
  const devices = createDevices({
    ...config,
    rights,
    canPush: () => hasPushKey(config),
    clock,
    logger: room("devices"),
  });
  const version = programVersion;
  const phones = { ...zoneminder.notifications, rightsOf: rights.rightsOf, lastKnown: rights.lastKnown };
  const { eventNotes, eventFiles } = zoneminder;
  const pictures = createPictures({
    ...config,
    key: createKeyFile({ directory: general.base_data_path, logger: room("pictures") }),
    rights,
    maker: createPictureMaker({ source: eventFiles, logger: room("pictures") }),
    clock,
    logger: room("pictures"),
  });
  const channels = createChannels({
    config,
    version,
    devices,
    phones,
    memory: store,
    picture: async ({ alarm }, owner) => pictures.pictureFor(alarm, owner),
    readPicture: pictures.jpegOf,
    eventFolder: eventFiles.folder,
    mutes: {
      isMuted: (id) => control.of(id, clock.now()) === "muted",
      set: (id, muted) => void control.order([id], muted ? { control: "muted", until: null } : null),
    },
    clock,
    logger,
  });
  const panel = createControlPanel({
    control,
    live,
    monitors: () => daemon.monitors(),
    restart: () => restart.resolve("restart"),
    clock,
  });
  const isOld = isOldDialect(loaded.dialect);
  const detection = detectionOf({ config, zoneminder, clock, logger: room("detector") });
  const hooks = createHooks({
    ...config,
    isOldDialect: isOld,
    builtIn: detection?.builtIn ?? null,
    eventFolder: async ({ eventId }) => (eventId === null ? null : eventFiles.folder(eventId)),
    environment: process.env,
    clock,
    logger: logger.child({ room: "hooks" }),
  });
  const rules = createRules({
    customize: config.customize,
    clock,
    logger: logger.child({ room: "rules" }),
  });
  const deciding = {
    control,
    rules,
    hooks,
    eventNotes,
    isOldDialect: isOld,
    detector: detection?.parts ?? [],
  };
  const remembered = { ...zoneminder, logins: remembering(zoneminder.logins, rights) };
  const parts = {
    zoneminder: config.auth.enable ? remembered : zoneminder,
    store,
    devices,
    pictures,
    channels,
    panel,
    ...deciding,
  };
  const onScan = options.serviceManager.alive;
  const daemon = createDaemon({ config, version, ...parts, clock, logger, onScan });
  return { daemon, live, restart: restart.promise };

  /** Most parts look up what they need when they need it; these want to be told. */
  function applyChange(changed: ReadonlySet<KeyPath>): void {
    if (CONSOLE_KEYS.some((key) => changed.has(key))) options.onConsoleChange(config);
    if (MONITOR_KEYS.some((key) => changed.has(key))) daemon.reloadMonitors();
  }
}

const CONSOLE_KEYS = ["logging.level", "logging.format", "customize.verbose", "customize.console_logs"];
const MONITOR_KEYS = ["general.skip_monitors", "customize.monitor_reload_interval"];

/** Whatever is learnt of somebody's rights, at a login or later, is remembered for the time without a database. */
function remembering({ login }: Installation["logins"], rights: KnownRights): Installation["logins"] {
  return {
    async login(attempt) {
      const answer = await login(attempt);
      if (answer.outcome === "accepted") rights.note(answer.user, answer.rights);
      return answer;
    },
    rightsOf: rights.rightsOf,
  };
}

/** The installed ZoneMinder, and the log in the places that its settings name. */
async function installation({ log, clock }: OneRunOptions, config: Config): Promise<Installation> {
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

function greet({ logger }: Log, { config, source, warnings }: LoadedConfig): void {
  logger.info(source.read ? `using config file: ${source.path}` : `no config file: defaults are used`);
  for (const warning of warnings) logger.warn(warning);
  tellOldOverrides(config.general, logger);
  const original = detectOriginal();
  if (original === null) return;
  const { code, message, hint } = new AppError("ORIGINAL_RUNNING", { pid: original });
  logger.warn(`${message}. ${hint} [${code}]`);
}

/** What the original kept can only be read by Perl: said as long as nothing of it was set again. */
function tellOldOverrides(general: Config["general"], logger: Logger): void {
  const { use_escontrol_interface, escontrol_interface_file: old, base_data_path } = general;
  if (!use_escontrol_interface || !existsSync(old) || existsSync(controlFile(base_data_path))) return;
  logger.warn(`What the original's control interface changed, in ${old}, cannot be read: set it again`);
}

function filesOf({ source, config }: LoadedConfig): readonly string[] {
  const { secrets } = config.general;
  return secrets === null ? [source.path] : [source.path, path.resolve(path.dirname(source.path), secrets)];
}

/** What stands in the file now; when that cannot be used, what ran until now. */
function toBeginWith({ read, log }: OneRunOptions, live: LiveConfig): LoadedConfig {
  const next = read();
  if (next.problems.length === 0) return next;
  for (const problem of next.problems) log.logger.error(problem);
  log.logger.error("The configuration cannot be used: the restart keeps the one read before");
  return live.latest();
}
