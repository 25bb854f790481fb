// The alarm state machine of one monitor: readings of shared memory go in, beginnings and ends of alarms come out.
import type { EventId } from "./alarm.ts";
import type { RecordingMode } from "./monitor.ts";

export type MonitorState = "unknown" | "idle" | "prealarm" | "alarm" | "alert" | "tape";

/** What one believed look at shared memory said. */
export interface Reading {
  readonly state: MonitorState;
  /** null while the segment has had no event since it was initialised. */
  readonly lastEvent: EventId | null;
  readonly cause: string;
}

/** What is known of the way this ZoneMinder writes and this monitor records. */
export interface EdgeTraits {
  /** From 1.34.19 to before 1.37.50 the event's id is in memory before the state says ALARM; elsewhere after it. */
  readonly idBeforeState: boolean;
  readonly recording: RecordingMode;
  readonly closesEventOnAlarm: boolean | null;
  /** How long to wait for the id of the event where it comes after the state, in ms. */
  readonly eventIdWaitMs: number;
  /** False when nobody looked for so long that the database is asked what happened meanwhile. */
  readonly isWatchedThroughout: boolean;
}

export type Edge =
  | {
      readonly kind: "started";
      readonly event: EventId | null;
      readonly edge: number;
      readonly cause: string;
      /** It was already running when the program first looked. */
      readonly late: boolean;
      /**
       * The id did not change although a new event was expected: right only if that event is still open
       * (`Events.EndDateTime IS NULL`); otherwise there is no event. Whoever can ask the database settles it.
       */
      readonly doubtful: boolean;
    }
  | { readonly kind: "ended" };

interface Memory {
  /** The last event id seen, whatever it was for. */
  readonly lastEvent: EventId | null;
  /** The event of the last alarm told, and how many alarms were told inside it. */
  readonly told: EventId | null;
  readonly count: number;
}

export type Tracker = Memory &
  (
    | { readonly phase: "unseen"; readonly late: boolean; readonly resume: boolean }
    | { readonly phase: "quiet" }
    /** ALARM is visible, the event's id not yet; or it is, and the cause gets one more look (`settling`). */
    | { readonly phase: "waiting"; readonly since: number; readonly settling: boolean }
    /** `nameless`: told without an event; the first id to appear belongs to the same alarm. */
    | { readonly phase: "alarmed"; readonly event: EventId | null; readonly nameless: boolean }
    /** The segment went away during an alarm; either it comes back as it was, or the alarm is over. */
    | { readonly phase: "interrupted"; readonly since: number; readonly event: EventId | null }
  );

export interface Step {
  readonly tracker: Tracker;
  readonly edges: readonly Edge[];
}

/** A camera process that restarts is away for a few hundred ms; whoever is away longer has ended his alarm. */
const INTERRUPTION_MS = 2_000;
const NO_EDGES: readonly Edge[] = [];
const ENDED: Edge = { kind: "ended" };

/** How a monitor is remembered from the last run of the program. */
export interface Remembered {
  readonly event: EventId | null;
  readonly edge: number;
  readonly open: boolean;
  /** When that alarm was seen, ms since 1970. */
  readonly at?: number;
}

/**
 * A tracker for a monitor that has not been looked at yet. `late`: the program just started, so an alarm found
 * running began before. `remembered`: what was last told of it; an open alarm found still running is not told again.
 */
export function newTracker(late: boolean, remembered: Remembered | null): Tracker {
  return {
    phase: "unseen",
    late,
    resume: remembered?.open ?? false,
    lastEvent: remembered?.event ?? null,
    told: remembered?.event ?? null,
    count: remembered?.edge ?? 0,
  };
}

/** An alarm of this event was found in the database and told: the next one inside it counts on from there. */
export function noteTold(tracker: Tracker, event: EventId, edge: number): Tracker {
  if (tracker.told === event) return edge > tracker.count ? { ...tracker, count: edge } : tracker;
  return tracker.lastEvent === event ? { ...tracker, told: event, count: edge } : tracker;
}

/** True when the tracker wants the next look even if no byte has changed. */
export function isWaiting(tracker: Tracker): boolean {
  return tracker.phase === "waiting" || tracker.phase === "interrupted";
}

/**
 * One step of the machine; pure. `reading` is null when the segment is gone, invalid or being re-initialised.
 * An alarm begins with an edge into ALARM or ALERT, or with a new event id during one; ALERT to ALARM is no edge.
 * `now` in ms. Sources: zoneminder release families as in the traits.
 */
