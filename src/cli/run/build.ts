// Builds all parts of the server from one configuration, and tells those that want to hear of its changes.
import path from "node:path";
import { hasPushKey } from "../../config/checks.ts";
import { isOldDialect } from "../../config/dialect.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { createRules } from "../../config/rules.ts";
import type { Config, KeyPath } from "../../config/schema.ts";
import { createDaemon, type Daemon } from "../../daemon.ts";
import { createHooks } from "../../hooks/hooks.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { ServiceManager } from "../../lib/service-manager.ts";
import { openLogins } from "../../server/open-logins.ts";
import { createPictureMaker } from "../../server/picture-maker.ts";
import { createPictures } from "../../server/pictures.ts";
import { createDevices } from "../../store/devices.ts";
import { createKeyFile } from "../../store/key-file.ts";
import { createKnownRights, type KnownRights } from "../../store/known-rights.ts";
import { createControl, type KeptSettings } from "../../store/overrides.ts";
import { createStore } from "../../store/store.ts";
import type { Installation } from "../../zoneminder/installation.ts";
import { detectionOf } from "../detection.ts";
import { programVersion } from "../version.ts";
import { createChannels } from "./channels.ts";
import { createControlPanel } from "./control-panel.ts";
import { greet } from "./greeting.ts";
import { installedZoneMinder } from "./installed-zoneminder.ts";
import { createLiveConfig, type LiveConfig } from "./live-config.ts";

export interface BuildOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again, with these changes of escontrol instead of those on the disk. */
  readonly read: (kept?: KeptSettings) => LoadedConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly serviceManager: ServiceManager;
  /** The log on the console is to be as the configuration now says. */
  readonly onConsoleChange: (config: Config) => void;
}

interface Built {
  readonly daemon: Daemon;
  /** The configuration the parts run with. */
  readonly live: LiveConfig;
  /** Resolves when escontrol asks for a restart. */
  readonly restart: Promise<"restart">;
}

/** All parts, connected; only the log is open yet. Throws an AppError. */
export async function build(options: BuildOptions): Promise<Built> {
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
  const zoneminder = await installedZoneMinder(config, log, clock);
  greet(logger, loaded);
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
    logger: room("hooks"),
  });
  const rules = createRules({
    customize: config.customize,
    clock,
    logger: room("rules"),
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
