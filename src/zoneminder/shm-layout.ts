// Where things are in ZoneMinder's shared memory, for every release from 1.26 to 1.39, and which layout a file has.
import { isAtLeast, type ZmVersion } from "./version.ts";

/**
 * How states are numbered. A: IDLE=0 PREALARM=1 ALARM=2 ALERT=3 TAPE=4, UNKNOWN=-1.
 * B: UNKNOWN=0 IDLE=1 PREALARM=2 ALARM=3 ALERT=4 TAPE=5; C, from 1.37.55 on, is B without TAPE and is read as B.
 */
export type StateNumbering = "A" | "B" | "undecided";

/** Byte offsets inside one `zm.mmap.<id>` file; null where a release has no such field. */
export interface ShmLayout {
  readonly id: string;
  /** The releases that write it, for messages. */
  readonly releases: string;
  /** "i386": 32-bit x86, where 8-byte numbers are aligned to 4; "default": every other machine. */
  readonly abi: "default" | "i386";
  /** First u32 of the file: sizeof(SharedData). TriggerData begins there. */
  readonly sharedSize: number;
  readonly state: number;
  readonly lastEvent: number;
  readonly lastEventBytes: 4 | 8;
  readonly valid: number;
  readonly signal: number;
  readonly imageSize: number;
  readonly recording: number | null;
  readonly startupTime: number | null;
  readonly heartbeatTime: number | null;
  readonly lastWriteTime: number;
  readonly alarmCause: number | null;
}

/** sizeof(TriggerData) in every release: size, state, score, padding, cause[32], text[256], showtext[256]. */
export const TRIGGER_SIZE = 560;
/** Offsets inside TriggerData. */
export const TRIGGER = { state: 4, score: 8, cause: 16, causeBytes: 32 } as const;
/** TriggerData.trigger_state when an alarm is forced from outside (`zmu -a`, zmtrigger). */
export const TRIGGER_ON = 1;
export const ALARM_CAUSE_BYTES = 256;
/** The `recording` byte from 1.37.7 on. */
export const RECORDING_BYTE = { none: 1, onMotion: 2, always: 3 } as const;

/** Bytes worth reading from a file of this layout: both structures, no images. */
export function readLength(layout: ShmLayout): number {
  return layout.sharedSize + TRIGGER_SIZE;
}

// Offsets computed from zm_monitor.h of each revision and checked with `offsetof` for every tag from 1.29.0 to 1.39.11.
// id, releases, abi, size, state, last_event, its bytes, valid, signal, imagesize, recording, startup, heartbeat,
// last_write, alarm_cause
// biome-ignore format: one line for each layout
const ROWS: readonly Parameters<typeof layoutOf>[] = [
  ["zm-1.30", "1.26 - 1.30.5", "default", 336, 12, 16, 4, 48, 50, 52, null, null, null, 64, null],
  ["zm-dev-1.31-a", "dev 1.30.7 - 1.31.39", "default", 344, 12, 16, 4, 48, 50, 52, null, 64, null, 72, null],
  ["zm-dev-1.31-b", "dev 1.31.1", "default", 592, 12, 16, 4, 48, 50, 52, null, null, null, 64, 336],
  ["zm-dev-1.31-c", "dev 1.31.39 - 1.31.44", "default", 600, 12, 16, 4, 48, 50, 52, null, 64, null, 72, 344],
  ["zm-1.32.0", "1.32.0 - 1.32.2", "default", 608, 12, 16, 8, 52, 54, 56, null, 72, null, 80, 352],
  ["zm-1.32.0", "1.32.0 - 1.32.2", "i386", 604, 12, 16, 8, 52, 54, 56, null, 68, null, 76, 348],
  ["zm-1.32.3", "1.32.3 - 1.34.26", "default", 600, 12, 16, 8, 52, 54, 56, null, 64, null, 72, 344],
  ["zm-dev-1.35-a", "dev 1.35.5 - 1.35.16", "default", 616, 12, 16, 8, 52, 54, 56, null, 64, 72, 88, 360],
  ["zm-dev-1.35-b", "dev 1.35.15 - 1.35.19", "default", 632, 12, 32, 8, 68, 70, 72, null, 80, 88, 104, 376],
  ["zm-1.36.0", "1.36.0 - 1.36.33", "default", 760, 12, 32, 8, 68, 70, 72, null, 88, 96, 104, 376],
  ["zm-1.36.34", "1.36.34 - 1.36.39", "default", 768, 16, 40, 8, 76, 78, 80, null, 96, 104, 112, 384],
  ["zm-1.36.34", "1.36.34 - 1.36.39", "i386", 764, 16, 36, 8, 72, 74, 76, null, 92, 100, 108, 380],
  ["zm-dev-1.37-a", "dev 1.37.1, 1.37.6 - 1.37.7", "default", 768, 12, 32, 8, 68, 70, 72, null, 88, 96, 104, 384],
  ["zm-dev-1.37-b", "dev 1.37.7 - 1.37.22", "default", 776, 12, 32, 8, 68, 72, 76, 71, 96, 104, 112, 392],
  ["zm-dev-1.37-c", "dev 1.37.21 - 1.37.40", "default", 840, 12, 32, 8, 68, 72, 76, 71, 96, 104, 112, 392],
  ["zm-dev-1.37-d", "dev 1.37.40 - 1.37.60", "default", 856, 12, 48, 8, 84, 88, 92, 87, 112, 120, 128, 408],
  ["zm-1.37.61", "1.37.61 - 1.37.76", "default", 864, 16, 56, 8, 92, 96, 100, 95, 120, 128, 136, 416],
  ["zm-1.37.61", "1.37.61 - 1.37.76", "i386", 856, 16, 52, 8, 88, 92, 96, 91, 112, 120, 128, 408],
  ["zm-1.38.0", "1.38.0 - 1.39.16", "default", 872, 16, 56, 8, 92, 96, 100, 95, 120, 128, 136, 424],
  ["zm-1.38.0", "1.38.0 - 1.39.16", "i386", 864, 16, 52, 8, 88, 92, 96, 91, 112, 120, 128, 416],
  ["zm-1.39.17", "1.39.17 - 1.39.22", "default", 888, 16, 56, 8, 92, 96, 100, 95, 120, 128, 136, 424],
  ["zm-1.39.17", "1.39.17", "i386", 880, 16, 52, 8, 88, 92, 96, 91, 112, 120, 128, 416],
];

