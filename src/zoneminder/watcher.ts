// The scan loop: looks at every monitor's shared memory and turns what changed into alarms. Owns the only fast timer.
import { join } from "node:path";
import { type Alarm, alarmId, type EventId } from "../domain/alarm.ts";
import {
  type Edge,
  type EdgeTraits,
  isWaiting,
  newTracker,
  nextEdge,
  noteTold,
  type Reading,
  type Remembered,
  settleEvent,
  type Tracker,
} from "../domain/edges.ts";
import type { Monitor, MonitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import { MapDirectory } from "./map-directory.ts";
import { idComesBeforeState } from "./release-family.ts";
import { ShmFile } from "./shm-file.ts";
import { formatVersion, type ZmVersion } from "./version.ts";

interface WatcherOptions {
  /** "auto": 10 ms while somebody listens, 50 ms otherwise; a number is kept to, in ms. */
  readonly scan_interval_ms: "auto" | number;
  /** How long an alarm waits for the id of its event where ZoneMinder writes it later, in ms. */
  readonly event_id_wait_ms: number;
}

/** What was last told of a monitor in an earlier run, and when it was seen. */
export interface ToldEarlier extends Remembered {
  /** ms since 1970 */
  readonly at: number;
}

export interface WatcherDeps {
  /** ZM_PATH_MAP, the folder of the `zm.mmap.<id>` files. */
  readonly mapPath: string;
  readonly options: WatcherOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** All alarms of one scan together, beginnings and ends in order. Called inside the scan: must be quick. */
  readonly onAlarms: (alarms: readonly Alarm[]) => void;
  /** Whether the database says the event is still open; null when it cannot be asked. */
  readonly isEventOpen: (event: EventId) => Promise<boolean | null>;
  /**
   * `zm.mmap.*` files appeared, disappeared or were made anew, as after a change of a monitor's settings: what is
   * known of the monitors may have changed. Called often when all cameras start together.
   */
  readonly onFilesChanged: () => void;
  /** Nothing was seen for this long (the machine slept, the process was stopped), in ms. */
  readonly onStall: (gapMs: number) => void;
  /** Called after each look at all cameras that succeeded: the sign that the watching goes on. Must be quick. */
  readonly onScan?: () => void;
}

/** Faster than ZoneMinder itself tells anybody (70 to 200 ms), and cheap while somebody waits for it. */
const LISTENING_INTERVAL_MS = 10;
const IDLE_INTERVAL_MS = 50;
/** A scan may take at most this share of the time: a slow machine scans less often instead of doing nothing else. */
const SCAN_SHARE = 20;
/** What an alarm waits for mostly follows within microseconds: those few monitors are looked at once more, then often. */
const WAITING_INTERVAL_MS = 1;
/** Without a scan for this long, alarms may have come and gone: a short one is a frame and five of ALERT, at 10 a second. */
const STALL_MS = 500;
/** Where scans are far apart by themselves, a stall is this many times as long. */
const STALL_INTERVALS = 3;
/** The database may be asked about a doubtful event this long; then the alarm is told as it is. */
const DOUBT_TIMEOUT_MS = 500;

interface Watched {
  monitor: Monitor;
  readonly file: ShmFile;
  tracker: Tracker;
  /** The alarm that is running, as it was told. */
  current: Alarm | null;
  /** Edges behind a doubtful one, kept in order until the database has answered. */
  held: Edge[] | null;
  complaint: string | null;
}

export class Watcher implements Part {
  readonly name = "watcher";
  readonly #deps: WatcherDeps;
  readonly #directory: MapDirectory;
  readonly #watched = new Map<MonitorId, Watched>();
  /** Those whose alarm waits for the id of its event. */
  readonly #waiting = new Set<Watched>();
  #version: ZmVersion | null = null;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  /** An alarm has just begun to wait: usually the rest of it is there a moment later. */
  #lookAtOnce = false;
  #running = false;
  #listening = false;
  #firstScanDone = false;
  #lastScanAt = 0;
  #isWatchedThroughout = true;
  #nextScanAt = 0;
  #scans = 0;
  #scanMs = 0;
  #batch: Alarm[] = [];

  constructor(deps: WatcherDeps) {
    this.#deps = deps;
    this.#directory = new MapDirectory(deps.mapPath, deps);
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#lastScanAt = this.#deps.clock.monotonic();
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancel();
    for (const watched of this.#watched.values()) watched.file.close();
  }

  /**
   * Replaces the list of monitors. Those that stay keep their state. `remembered` says what was last told of each
   * in an earlier run; `version` is ZoneMinder's, null while unknown.
   */
  setMonitors(
    monitors: readonly Monitor[],
    version: ZmVersion | null,
    remembered: (id: MonitorId) => ToldEarlier | null,
  ): void {
    const changedVersion = describe(version) !== describe(this.#version);
    this.#version = version;
    const wanted = new Set(monitors.map((monitor) => monitor.id));
    for (const [id, watched] of this.#watched) {
      if (wanted.has(id)) continue;
      this.#step(watched, null);
      this.#pass(watched, { kind: "ended" });
      watched.file.close();
      this.#waiting.delete(watched);
      this.#watched.delete(id);
    }
    for (const monitor of monitors) {
      const known = this.#watched.get(monitor.id);
      if (known) {
        known.monitor = monitor;
        if (changedVersion) known.file.setVersion(version);
      } else {
        const file = new ShmFile(join(this.#deps.mapPath, `zm.mmap.${monitor.id}`), version);
        const last = remembered(monitor.id);
        const tracker = newTracker(!this.#firstScanDone, last);
        const current = last?.open ? runningBefore(monitor, last) : null;
        this.#watched.set(monitor.id, { monitor, file, tracker, current, held: null, complaint: null });
      }
    }
    this.#directory.invalidate(); // look at all files in the next scan
    this.#deliver();
  }

  /** Alarms told after the fact, from the database: live ones inside the same events count on from them. */
  noteTold(alarms: readonly Alarm[]): void {
    for (const { monitor, eventId, edge } of alarms) {
      const watched = this.#watched.get(monitor.id);
      if (watched && eventId !== null) watched.tracker = noteTold(watched.tracker, eventId, edge);
    }
  }

  /** Ids of the `zm.mmap.*` files there are: what is watched while the database has never been read. */
  fileIds(): readonly number[] {
    return this.#directory.ids();
  }

  /** Somebody is logged in on a socket (or nobody is any more): scan fast (or slowly) from now on. */
  setListening(listening: boolean): void {
    if (this.#listening === listening) return;
    this.#listening = listening;
    this.#nextScanAt = Math.min(this.#nextScanAt, this.#deps.clock.monotonic() + this.#interval());
    if (this.#running && this.#timer) this.#schedule();
  }

  /** True while the scan loop is alive and recent. */
  isHealthy(): boolean {
    const allowed = Math.max(1_000, this.#interval() * 10);
    return this.#running && this.#deps.clock.monotonic() - this.#lastScanAt < allowed;
  }

  /** How many scans there were, how long one takes (smoothed, in ms), and how many monitors are watched. */
  stats(): { readonly scans: number; readonly scanMs: number; readonly monitors: number } {
    return { scans: this.#scans, scanMs: this.#scanMs, monitors: this.#watched.size };
  }

  #interval(): number {
    const { scan_interval_ms: configured } = this.#deps.options;
    const wanted =
      configured === "auto" ? (this.#listening ? LISTENING_INTERVAL_MS : IDLE_INTERVAL_MS) : configured;
    return Math.max(wanted, this.#scanMs * SCAN_SHARE);
  }

  #stallMs(): number {
    return Math.max(STALL_MS, this.#interval() * STALL_INTERVALS);
  }

  #schedule(): void {
    this.#cancel();
    if (this.#lookAtOnce) {
      this.#lookAtOnce = false;
      this.#immediate = setImmediate(() => this.#tick());
      return;
    }
    const untilScan = Math.max(0, this.#nextScanAt - this.#deps.clock.monotonic());
    const delay = this.#waiting.size > 0 ? Math.min(WAITING_INTERVAL_MS, untilScan) : untilScan;
    this.#timer = setTimeout(() => this.#tick(), delay);
  }

  #cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#immediate) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  #tick(): void {
    const now = this.#deps.clock.monotonic();
    try {
      // Timers have a grain of a millisecond and may come a little early.
      if (now >= this.#nextScanAt - 1) {
        this.#nextScanAt = now + this.#interval();
        this.#isWatchedThroughout = now - this.#lastScanAt <= this.#stallMs();
        this.#scan(now);
        this.#afterScan(now);
      } else {
        for (const watched of this.#waiting) this.#look(watched, now);
      }
      this.#deliver();
    } catch (error) {
      this.#deps.logger.error({ err: error }, "The scan failed; it goes on with the next one");
    }
    if (this.#running) this.#schedule();
  }

  #afterScan(startedAt: number): void {
    const gap = startedAt - this.#lastScanAt;
    this.#lastScanAt = startedAt;
    const now = this.#deps.clock.monotonic();
    // Smoothed, so that one scan that was interrupted does not slow the next ones down.
    this.#scanMs += (now - startedAt - this.#scanMs) / 8;
    this.#nextScanAt = now + this.#interval();
    if (!this.#isWatchedThroughout) this.#deps.onStall(gap);
    this.#deps.onScan?.();
  }

  #scan(now: number): void {
    const directory = this.#directory.look(now);
    for (const watched of this.#watched.values()) {
      const isReplaced = directory === "files-may-differ" && watched.file.checkInode();
      if (isReplaced) this.#deps.onFilesChanged();
      if (isReplaced || directory === "missing") this.#step(watched, null);
      this.#look(watched, now);
    }
    this.#firstScanDone = true;
    this.#scans += 1;
  }

  #look(watched: Watched, now: number): void {
    const { file } = watched;
    let look = file.look(now, isWaiting(watched.tracker));
    if (look === "gone" && file.isOpen && file.checkInode()) {
      this.#step(watched, null);
      look = file.look(now);
    }
    switch (look) {
      case "same":
        return;
      case "changed":
        this.#setComplaint(watched, null);
        if (file.takeNewIncarnation()) {
          this.#deps.onFilesChanged();
          this.#step(watched, null);
        }
        this.#step(watched, reading(file));
        return;
      case "gone":
        this.#step(watched, null);
        this.#complainIfDenied(watched);
        return;
      case "unknown-layout":
        this.#step(watched, null);
        this.#complainOfLayout(watched);
        return;
      case "torn":
        return; // ZoneMinder is writing right now: believed in the next scan or never
    }
  }

  #step(watched: Watched, read: Reading | null): void {
    const step = nextEdge(watched.tracker, read, this.#deps.clock.monotonic(), this.#traits(watched));
    watched.tracker = step.tracker;
    if (step.tracker.phase !== "waiting") {
      this.#waiting.delete(watched);
    } else if (!this.#waiting.has(watched)) {
      this.#waiting.add(watched);
      this.#lookAtOnce = true;
    }
    for (const edge of step.edges) this.#pass(watched, edge);
  }

  #pass(watched: Watched, edge: Edge): void {
    if (watched.held) watched.held.push(edge);
    else this.#apply(watched, edge);
  }

  #traits({ file, monitor }: Watched): EdgeTraits {
    return {
      idBeforeState: file.layout !== null && idComesBeforeState(file.layout, this.#version),
      recording: file.recording ?? monitor.recording,
      closesEventOnAlarm: monitor.closesEventOnAlarm,
      eventIdWaitMs: this.#deps.options.event_id_wait_ms,
      isWatchedThroughout: this.#isWatchedThroughout,
    };
  }

  #apply(watched: Watched, edge: Edge): void {
    const now = this.#deps.clock.now();
    if (edge.kind === "ended") {
      // What ended before the first look ended while nobody watched.
      const late = !this.#firstScanDone;
      if (watched.current) this.#batch.push({ ...watched.current, phase: "ended", seenAt: now, late });
      watched.current = null;
    } else if (edge.doubtful && edge.event !== null) {
      this.#settle(watched, edge, edge.event);
    } else {
      this.#begin(watched, edge, edge.event, now);
    }
  }

  #begin(
    watched: Watched,
    edge: Extract<Edge, { kind: "started" }>,
    event: EventId | null,
    now: number,
  ): void {
    const { monitor } = watched;
    watched.current = {
      id: alarmId(monitor.id, event, edge.edge, now),
      monitor,
      eventId: event,
      edge: event === null ? 1 : edge.edge,
      phase: "started",
      cause: edge.cause,
      seenAt: now,
      late: edge.late,
    };
    this.#batch.push(watched.current);
  }

  /** Asks the database whether the event the alarm seems to belong to is still open, then goes on in order. */
  #settle(watched: Watched, edge: Extract<Edge, { kind: "started" }>, event: EventId): void {
    watched.held = [];
    const recordsOnMotion = this.#traits(watched).recording === "on-motion";
    const settle = (open: boolean | null) => {
      const settled = open === true || (open === null && !recordsOnMotion) ? event : null;
      watched.tracker = settleEvent(watched.tracker, event, settled);
      this.#begin(watched, edge, settled, this.#deps.clock.now());
      const held = watched.held ?? [];
      watched.held = null;
      for (const later of held) this.#pass(watched, later);
      this.#deliver();
    };
    void within(this.#deps.isEventOpen(event), DOUBT_TIMEOUT_MS).then(settle);
  }

  #deliver(): void {
    if (this.#batch.length === 0) return;
    const alarms = this.#batch;
    this.#batch = [];
    try {
      this.#deps.onAlarms(alarms);
    } catch (error) {
      this.#deps.logger.error({ err: error }, "Alarms could not be told; the watching goes on");
    }
  }

  #complainOfLayout(watched: Watched): void {
    const { shared, trigger } = watched.file.seenSizes ?? { shared: 0, trigger: null };
    const sizes = `SharedData ${shared} bytes, TriggerData ${trigger ?? "none"}, ZoneMinder ${describe(this.#version)}`;
    const monitor = `${watched.monitor.id} (${watched.monitor.name})`;
    const { code, message, hint } = new AppError("ZM_SHM_UNKNOWN_LAYOUT", { monitor, sizes });
    this.#setComplaint(watched, `${message}. ${hint} [${code}]`);
  }

  #complainIfDenied(watched: Watched): void {
    const { openError, path } = watched.file;
    if (openError === null) return;
    this.#setComplaint(
      watched,
      `Monitor ${watched.monitor.id} (${watched.monitor.name}): ${path} cannot be read (${openError}). ` +
        "Run as the user of ZoneMinder's web server (www-data or apache)",
    );
  }

  #setComplaint(watched: Watched, complaint: string | null): void {
    if (complaint !== null && complaint !== watched.complaint) this.#deps.logger.error(complaint);
    watched.complaint = complaint;
  }
}

/** The alarm that ran when the program ended, so that its end is reported. */
function runningBefore(monitor: Monitor, { event, edge, at }: ToldEarlier): Alarm {
  const id = alarmId(monitor.id, event, edge, at);
  return { id, monitor, eventId: event, edge, phase: "started", cause: "", seenAt: at, late: false };
}

function reading(file: ShmFile): Reading {
  return { state: file.state, lastEvent: file.lastEvent, cause: file.cause };
}

function describe(version: ZmVersion | null): string {
  return version === null ? "version unknown" : formatVersion(version);
}