export function nextEdge(tracker: Tracker, reading: Reading | null, now: number, traits: EdgeTraits): Step {
  if (reading === null) return onGone(tracker, now);
  if (reading.state === "unknown") return { tracker, edges: NO_EDGES };
  const active = reading.state === "alarm" || reading.state === "alert";
  switch (tracker.phase) {
    case "unseen":
      return active
        ? firstSeenActive(tracker, reading, now, traits)
        : quiet(tracker, reading, unseenEnd(tracker));
    case "quiet":
      return active ? begin(tracker, reading, now, traits, NO_EDGES) : atRest(tracker, reading, traits);
    case "waiting":
      return active ? awaitEvent(tracker, reading, now, traits) : endedWhileWaiting(tracker, reading, traits);
    case "alarmed":
      return active ? duringAlarm(tracker, reading, now, traits) : quiet(tracker, reading, [ENDED]);
    case "interrupted":
      if (!active) return quiet(tracker, reading, [ENDED]);
      if (tracker.event !== null && tracker.event === reading.lastEvent) {
        return alarmed(tracker, tracker.event, reading, NO_EDGES);
      }
      return begin(tracker, reading, now, traits, [ENDED]);
  }
}

/**
 * Tells the machine what the database said about a doubtful event: `settled` is null when it was already closed. An
 * alarm that has begun since then is not touched.
 */
export function settleEvent(tracker: Tracker, doubtful: EventId, settled: EventId | null): Tracker {
  if (tracker.phase !== "alarmed" || tracker.event !== doubtful || settled !== null) return tracker;
  return { ...tracker, event: null, nameless: true };
}

/**
 * Where the id comes after the state, an event on motion that is new at rest belongs to an alarm shorter than the time
 * between two looks. TAPE would be a continuous recording that the database does not know of yet.
 */
function atRest(tracker: Tracker, reading: Reading, traits: EdgeTraits): Step {
  const isNewId = reading.lastEvent !== null && reading.lastEvent !== tracker.lastEvent;
  const isOnMotion = traits.recording === "on-motion" && reading.state !== "tape";
  if (!isNewId || !isOnMotion || traits.idBeforeState || !traits.isWatchedThroughout) {
    return quiet(tracker, reading, NO_EDGES);
  }
  const begun = start(tracker, reading.lastEvent, reading, { late: false, doubtful: false }, NO_EDGES);
  return quiet(begun.tracker, reading, [...begun.edges, ENDED]);
}

function firstSeenActive(
  tracker: Extract<Tracker, { phase: "unseen" }>,
  reading: Reading,
  now: number,
  traits: EdgeTraits,
): Step {
  if (tracker.resume && (tracker.told === reading.lastEvent || traits.recording === "none")) {
    return alarmed(tracker, tracker.told, reading, NO_EDGES);
  }
  if (!tracker.late) return begin(tracker, reading, now, traits, unseenEnd(tracker));
  const event = traits.recording === "none" ? null : reading.lastEvent;
  return start(tracker, event, reading, { late: true, doubtful: false }, unseenEnd(tracker));
}

/** The alarm that ran when the program ended is over; when, nobody saw. */
function unseenEnd(tracker: Extract<Tracker, { phase: "unseen" }>): readonly Edge[] {
  return tracker.resume ? [ENDED] : NO_EDGES;
}

/** An alarm has begun: bind it to its event at once where that is certain, else wait. */
function begin(
  tracker: Tracker,
  reading: Reading,
  now: number,
  traits: EdgeTraits,
  before: readonly Edge[],
): Step {
  const sure = { late: false, doubtful: false };
  // Memory is newer than the database: a new id proves that the monitor was switched to recording since.
  const isNewId = tracker.phase !== "unseen" && reading.lastEvent !== tracker.lastEvent;
  if (traits.recording === "none" && (reading.lastEvent === null || !isNewId)) {
    return start(tracker, null, reading, sure, before);
  }
  if (traits.idBeforeState) {
    // Recording on motion opens an event for each alarm, so the id last told of cannot be this one's.
    const stale = reading.lastEvent !== null && reading.lastEvent === tracker.told;
    const doubtful = stale && traits.recording === "on-motion";
    return start(tracker, reading.lastEvent, reading, { late: false, doubtful }, before);
  }
  if (reading.lastEvent !== null && reading.lastEvent !== tracker.lastEvent) {
    return wait(tracker, reading, now, true, before); // the cause is written after the id
  }
  if (traits.recording === "always" && traits.closesEventOnAlarm === false && reading.lastEvent !== null) {
    return start(tracker, reading.lastEvent, reading, sure, before);
  }
  return wait(tracker, reading, now, false, before);
}

