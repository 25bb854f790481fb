// The composition root: builds every part of the server, connects them, and fixes the order of start and stop.
import type { AddressInfo } from "node:net";
import type { Channel, MonitorNews } from "./channels/channel.ts";
import { createWebSocketChannel } from "./channels/websocket.ts";
import type { Rules } from "./config/rules.ts";
import type { Config } from "./config/schema.ts";
import { createOutbox } from "./delivery/outbox.ts";
import type { Alarm, EventId } from "./domain/alarm.ts";
import type { ToldMark } from "./domain/decision.ts";
import type { Monitor, MonitorId } from "./domain/monitor.ts";
import type { Hooks } from "./hooks/hooks.ts";
import type { Clock } from "./lib/clock.ts";
import { createLifecycle, type Lifecycle, type Part } from "./lib/lifecycle.ts";
import type { Logger } from "./lib/log.ts";
import { within } from "./lib/within.ts";
import { createMissedAlarms } from "./pipeline/missed-alarms.ts";
import { createPipeline } from "./pipeline/pipeline.ts";
import type { DurableRecipients, EventLookup, EventNotes } from "./pipeline/ports.ts";
import type { ControlPanel } from "./server/control-panel.ts";
import type { LoginProvider, RightsProvider } from "./server/login.ts";
import type { Pictures } from "./server/pictures.ts";
import { createServer } from "./server/server.ts";
import type { Devices } from "./store/device-registry.ts";
import type { Control } from "./store/overrides.ts";
import type { Store } from "./store/store.ts";
import { createMonitorList, type MonitorSnapshot } from "./zoneminder/monitor-list.ts";
import { Watcher } from "./zoneminder/watcher.ts";

/** A ZoneMinder as the daemon needs it: the installed one, or a simulated one for demo and tests. */
export interface ZoneMinder {
  /** Folder of the `zm.mmap.<id>` files. */
  readonly mapPath: string;
  /** Started before everything that asks it; the database, usually. */
  readonly part: Part;
  loadMonitors(): Promise<MonitorSnapshot>;
  readonly logins: LoginProvider & RightsProvider;
  readonly events: EventLookup & { isOpen(event: EventId): Promise<boolean | null> };
  /** Alarms that began while nobody watched: after those already told, not older than `maxAgeSeconds`. */
  missedAlarms(
    monitors: readonly Monitor[],
    marks: readonly ToldMark[],
    maxAgeSeconds: number,
  ): Promise<readonly Alarm[]>;
  /** Calls back each time the database begins to answer. */
  onAvailable(listener: () => void): void;
}

export interface DaemonOptions {
  readonly config: Config;
  /** Announced to clients. */
  readonly version: string;
  readonly zoneminder: ZoneMinder;
  readonly store: Store;
  /** The registered phones; absent or null: phones cannot register. */
  readonly devices?: Devices | null;
  /** Absent or null: messages carry no pictures, and none are served. */
  readonly pictures?: Pictures | null;
  /** The durable channels, in the order in which they are started: after the store, before the server. */
  readonly channels?: readonly Channel[];
  /** From 0 to 1; spreads the pauses between attempts. */
  readonly random?: () => number;
  /** What an administrator changed from afar, and the panel to do it; absent: the server cannot be controlled. */
  readonly control?: Control;
  readonly panel?: ControlPanel;
  /** The rules of the operator; absent: there are none. */
  readonly rules?: Rules;
  /** Scripts that look at alarms first; absent: there are none. */
  readonly hooks?: Hooks;
  /** The detector that looks in place of scripts, and what commands reach it through. */
  readonly detector?: readonly Part[];
  /** Where what they found is written; absent: nowhere. */
  readonly eventNotes?: EventNotes & Part;
  /** A configuration of versions 1.5 to 4, whose hooks decide for everybody. */
  readonly isOldDialect?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after alarms were written to the sockets. */
  readonly onTold?: (alarms: readonly Alarm[], clients: number) => void;
  /** Called after each look at all cameras. */
  readonly onScan?: () => void;
}

export interface Daemon extends Lifecycle {
  /** Where it listens; null before the start. */
  address(): AddressInfo | null;
  /** How many clients are logged in. */
  clients(): number;
  /** The monitors that are watched now. */
  monitors(): readonly MonitorId[];
  /** Looks at the list of monitors again soon: which are to be watched has changed. */
  reloadMonitors(): void;
}

