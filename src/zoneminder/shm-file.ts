// Reads one monitor's shared-memory file, and believes only what two looks in a row agree on.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { type EventId, eventId } from "../domain/alarm.ts";
import type { MonitorState } from "../domain/edges.ts";
import {
  ALARM_CAUSE_BYTES,
  chooseLayout,
  HEAD_BYTES,
  learnNumbering,
  RECORDING_BYTE,
  readLength,
  type ShmLayout,
  type StateNumbering,
  stateNumbering,
  TRIGGER,
  TRIGGER_ON,
  TRIGGER_SIZE,
} from "./shm-layout.ts";
import type { ZmVersion } from "./version.ts";

/** The largest layout reads 888 + 560 bytes; one buffer serves all files, for reading is synchronous. */
const buffer = Buffer.alloc(2048);
/** How often a read is repeated in one scan when ZoneMinder is just writing. */
const READ_ATTEMPTS = 4;
/** Everybody may write to /dev/shm: opening a pipe of that name would wait for its writer, and all cameras with it. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** What a look at the file found. "same": nothing an alarm could hang on has changed since the last one. */
export type Look = "same" | "changed" | "gone" | "torn" | "unknown-layout";

export class ShmFile {
  readonly path: string;
  /** The size fields seen, for the message about an unknown layout. */
  seenSizes: { readonly shared: number; readonly trigger: number | null } | null = null;
  layout: ShmLayout | null = null;
  state: MonitorState = "unknown";
  lastEvent: EventId | null = null;
  cause = "";
  /** From 1.37.7 shared memory itself says how the monitor records; null where it does not. */
  recording: "none" | "on-motion" | "always" | null = null;
  /** Why the file could not be opened ("EACCES"); null when it could, or is not there. */
  openError: string | null = null;
  #version: ZmVersion | null;
  #numbering: StateNumbering = "undecided";
  #fd = -1;
  #inode = 0;
  #rawState = -1;
  #rawStateSince = 0;
  #rawEventLow = -1;
  #rawEventHigh = -1;
  #startupLow = -1;
  #newIncarnation = false;

  constructor(path: string, version: ZmVersion | null) {
    this.path = path;
    this.#version = version;
  }

  /** ZoneMinder's version decides between layouts of one size; a new one re-reads the file from scratch. */
  setVersion(version: ZmVersion | null): void {
    this.#version = version;
    this.#forget();
  }

  /**
   * Compares the inode behind the path with the open one. ZoneMinder 1.36 and later replaces the file whenever a
   * camera reconnects. Returns true when the file was replaced or has vanished.
   */
  checkInode(): boolean {
    const found = this.#inodeOfPath();
    if (found === this.#inode && this.#fd >= 0) return false;
    const had = this.#fd >= 0;
    this.close();
    if (found !== 0) this.#open();
    return had;
  }

  /** 0 when there is no file, or none that can be looked at. */
  #inodeOfPath(): number {
    try {
      const found = statSync(this.path, { throwIfNoEntry: false });
      if (!found) this.openError = null;
      return found?.ino ?? 0;
    } catch (error) {
      this.openError = (error as NodeJS.ErrnoException).code ?? "unknown";
      return 0;
    }
  }

  get isOpen(): boolean {
    return this.#fd >= 0;
  }

  /** True once after ZoneMinder initialised the segment again (`startup_time` changed) without replacing it. */
  takeNewIncarnation(): boolean {
    const is = this.#newIncarnation;
    this.#newIncarnation = false;
    return is;
  }

  /**
   * Reads the head; goes on to the whole only when something changed, or when `whole` asks for it (the cause may
   * have changed alone). `now` in ms, any steady clock.
   */
  look(now: number, whole = false): Look {
    if (this.#fd < 0) return "gone";
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      if (!this.#readHead()) return this.#onUnreadable();
      const layout = this.layout ?? this.#chooseLayout();
      if (layout === null) return buffer.readUInt32LE(0) === 0 ? "gone" : "unknown-layout";
      if (buffer.readUInt32LE(0) !== layout.sharedSize) return this.#onUnreadable();
      if (buffer.readUInt8(layout.valid) !== 1) return this.#onUnreadable();
      if (!whole && this.#isUnchanged(layout, now)) return "same";
      if (this.#believe(layout, now)) return "changed";
    }
    return "torn";
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#inode = 0;
    this.#forget();
  }

  #open(): void {
    try {
      this.#fd = openSync(this.path, OPEN_FLAGS);
      // Of the open file, not of the path: ZoneMinder may have replaced it since, and nobody would ever notice.
      this.#inode = fstatSync(this.#fd).ino;
      this.openError = null;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown";
      this.openError = code === "ENOENT" ? null : code;
    }
  }

  #forget(): void {
    this.layout = null;
    this.#rawState = -1;
    this.#startupLow = -1;
  }

  #readHead(): boolean {
    try {
      return readSync(this.#fd, buffer, 0, HEAD_BYTES, 0) === HEAD_BYTES;
    } catch {
      return false;
    }
  }

  #onUnreadable(): Look {
    this.#forget();
    return "gone";
  }

