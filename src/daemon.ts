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
  let watched: readonly MonitorId[] = [];

  const server = createServer({
    ...config,
    version: options.version,
    logins: zoneminder.logins,
    registry: config.fcm.enable ? devices : null,
    pictureDoor: pictures,
    panel: options.panel ?? null,
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
      catchUp.again();
    },
  });
  const catchUp = createCatchUp();
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
      watched = snapshot.monitors.map(({ id }) => id);
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
    catchUp.run();
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
    monitors: () => watched,
    reloadMonitors: () => monitors.reloadSoon(),
  };

  /** Once after the start, and after every stall: what was missed is taken from the database and told late. */
  function createCatchUp() {
    let marks: readonly ToldMark[] = [];
    let watched: readonly Monitor[] = [];
    /** False while the disk hangs that knows what earlier runs told: nothing is looked for until then. */
    let areMarksKnown = false;
    let due = true;
    let timer: NodeJS.Timeout | null = null;
    let retryDelay = CATCH_UP_DELAY_MS;
    let isStopped = false;

    const searchIn = (delay: number): void => {
      if (timer) clearTimeout(timer);
      if (!isStopped) timer = setTimeout(() => void search(), delay);
    };

    const search = async (): Promise<void> => {
      if (!due || !areMarksKnown || watched.length === 0) return;
      due = false;
      try {
        const missed = await zoneminder.missedAlarms(watched, marks, config.zoneminder.late_alarm_max_age);
        watcher.noteTold(missed);
        pipeline.handleMissed(missed);
        retryDelay = CATCH_UP_DELAY_MS;
      } catch (error) {
        due = true;
        logger.debug({ err: error }, "Missed alarms could not be looked for yet");
        retryDelay = Math.min(retryDelay * 2, CATCH_UP_RETRY_AT_MOST_MS);
        searchIn(retryDelay);
      }
    };

    return {
      name: "catch-up",
      async start() {
        const before = store.marksBefore();
        const known = await within(before, MARKS_DEADLINE_MS);
        if (known === null) void before.then(begin);
        else begin(known);
      },
      async stop() {
        isStopped = true;
        if (timer) clearTimeout(timer);
      },
      /** What was last told of each monitor, by this run or those before. */
      lastTold(): ReadonlyMap<MonitorId, ToldMark> {
        return new Map(pipeline.marks(marks).map((mark) => [mark.monitor, mark]));
      },
      monitorsAre(list: readonly Monitor[]) {
        watched = list;
        noteFirstWatched();
        searchIn(CATCH_UP_DELAY_MS);
      },
      /** The live watcher reports what is running first; what it told is not told again. */
      run() {
        searchIn(CATCH_UP_DELAY_MS);
      },
      again() {
        // Nothing was looked for since the start yet: then that is still to be done, from where the last run ended.
        if (!due) marks = pipeline.marks(marks);
        due = true;
        this.run();
      },
    };

    function begin(before: readonly ToldMark[]): void {
      marks = before;
      areMarksKnown = true;
      noteFirstWatched();
      searchIn(CATCH_UP_DELAY_MS);
    }

    /** From its first minute on a camera can have missed alarms, though none of it was ever told. */
    function noteFirstWatched(): void {
      if (!areMarksKnown) return;
      const known = new Set(marks.map((mark) => mark.monitor));
      const unknown = watched.filter(({ id }) => !known.has(id));
      const at = clock.now();
      const first = unknown.map(({ id }) => ({ monitor: id, event: null, edge: 0, at, open: false }));
      marks = [...marks, ...first];
      const told = new Set(pipeline.marks([]).map((mark) => mark.monitor));
      store.put(first.filter(({ monitor }) => !told.has(monitor)));
    }
  }
}

function durableRecipients(channels: readonly Channel[]): DurableRecipients {
  const lifetimes = new Map(channels.map(({ name, expiresAfterMs }) => [name, expiresAfterMs]));
  return {
    all: () => channels.flatMap((channel) => channel.recipients()),
    expiresAfterMs: ({ channel }) => lifetimes.get(channel) ?? 0,
  };
}

/** Alarms that run when the program starts are found by the first scans; what they belong to is known by then. */
const CATCH_UP_DELAY_MS = 1_500;
/** The store is open by then: these are a few rows. */
const MARKS_DEADLINE_MS = 500;
/** A search that failed is tried again ever more seldom, and at once when the database comes back. */
const CATCH_UP_RETRY_AT_MOST_MS = 30_000;
/** Of the 2 s in which the program must end: alarms that waited for a hook are told without. */
const DECIDE_DEADLINE_MS = 400;