/** Builds the daemon. Nothing is opened before `start`; `stop` ends everything within 2 s. */
export function createDaemon(options: DaemonOptions): Daemon {
  const {
    config,
    zoneminder,
    store,
    devices = null,
    pictures = null,
    channels = [],
    control,
    clock,
    logger,
    onTold,
  } = options;
  const room = (name: string) => logger.child({ room: name });
  let watched: readonly Monitor[] = [];

  const server = createServer({
    ...config,
    version: options.version,
    logins: zoneminder.logins,
    registry: config.fcm.enable ? devices : null,
    pictureDoor: pictures,
    panel: options.panel ?? null,
    watched: () => (monitors.isFromDatabase() ? watched : null),
    health: () => watcher.isHealthy(),
    clock,
    logger: room("server"),
  });
  const outbox = createOutbox({
    channels,
    store,
    history: config.history,
    ...(options.random && { random: options.random }),
    clock,
    logger: room("delivery"),
  });
  const live = createWebSocketChannel({
    sessions: server.sessions,
    clock,
    logger: room("websocket"),
    picture: pictures?.isOn ? pictures.pictureFor : null,
    onTold: outbox.noteSockets,
  });
  const pipeline = createPipeline({
    options: config.customize,
    hook: config.hook,
    isOldDialect: options.isOldDialect ?? false,
    live,
    marks: store,
    starts: store,
    ...(control && { control }),
    ...(options.rules && { rules: options.rules }),
    ...(options.hooks && { hooks: options.hooks }),
    ...(options.eventNotes && { notes: options.eventNotes }),
    recipients: durableRecipients(channels),
    outbox,
    events: zoneminder.events,
    clock,
    logger: room("pipeline"),
    ...(onTold && { onTold: (alarms) => onTold(alarms, server.sessions.counts().loggedIn) }),
  });
  const watcher = new Watcher({
    mapPath: zoneminder.mapPath,
    options: config.zoneminder,
    clock,
    logger: room("watcher"),
    onAlarms: (alarms) => {
      pipeline.handle(alarms);
      for (const channel of channels) channel.stateChanged?.(alarms);
    },
    isEventOpen: zoneminder.events.isOpen,
    onFilesChanged: () => monitors.reloadSoon(),
    onStall: (gapMs) => {
      logger.warn(
        `Nothing was watched for ${(gapMs / 1000).toFixed(1)} s; looking for alarms missed meanwhile`,
      );
      catchUp.stalled();
    },
    ...(options.onScan && { onScan: options.onScan }),
  });
  const catchUp = createMissedAlarms({
    store,
    search: (monitors, marks) =>
      zoneminder.missedAlarms(monitors, marks, config.zoneminder.late_alarm_max_age),
    onFound: (missed) => watcher.noteTold(missed),
    pipeline,
    clock,
    logger,
  });
  const monitors = createMonitorList({
    load: () => {
      // The phrase and moment of the original: its debugging chapter tells people to look for it.
      room("server").info(`Total event client connections: ${server.sessions.counts().total}`);
      return zoneminder.loadMonitors();
    },
    memory: store,
    fileIds: () => watcher.fileIds(),
    general: config.general,
    customize: config.customize,
    onChange: (snapshot) => {
      const last = catchUp.lastTold();
      watcher.setMonitors(snapshot.monitors, snapshot.version, (id) => last.get(id) ?? null);
      catchUp.monitorsAre(snapshot.monitors);
      watched = snapshot.monitors;
      const news: MonitorNews = {
        monitors: snapshot.monitors,
        isComplete: monitors.isFromDatabase(),
        wasInAlarm: (id) => last.get(id)?.open === true,
      };
      for (const channel of channels) channel.monitorsChanged?.(news);
    },
    logger: room("monitors"),
  });

  server.sessions.onListenersChange((count) => watcher.setListening(count > 0));
  zoneminder.onAvailable(() => {
    monitors.reloadSoon();
    catchUp.databaseIsBack();
  });

  // What still waits for the database at the end is decided and saved before the outbox closes.
  const waiting: Part = {
    name: "pipeline",
    async start() {},
    async stop() {
      await within(pipeline.idle(), DECIDE_DEADLINE_MS);
    },
  };
  // Hooks under way are ended first of all: whoever is connected hears of their alarms before the goodbye.
  const asking: Part = {
    name: "hooks",
    async start(signal) {
      await options.hooks?.start(signal);
    },
    async stop() {
      await options.hooks?.stop();
      await within(pipeline.idle(), DECIDE_DEADLINE_MS);
    },
  };
  // The door opens last: whoever can log in is told of everything.
  const delivery = [...channels, outbox, live];
  const parts: readonly Part[] = [
    store,
    zoneminder.part,
    ...(control ? [control] : []),
    ...(options.rules ? [options.rules] : []),
    ...(devices === null ? [] : [devices]),
    ...(pictures === null ? [] : [pictures]),
    ...delivery,
    ...(options.eventNotes ? [options.eventNotes] : []),
    ...(options.detector ?? []),
    waiting,
    catchUp,
    monitors,
    watcher,
    server.part,
    asking,
  ];
  const lifecycle = createLifecycle(parts, { logger, clock });
  return {
    start: (signal) => lifecycle.start(signal),
    stop: lifecycle.stop,
    address: server.address,
    clients: () => server.sessions.counts().loggedIn,
    monitors: () => watched.map(({ id }) => id),
    reloadMonitors: () => monitors.reloadSoon(),
  };
}

function durableRecipients(channels: readonly Channel[]): DurableRecipients {
  const lifetimes = new Map(channels.map(({ name, expiresAfterMs }) => [name, expiresAfterMs]));
  return {
    all: () => channels.flatMap((channel) => channel.recipients()),
    expiresAfterMs: ({ channel }) => lifetimes.get(channel) ?? 0,
  };
}

/** Of the 2 s in which the program must end: alarms that waited for a hook are told without. */
const DECIDE_DEADLINE_MS = 400;