  #chooseLayout(): ShmLayout | null {
    const layout = chooseLayout(buffer, this.#version);
    if (layout === null) {
      const shared = buffer.readUInt32LE(0);
      const complete = readWhole(this.#fd, Math.min(shared + 4, buffer.length)) === shared + 4;
      this.seenSizes = { shared, trigger: complete ? buffer.readUInt32LE(shared) : null };
      buffer.writeUInt32LE(shared, 0);
      return null;
    }
    this.layout = layout;
    this.#numbering = stateNumbering(layout, this.#version);
    return layout;
  }

  #isUnchanged(layout: ShmLayout, now: number): boolean {
    const raw = buffer.readUInt32LE(layout.state);
    if (raw !== this.#rawState) return false;
    const learned = learnNumbering(layout, this.#numbering, raw, now - this.#rawStateSince);
    if (learned !== this.#numbering) {
      this.#numbering = learned;
      return false;
    }
    return (
      buffer.readUInt32LE(layout.lastEvent) === this.#rawEventLow &&
      eventHigh(layout) === this.#rawEventHigh &&
      startupLow(layout) === this.#startupLow
    );
  }

  /** Two whole reads in a row must agree on state, event and cause before they are believed. */
  #believe(layout: ShmLayout, now: number): boolean {
    const length = readLength(layout);
    const rawState = buffer.readUInt32LE(layout.state);
    const low = buffer.readUInt32LE(layout.lastEvent);
    const high = eventHigh(layout);
    let cause: string | null = null;
    for (let pass = 0; pass < 2; pass++) {
      if (readWhole(this.#fd, length) !== length) return false;
      if (buffer.readUInt32LE(layout.sharedSize) !== TRIGGER_SIZE) return false;
      if (buffer.readUInt8(layout.valid) !== 1) return false;
      if (buffer.readUInt32LE(layout.state) !== rawState) return false;
      if (buffer.readUInt32LE(layout.lastEvent) !== low || eventHigh(layout) !== high) return false;
      const read = readCause(layout);
      if (cause !== null && cause !== read) return false;
      cause = read;
    }
    this.#adopt(layout, now, cause ?? "", rawState, low, high);
    return true;
  }

  #adopt(layout: ShmLayout, now: number, cause: string, rawState: number, low: number, high: number): void {
    if (rawState !== this.#rawState) this.#rawStateSince = now;
    this.#numbering = learnNumbering(layout, this.#numbering, rawState, now - this.#rawStateSince);
    const startup = startupLow(layout);
    if (this.#startupLow !== -1 && startup !== this.#startupLow) this.#newIncarnation = true;
    this.#rawState = rawState;
    this.#rawEventLow = low;
    this.#rawEventHigh = high;
    this.#startupLow = startup;
    this.state = decodeState(rawState, this.#numbering);
    this.lastEvent = eventId(high * 2 ** 32 + low);
    this.cause = cause;
    this.recording = decodeRecording(layout);
  }
}

/** The name of a raw state number; "unknown" for what ZoneMinder never means as an alarm. */
export function decodeState(raw: number, numbering: StateNumbering): MonitorState {
  if (numbering === "undecided") return "unknown";
  return (numbering === "A" ? STATES_A : STATES_B)[raw] ?? "unknown";
}

const STATES_A: readonly MonitorState[] = ["idle", "prealarm", "alarm", "alert", "tape"];
const STATES_B: readonly MonitorState[] = ["unknown", "idle", "prealarm", "alarm", "alert", "tape"];

function readWhole(fd: number, length: number): number {
  try {
    return readSync(fd, buffer, 0, length, 0);
  } catch {
    return 0;
  }
}

function eventHigh(layout: ShmLayout): number {
  return layout.lastEventBytes === 8 ? buffer.readUInt32LE(layout.lastEvent + 4) : 0;
}

function startupLow(layout: ShmLayout): number {
  return layout.startupTime === null ? 0 : buffer.readUInt32LE(layout.startupTime);
}

/** `alarm_cause`, else the cause of a trigger that is on right now (an old one stays in the struct for ever). */
function readCause(layout: ShmLayout): string {
  const cause = layout.alarmCause === null ? "" : readText(layout.alarmCause, ALARM_CAUSE_BYTES);
  if (cause !== "") return cause;
  const trigger = layout.sharedSize;
  if (buffer.readUInt32LE(trigger + TRIGGER.state) !== TRIGGER_ON) return "";
  return readText(trigger + TRIGGER.cause, TRIGGER.causeBytes);
}

/** A C string; a character cut in half at the field's end is left out. */
function readText(offset: number, bytes: number): string {
  const end = buffer.indexOf(0, offset);
  const stop = end < 0 || end > offset + bytes ? offset + bytes : end;
  return buffer
    .toString("utf8", offset, stop)
    .replace(/\uFFFD+$/, "")
    .trim();
}

function decodeRecording(layout: ShmLayout): ShmFile["recording"] {
  if (layout.recording === null) return null;
  switch (buffer.readUInt8(layout.recording)) {
    case RECORDING_BYTE.none:
      return "none";
    case RECORDING_BYTE.onMotion:
      return "on-motion";
    case RECORDING_BYTE.always:
      return "always";
    default:
      return null;
  }
}