function awaitEvent(
  tracker: Extract<Tracker, { phase: "waiting" }>,
  reading: Reading,
  now: number,
  traits: EdgeTraits,
): Step {
  const changed = reading.lastEvent !== null && reading.lastEvent !== tracker.lastEvent;
  if (tracker.settling && !changed) {
    return start(tracker, reading.lastEvent, reading, { late: false, doubtful: false }, NO_EDGES);
  }
  if (changed) return wait(tracker, reading, tracker.since, true, NO_EDGES);
  if (now - tracker.since < traits.eventIdWaitMs) return { tracker, edges: NO_EDGES };
  return start(tracker, reading.lastEvent, reading, { late: false, doubtful: true }, NO_EDGES);
}

/** Shorter than a scan, or the process closed its event at once: it is told all the same, then ended. */
function endedWhileWaiting(
  tracker: Extract<Tracker, { phase: "waiting" }>,
  reading: Reading,
  traits: EdgeTraits,
): Step {
  const changed = reading.lastEvent !== null && reading.lastEvent !== tracker.lastEvent;
  const doubtful = !changed && !tracker.settling && traits.recording !== "always";
  const begun = start(tracker, reading.lastEvent, reading, { late: false, doubtful }, NO_EDGES);
  return quiet(begun.tracker, reading, [...begun.edges, ENDED]);
}

function duringAlarm(
  tracker: Extract<Tracker, { phase: "alarmed" }>,
  reading: Reading,
  now: number,
  traits: EdgeTraits,
): Step {
  if (reading.lastEvent === null || reading.lastEvent === tracker.lastEvent)
    return { tracker, edges: NO_EDGES };
  if (tracker.nameless) return alarmed(tracker, reading.lastEvent, reading, NO_EDGES);
  return begin({ ...tracker }, reading, now, { ...traits, recording: "unknown" }, [ENDED]);
}

function onGone(tracker: Tracker, now: number): Step {
  if (tracker.phase === "alarmed") {
    const { lastEvent, told, count, event } = tracker;
    return { tracker: { phase: "interrupted", since: now, event, lastEvent, told, count }, edges: NO_EDGES };
  }
  if (tracker.phase === "interrupted" && now - tracker.since >= INTERRUPTION_MS) {
    return { tracker: quietMemory(tracker), edges: [ENDED] };
  }
  if (tracker.phase === "waiting") {
    // The alarm was seen; that the rest of it never was must not lose it.
    const event = tracker.settling ? tracker.lastEvent : null;
    const reading: Reading = { state: "alarm", lastEvent: event, cause: "" };
    const begun = start(tracker, event, reading, { late: false, doubtful: false }, NO_EDGES);
    return { tracker: quietMemory(begun.tracker), edges: [...begun.edges, ENDED] };
  }
  if (tracker.phase === "unseen" && tracker.late) {
    // Nothing was running when the program started: whatever comes up now is new.
    return { tracker: { ...tracker, late: false, resume: false }, edges: unseenEnd(tracker) };
  }
  return { tracker, edges: NO_EDGES };
}

function start(
  memory: Memory,
  event: EventId | null,
  reading: Reading,
  how: { readonly late: boolean; readonly doubtful: boolean },
  before: readonly Edge[],
): Step {
  const edge = event !== null && event === memory.told ? memory.count + 1 : 1;
  const started: Edge = { kind: "started", event, edge, cause: reading.cause, ...how };
  const lastEvent = reading.lastEvent ?? memory.lastEvent;
  return {
    tracker: { phase: "alarmed", event, nameless: event === null, lastEvent, told: event, count: edge },
    edges: [...before, started],
  };
}

function wait(
  memory: Memory,
  reading: Reading,
  since: number,
  settling: boolean,
  before: readonly Edge[],
): Step {
  const lastEvent = settling ? reading.lastEvent : memory.lastEvent;
  return {
    tracker: { phase: "waiting", since, settling, lastEvent, told: memory.told, count: memory.count },
    edges: before,
  };
}

function alarmed(memory: Memory, event: EventId | null, reading: Reading, edges: readonly Edge[]): Step {
  const lastEvent = reading.lastEvent ?? memory.lastEvent;
  const count = event !== null && event === memory.told ? memory.count : 1;
  return {
    tracker: { phase: "alarmed", event, nameless: event === null, lastEvent, told: event, count },
    edges,
  };
}

function quiet(memory: Memory, reading: Reading, edges: readonly Edge[]): Step {
  return { tracker: quietMemory({ ...memory, lastEvent: reading.lastEvent ?? memory.lastEvent }), edges };
}

function quietMemory({ lastEvent, told, count }: Memory): Tracker {
  return { phase: "quiet", lastEvent, told, count };
}
