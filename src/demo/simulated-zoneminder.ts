// A ZoneMinder that is not there: cameras with names that see something now and then.
import { type Clock, systemClock } from "../lib/clock.ts";
import { createSimulatedCamera, type SimulatedCamera } from "./simulated-camera.ts";

export interface SimulatedZoneMinderOptions {
  /** Stands for ZM_PATH_MAP. */
  readonly directory: string;
  /** How many cameras; their ids are 1, 2, 3, ... */
  readonly monitors: number;
  /** From one alarm to the next, at a random camera. */
  readonly everyMs: number;
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** An alarm as it was written into shared memory. */
interface WrittenAlarm {
  readonly monitor: number;
  readonly eventId: number;
  readonly cause: string;
  /** `clock.monotonic()` right before the byte that says ALARM was written. */
  readonly writtenAt: number;
}

export interface SimulatedZoneMinder {
  readonly monitors: readonly { readonly id: number; readonly name: string }[];
  /** Makes the files and begins to see things. */
  start(): void;
  /** An alarm now, at a random camera that is at rest; null when none is. */
  alarm(): WrittenAlarm | null;
  /** The alarm that opened this event; undefined for one long past. */
  written(eventId: number): WrittenAlarm | undefined;
  /** Removes the files. May be called twice. */
  stop(): void;
}

/** Builds it; nothing happens before `start`. */
export function createSimulatedZoneMinder(options: SimulatedZoneMinderOptions): SimulatedZoneMinder {
  return new Simulation(options);
}

const NAMES = [
  "Front Door",
  "Garage",
  "Yard",
  "Barn",
  "Driveway",
  "Back Door",
  "Greenhouse",
  "Workshop",
  "Cellar",
  "Attic",
  "Pool",
  "Gate",
] as const;
const ZONES = ["Drive", "Path", "Doorstep", "Fence", "All"] as const;

/** The first alarm comes soon: whoever starts a demo is looking at it. */
const FIRST_ALARM_MS = 1000;
const ALARM_AT_MOST_MS = 3000;
/** The last part of an alarm is ALERT, as after the last frame with motion. */
const ALERT_SHARE = 0.3;
/** Five frames a second, as a modest camera gives. */
const FRAME_MS = 200;
/** Looked up within milliseconds; this many is plenty. */
const REMEMBERED_ALARMS = 1000;

class Simulation implements SimulatedZoneMinder {
  readonly monitors: readonly { readonly id: number; readonly name: string }[];
  readonly #cameras: readonly SimulatedCamera[];
  readonly #resting = new Set<SimulatedCamera>();
  readonly #alarms = new Map<number, WrittenAlarm>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #everyMs: number;
  readonly #alarmMs: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  #frames: NodeJS.Timeout | undefined;
  #lastEvent = 0;

  constructor(options: SimulatedZoneMinderOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#everyMs = options.everyMs;
    // Short enough that there is always a camera at rest for the next alarm.
    this.#alarmMs = Math.min(ALARM_AT_MOST_MS, (options.everyMs * options.monitors) / 2);
    this.monitors = Array.from({ length: options.monitors }, (_, index) => ({
      id: index + 1,
      name: cameraName(index),
    }));
    this.#cameras = this.monitors.map(({ id }) =>
      createSimulatedCamera({ directory: options.directory, id, clock: this.#clock }),
    );
  }

  start(): void {
    for (const camera of this.#cameras) {
      camera.create();
      this.#resting.add(camera);
    }
    this.#frames = setInterval(() => {
      for (const camera of this.#cameras) camera.heartbeat();
    }, FRAME_MS);
    this.#later(Math.min(FIRST_ALARM_MS, this.#everyMs), () => this.#repeat());
  }

  alarm(): WrittenAlarm | null {
    const camera = this.#pick([...this.#resting]);
    if (camera === undefined) return null;
    this.#lastEvent += 1;
    // Cause of ZoneMinder 1.37 and later: the kind, a colon, the zones.
    const cause = `Motion:${this.#pick(ZONES) ?? "All"}`;
    const eventId = this.#lastEvent;
    const alarm = { monitor: camera.id, eventId, cause, writtenAt: this.#clock.monotonic() };
    this.#remember(alarm);
    this.#resting.delete(camera);
    camera.beginAlarm({ eventId, cause });
    this.#later(this.#alarmMs * (1 - ALERT_SHARE), () => camera.setAlert());
    this.#later(this.#alarmMs, () => {
      camera.endAlarm();
      this.#resting.add(camera);
    });
    return alarm;
  }

  written(eventId: number): WrittenAlarm | undefined {
    return this.#alarms.get(eventId);
  }

  stop(): void {
    clearInterval(this.#frames);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#resting.clear();
    for (const camera of this.#cameras) camera.remove();
  }

  #repeat(): void {
    this.alarm();
    this.#later(this.#everyMs, () => this.#repeat());
  }

  #remember(alarm: WrittenAlarm): void {
    this.#alarms.set(alarm.eventId, alarm);
    this.#alarms.delete(alarm.eventId - REMEMBERED_ALARMS);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}

/** "Front Door", and from the second round on "Front Door 2". */
function cameraName(index: number): string {
  const round = Math.floor(index / NAMES.length);
  const name = NAMES[index % NAMES.length] ?? "Camera";
  return round === 0 ? name : `${name} ${round + 1}`;
}
