// Watches one monitor: each look at its shared memory becomes alarms that begin and end, in their order.
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
import type { Monitor } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import { idComesBeforeState } from "./release-family.ts";
import { ShmFile } from "./shm-file.ts";
import { cannotBeRead, unknownLayout } from "./unreadable-memory.ts";
import type { ZmVersion } from "./version.ts";

/** What was last told of a monitor in an earlier run, and when it was seen. */
export interface ToldEarlier extends Remembered {
  /** ms since 1970 */
  readonly at: number;
}

export interface MonitorWatchDeps {
  /** ZM_PATH_MAP, the folder of the `zm.mmap.<id>` files. */
  readonly mapPath: string;
  readonly options: {
    /** How long an alarm waits for the id of its event where ZoneMinder writes it later, in ms. */
    readonly event_id_wait_ms: number;
  };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the database says the event is still open; null when it cannot be asked. */
  readonly isEventOpen: (event: EventId) => Promise<boolean | null>;
  /**
   * `zm.mmap.*` files appeared, disappeared or were made anew, as after a change of a monitor's settings: what is
   * known of the monitors may have changed. Called often when all cameras start together.
   */
  readonly onFilesChanged: () => void;
}

/** The scan that goes through all monitors: what it knows, and what it wants to be told. One object for all. */
export interface ScanContext {
  /** ZoneMinder's version, null while unknown. */
  readonly version: ZmVersion | null;
  /** False until all monitors were looked at once. */
  readonly isFirstDone: boolean;
  /** False when nobody looked for so long that alarms may have come and gone. */
  readonly isWatchedThroughout: boolean;
  /** An alarm has begun or ended; it is told together with the others of the same scan. */
  readonly onAlarm: (alarm: Alarm) => void;
  /** The database has answered, between two scans: what was held back for it is there now. */
  readonly onSettled: () => void;
  /** An alarm begins to wait for the id of its event, or no longer does. */
  readonly onWaiting: (watch: MonitorWatch, waits: boolean) => void;
}

/** The database may be asked about a doubtful event this long; then the alarm is told as it is. */
const DOUBT_TIMEOUT_MS = 500;

type Started = Extract<Edge, { kind: "started" }>;

export class MonitorWatch {
  readonly #deps: MonitorWatchDeps;
  readonly #scan: ScanContext;
  #monitor: Monitor;
  readonly #file: ShmFile;
  #tracker: Tracker;
  /** The alarm that is running, as it was told. */
  #current: Alarm | null;
  /** Edges behind a doubtful one, kept in order until the database has answered. */
  #held: Edge[] | null = null;
  /** What was last said about its memory; null while that can be read. */
  #complaint: string | null = null;

  /** `last`: what was told of the monitor in an earlier run. */
  constructor(monitor: Monitor, last: ToldEarlier | null, deps: MonitorWatchDeps, scan: ScanContext) {
    this.#deps = deps;
    this.#scan = scan;
    this.#monitor = monitor;
    this.#file = new ShmFile(join(deps.mapPath, `zm.mmap.${monitor.id}`), scan.version);
    this.#tracker = newTracker(!scan.isFirstDone, last);
    this.#current = last?.open ? runningBefore(monitor, last) : null;
  }

  /** The monitor's settings were read again. */
  setMonitor(monitor: Monitor): void {
    this.#monitor = monitor;
  }

  /** The scan's `version` is another one now. */
  onVersion(): void {
    this.#file.setVersion(this.#scan.version);
  }

  /** An alarm of this event was told after the fact: live ones inside it count on from there. */
  noteTold(event: EventId, edge: number): void {
    this.#tracker = noteTold(this.#tracker, event, edge);
  }

