// The scan loop: looks at every monitor's shared memory and hands on what has begun and ended. Owns the only fast timer.
import type { Alarm } from "../domain/alarm.ts";
import type { Monitor, MonitorId } from "../domain/monitor.ts";
import type { Part } from "../lib/lifecycle.ts";
import { MapDirectory } from "./map-directory.ts";
import { MonitorWatch, type MonitorWatchDeps, type ScanContext, type ToldEarlier } from "./monitor-watch.ts";
import { isSameVersion, type ZmVersion } from "./version.ts";

export interface WatcherDeps extends MonitorWatchDeps {
  readonly options: MonitorWatchDeps["options"] & {
    /** "auto": 10 ms while somebody listens, 50 ms otherwise; a number is kept to, in ms. */
    readonly scan_interval_ms: "auto" | number;
  };
  /** All alarms of one scan together, beginnings and ends in order. Called inside the scan: must be quick. */
  readonly onAlarms: (alarms: readonly Alarm[]) => void;
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

export class Watcher implements Part {
  readonly name = "watcher";
  readonly #deps: WatcherDeps;
  readonly #directory: MapDirectory;
  readonly #watches = new Map<MonitorId, MonitorWatch>();
  /** Those whose alarm waits for the id of its event. */
  readonly #waiting = new Set<MonitorWatch>();
  /** What all monitors see of the scan. */
  readonly #context: { -readonly [Key in keyof ScanContext]: ScanContext[Key] };
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  /** An alarm has just begun to wait: usually the rest of it is there a moment later. */
  #lookAtOnce = false;
  #running = false;
  #listening = false;
  #lastScanAt = 0;
  #nextScanAt = 0;
  #scans = 0;
  #scanMs = 0;
  #batch: Alarm[] = [];

  constructor(deps: WatcherDeps) {
    this.#deps = deps;
    this.#directory = new MapDirectory(deps.mapPath, deps);
    this.#context = {
      version: null,
      isFirstDone: false,
      isWatchedThroughout: true,
      onAlarm: (alarm) => this.#batch.push(alarm),
      onSettled: () => this.#deliver(),
      onWaiting: (watch, waits) => this.#onWaiting(watch, waits),
    };
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#lastScanAt = this.#deps.clock.monotonic();
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancel();
    for (const watch of this.#watches.values()) watch.close();
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
    const wanted = new Set(monitors.map((monitor) => monitor.id));
    const isOtherVersion = !isSameVersion(version, this.#context.version);
    this.#context.version = version;
    for (const [id, watch] of this.#watches) {
      if (wanted.has(id)) {
        if (isOtherVersion) watch.onVersion();
      } else {
        watch.onRemoved();
        this.#watches.delete(id);
      }
    }
    for (const monitor of monitors) {
      const known = this.#watches.get(monitor.id);
      if (known) {
        known.setMonitor(monitor);
      } else {
        const watch = new MonitorWatch(monitor, remembered(monitor.id), this.#deps, this.#context);
        this.#watches.set(monitor.id, watch);
      }
    }
    this.#directory.invalidate(); // look at all files in the next scan
    this.#deliver();
  }

  /** Alarms told after the fact, from the database: live ones inside the same events count on from them. */
  noteTold(alarms: readonly Alarm[]): void {
    for (const { monitor, eventId, edge } of alarms) {
      if (eventId !== null) this.#watches.get(monitor.id)?.noteTold(eventId, edge);
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
    return { scans: this.#scans, scanMs: this.#scanMs, monitors: this.#watches.size };
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
        this.#context.isWatchedThroughout = now - this.#lastScanAt <= this.#stallMs();
        this.#scan(now);
        this.#afterScan(now);
      } else {
        for (const watch of this.#waiting) watch.look(now);
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
    if (!this.#context.isWatchedThroughout) this.#deps.onStall(gap);
    this.#deps.onScan?.();
  }

  #scan(now: number): void {
    const directory = this.#directory.look(now);
    for (const watch of this.#watches.values()) {
      if (directory === "files-may-differ") watch.checkFile();
      else if (directory === "missing") watch.onFolderMissing();
      watch.look(now);
    }
    this.#context.isFirstDone = true;
    this.#scans += 1;
  }

  #onWaiting(watch: MonitorWatch, waits: boolean): void {
    if (waits) this.#waiting.add(watch);
    else this.#waiting.delete(watch);
    if (waits) this.#lookAtOnce = true;
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
}