/** Every known layout. */
export const SHM_LAYOUTS: readonly ShmLayout[] = ROWS.map((row) => layoutOf(...row));

/** A row of the table; the parameters are its columns. */
function layoutOf(
  id: string,
  releases: string,
  abi: ShmLayout["abi"],
  sharedSize: number,
  state: number,
  lastEvent: number,
  lastEventBytes: 4 | 8,
  valid: number,
  signal: number,
  imageSize: number,
  recording: number | null,
  startupTime: number | null,
  heartbeatTime: number | null,
  lastWriteTime: number,
  alarmCause: number | null,
): ShmLayout {
  return {
    id,
    releases,
    abi,
    sharedSize,
    state,
    lastEvent,
    lastEventBytes,
    valid,
    signal,
    imageSize,
    recording,
    startupTime,
    heartbeatTime,
    lastWriteTime,
    alarmCause,
  };
}

/** Bytes of a file's head that `chooseLayout` looks at. */
export const HEAD_BYTES = 128;

/**
 * The layout of a file, from its first bytes and, where two share a size, ZoneMinder's version, the machine and the
 * bytes themselves. `head` holds at least 128 bytes. null for a size nobody has written.
 */
export function chooseLayout(head: Buffer, version: ZmVersion | null): ShmLayout | null {
  const candidates = SHM_LAYOUTS.filter((layout) => layout.sharedSize === head.readUInt32LE(0));
  const [first, second] = candidates;
  if (first === undefined || second === undefined) return first ?? null;
  const choose = (test: boolean) => (test ? first : second);
  switch (first.sharedSize) {
    case 600: // zm-dev-1.31-c, zm-1.32.3
      if (version) return choose(!isAtLeast(version, 1, 31, 45));
      return choose(head.readUInt8(second.valid) !== 1 && head.readUInt8(first.valid) === 1);
    case 768: // zm-1.36.34, zm-dev-1.37-a
      if (version) return choose(!isAtLeast(version, 1, 37, 0));
      // Offset 92 is audio_channels (-1 unless set) in 1.36.34, the high half of startup_time in the snapshots.
      return choose(head.readUInt32LE(92) !== 0);
    case 856: // zm-dev-1.37-d on 64 bits, zm-1.37.61 on 32
      return choose(version === null || !isAtLeast(version, 1, 37, 61));
    default: // 864: zm-1.37.61 on 64 bits, zm-1.38.0 on 32
      return choose(version === null || !isAtLeast(version, 1, 37, 77));
  }
}

/**
 * The state numbering of a file (facts: UNKNOWN moved from -1 to 0 in 1.36.16, and to and fro in development
 * snapshots). "undecided" when only the bytes can tell: see `learnNumbering`.
 */
export function stateNumbering(layout: ShmLayout, version: ZmVersion | null): StateNumbering {
  switch (layout.id) {
    case "zm-1.36.0":
      if (version === null) return "undecided";
      return isAtLeast(version, 1, 36, 16) && !(version.minor === 37 && version.patch === 0) ? "B" : "A";
    case "zm-dev-1.37-a":
      return version !== null && isAtLeast(version, 1, 37, 6) ? "B" : version === null ? "undecided" : "A";
    case "zm-dev-1.37-d":
      // 1.37.48 is the one number that lies wholly inside the three weeks of the old numbering.
      return version?.minor === 37 && version.patch === 48 ? "A" : "B";
    case "zm-dev-1.37-b":
    case "zm-dev-1.37-c":
    case "zm-1.36.34":
    case "zm-1.37.61":
    case "zm-1.38.0":
    case "zm-1.39.17":
      return "B";
    default:
      return "A";
  }
}

/** A PREALARM lasts a few frames, an ALERT seldom a minute: a state held longer is a state of rest. */
const PREALARM_AT_MOST_MS = 3_000;
const ALERT_AT_MOST_MS = 60_000;

/**
 * Corrects the numbering by what only one of them can contain: 0 and -1 prove A, 5 proves B; 1 held for seconds is
 * B's IDLE (A's PREALARM passes quickly); 4 held for a minute is A's TAPE. Also heals a database that still names
 * the release before an upgrade. Only for layouts where both occur.
 */
export function learnNumbering(
  layout: ShmLayout,
  current: StateNumbering,
  rawState: number,
  heldMs: number,
): StateNumbering {
  if (!BOTH_NUMBERINGS.has(layout.id)) return current;
  if (rawState === 0 || rawState === 0xffff_ffff) return "A";
  if (rawState === 5) return "B";
  if (rawState === 1 && heldMs >= PREALARM_AT_MOST_MS) return "B";
  if (rawState === 4 && heldMs >= ALERT_AT_MOST_MS && current === "undecided") return "A";
  return current;
}

const BOTH_NUMBERINGS: ReadonlySet<string> = new Set([
  "zm-1.36.0",
  "zm-dev-1.35-a",
  "zm-dev-1.37-a",
  "zm-dev-1.37-d",
]);