  /** Follows the file when it was replaced; called when files may differ. */
  checkFile(): void {
    if (!this.#file.checkInode()) return;
    this.#deps.onFilesChanged();
    this.#step(null);
  }

  /** The folder of all files is gone. */
  onFolderMissing(): void {
    this.#step(null);
  }

  /** One look at the memory. `now` on the monotonic clock. */
  look(now: number): void {
    const file = this.#file;
    let look = file.look(now, isWaiting(this.#tracker));
    if (look === "gone" && file.isOpen && file.checkInode()) {
      this.#step(null);
      look = file.look(now);
    }
    switch (look) {
      case "same":
        return;
      case "changed":
        this.#complaint = null;
        if (file.takeNewIncarnation()) {
          this.#deps.onFilesChanged();
          this.#step(null);
        }
        this.#step(reading(file));
        return;
      case "gone":
        this.#step(null);
        if (file.openError !== null) this.#complain(cannotBeRead(this.#monitor, file, file.openError));
        return;
      case "unknown-layout":
        this.#step(null);
        this.#complain(unknownLayout(this.#monitor, file, this.#scan.version));
        return;
      case "torn":
        return; // ZoneMinder is writing right now: believed in the next scan or never
    }
  }

  /** The monitor is no longer there: what runs has ended. */
  onRemoved(): void {
    this.#step(null);
    this.#pass({ kind: "ended" });
    this.close();
  }

  close(): void {
    this.#file.close();
  }

  #step(read: Reading | null): void {
    const waited = this.#tracker.phase === "waiting";
    const step = nextEdge(this.#tracker, read, this.#deps.clock.monotonic(), this.#traits());
    this.#tracker = step.tracker;
    const waits = step.tracker.phase === "waiting";
    if (waits !== waited) this.#scan.onWaiting(this, waits);
    for (const edge of step.edges) this.#pass(edge);
  }

  #traits(): EdgeTraits {
    const { layout, recording } = this.#file;
    return {
      idBeforeState: layout !== null && idComesBeforeState(layout, this.#scan.version),
      recording: recording ?? this.#monitor.recording,
      closesEventOnAlarm: this.#monitor.closesEventOnAlarm,
      eventIdWaitMs: this.#deps.options.event_id_wait_ms,
      isWatchedThroughout: this.#scan.isWatchedThroughout,
    };
  }

  #pass(edge: Edge): void {
    if (this.#held) this.#held.push(edge);
    else if (edge.kind === "ended") this.#end();
    else if (edge.doubtful && edge.event !== null) this.#settle(edge, edge.event);
    else this.#begin(edge, edge.event);
  }

  #begin({ edge, cause, late }: Started, event: EventId | null): void {
    const now = this.#deps.clock.now();
    const monitor = this.#monitor;
    this.#current = {
      id: alarmId(monitor.id, event, edge, now),
      monitor,
      eventId: event,
      edge: event === null ? 1 : edge,
      phase: "started",
      cause,
      seenAt: now,
      late,
    };
    this.#scan.onAlarm(this.#current);
  }

  #end(): void {
    const seenAt = this.#deps.clock.now();
    // What ended before the first look ended while nobody watched.
    const late = !this.#scan.isFirstDone;
    if (this.#current) this.#scan.onAlarm({ ...this.#current, phase: "ended", seenAt, late });
    this.#current = null;
  }

  /** Asks the database whether the event the alarm seems to belong to is still open, then goes on in order. */
  #settle(edge: Started, event: EventId): void {
    this.#held = [];
    const recordsOnMotion = this.#traits().recording === "on-motion";
    const settle = (open: boolean | null) => {
      const settled = open === true || (open === null && !recordsOnMotion) ? event : null;
      this.#tracker = settleEvent(this.#tracker, event, settled);
      this.#begin(edge, settled);
      const held = this.#held ?? [];
      this.#held = null;
      for (const later of held) this.#pass(later);
      this.#scan.onSettled();
    };
    void within(this.#deps.isEventOpen(event), DOUBT_TIMEOUT_MS).then(settle);
  }

  /** Says it once for as long as it stays the same. */
  #complain(complaint: string): void {
    if (complaint !== this.#complaint) this.#deps.logger.error(complaint);
    this.#complaint = complaint;
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
