// One camera of a ZoneMinder that is not there: writes a genuine shared-memory file, byte for byte as zmc does.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../lib/clock.ts";
import {
  ALARM_CAUSE_BYTES,
  RECORDING_BYTE,
  SHM_LAYOUTS,
  type ShmLayout,
  TRIGGER,
  TRIGGER_ON,
  TRIGGER_SIZE,
} from "../zoneminder/shm-layout.ts";
import { ShmWriter } from "./shm-writer.ts";
import { type AlarmStep, usualWriteOrder } from "./write-order.ts";

export interface SimulatedCameraOptions {
  /** Stands for ZM_PATH_MAP. */
  readonly directory: string;
  readonly id: number;
  /** The one of ZoneMinder 1.38 when not given. */
  readonly layout?: ShmLayout;
  /** How states are numbered; follows the layout (newest release of it) when not given. */
  readonly stateEnum?: "A" | "B";
  /** Follows the layout when not given. */
  readonly writeOrder?: readonly AlarmStep[];
  readonly recording?: keyof typeof RECORDING_BYTE;
  readonly clock?: Clock;
}

interface SimulatedAlarm {
  /** Absent: the alarm belongs to the event that is open, or to none. */
  readonly eventId?: number;
  readonly cause: string;
  /** What 1.36.15 and later 1.36 show before the event exists ("Motion Z1,Z2"); `cause` when not given. */
  readonly firstCause?: string;
}

type SimulatedState = "idle" | "prealarm" | "alarm" | "alert" | "tape";

export interface SimulatedCamera {
  readonly id: number;
  readonly path: string;
  readonly layout: ShmLayout;
  /** Makes the file, or takes over the existing one as zmc does: zeroes, fields, `valid` last. */
  create(): void;
  /** The first half of `create`: the file exists with its size but holds zeroes. */
  createZeroed(): void;
  /** The second half of `create`. */
  fill(): void;
  setState(state: SimulatedState): void;
  setIdle(): void;
  /** ALARM, event id and cause in the order of the release. */
  beginAlarm(alarm: SimulatedAlarm): void;
  /** The same one step at a time, for looking between two of them. */
  alarmSteps(alarm: SimulatedAlarm): readonly { readonly step: AlarmStep; write(): void }[];
  /** ALERT, as after the last frame with motion; `endAlarm` follows. */
  setAlert(): void;
  /** IDLE, event id and cause stay as they are (ZoneMinder never clears them when an event closes). */
  endAlarm(): void;
  setLastEvent(eventId: number): void;
  setCause(cause: string): void;
  setTrigger(trigger: { readonly on: boolean; readonly cause?: string }): void;
  setSignal(signal: boolean): void;
  /** What zmc writes with every frame: heartbeat and time of the last picture. */
  heartbeat(): void;
  /** A lost camera from 1.36 on: the file is unlinked and a new one with another inode is made. */
  reinitialise(): void;
  /** Leaves an invalid segment in the unlinked inode and no file, as a clean end of zmc. */
  remove(): void;
  /** Raw bytes anywhere, for files that ZoneMinder would not write. */
  writeBytes(offset: number, bytes: Uint8Array): void;
  /** Cuts or extends the file. */
  truncate(length: number): void;
  /** Closes the descriptor and leaves the file, as a killed zmc does. */
  abandon(): void;
}

/** Builds the camera; there is no file before `create`. */
export function createSimulatedCamera(options: SimulatedCameraOptions): SimulatedCamera {
  return new CameraFile(options);
}

/** The layout that current releases write. */
export function currentLayout(): ShmLayout {
  return layoutById("zm-1.38.0");
}

/** Throws when there is no such layout: its id comes from a test or from this program. */
export function layoutById(id: string, abi: ShmLayout["abi"] = "default"): ShmLayout {
  const layout = SHM_LAYOUTS.find((candidate) => candidate.id === id && candidate.abi === abi);
  if (!layout) throw new Error(`There is no shared-memory layout ${id} (${abi}).`);
  return layout;
}

const STATES = {
  A: { idle: 0, prealarm: 1, alarm: 2, alert: 3, tape: 4 },
  B: { idle: 1, prealarm: 2, alarm: 3, alert: 4, tape: 5 },
} as const satisfies Record<string, Record<SimulatedState, number>>;

/** Layouts whose newest release numbers the states from IDLE=0. */
const OLD_NUMBERING = /^zm-(1\.30|1\.32|dev-1\.31|dev-1\.35)/;

/** 640 x 480 with 4 bytes a pixel: what `imagesize` says, and how large the (sparse, never written) images are. */
const IMAGE_BYTES = 640 * 480 * 4;
const IMAGE_COUNT = 3;
/** Between the two structures and the images: VideoStoreData and one timeval per image, images aligned to 64. */
const BETWEEN_BYTES = 4128 + IMAGE_COUNT * 16 + 64;
/** 1.36.34 keeps audio_channels here, -1 without sound; it tells that layout from a snapshot of the same size. */
const AUDIO_CHANNELS_1_36_34 = { default: 92, i386: 88 } as const;

class CameraFile implements SimulatedCamera {
  readonly id: number;
  readonly path: string;
  readonly layout: ShmLayout;
  readonly #states: Readonly<Record<SimulatedState, number>>;
  readonly #order: readonly AlarmStep[];
  readonly #recording: number;
  readonly #clock: Clock;
  readonly #file = new ShmWriter();

  constructor(options: SimulatedCameraOptions) {
    this.id = options.id;
    this.path = join(options.directory, `zm.mmap.${options.id}`);
    this.layout = options.layout ?? currentLayout();
    this.#states = STATES[options.stateEnum ?? (OLD_NUMBERING.test(this.layout.id) ? "A" : "B")];
    this.#order = options.writeOrder ?? usualWriteOrder(this.layout.id);
    this.#recording = RECORDING_BYTE[options.recording ?? "onMotion"];
    this.#clock = options.clock ?? systemClock;
  }

  create(): void {
    this.createZeroed();
    this.fill();
  }

  createZeroed(): void {
    this.#file.open(this.path);
    const head = this.layout.sharedSize + TRIGGER_SIZE;
    this.truncate(head + BETWEEN_BYTES + IMAGE_COUNT * IMAGE_BYTES);
    this.writeBytes(0, new Uint8Array(head));
  }

  fill(): void {
    const { layout } = this;
    this.#file.u32(0, layout.sharedSize);
    this.#file.u32(layout.sharedSize, TRIGGER_SIZE);
    this.setIdle();
    this.setLastEvent(0);
    this.#file.u32(layout.imageSize, IMAGE_BYTES);
    this.setSignal(true);
    if (layout.recording === null) {
      this.#file.u8(layout.valid + 1, 1); // active
    } else {
      this.#file.u8(layout.recording - 2, 3); // capturing: Always
      this.#file.u8(layout.recording - 1, 2); // analysing: Always
      this.#file.u8(layout.recording, this.#recording);
    }
    if (layout.id === "zm-1.36.34") this.#file.u32(AUDIO_CHANNELS_1_36_34[layout.abi], 0xffff_ffff);
    if (layout.startupTime !== null) this.#seconds(layout.startupTime);
    this.heartbeat();
    // Last of all: readers trust nothing before it.
    this.#file.u8(layout.valid, 1);
  }

  setState(state: SimulatedState): void {
    this.#file.u32(this.layout.state, this.#states[state]);
  }

  setIdle(): void {
    this.setState("idle");
  }

  setAlert(): void {
    this.setState("alert");
  }

  endAlarm(): void {
    this.setIdle();
  }

  beginAlarm(alarm: SimulatedAlarm): void {
    for (const { write } of this.alarmSteps(alarm)) write();
  }

  alarmSteps(alarm: SimulatedAlarm): readonly { readonly step: AlarmStep; write(): void }[] {
    const writers: Record<AlarmStep, () => void> = {
      state: () => this.setState("alarm"),
      event: () => {
        if (alarm.eventId !== undefined) this.setLastEvent(alarm.eventId);
      },
      cause: () => this.setCause(alarm.cause),
      "first-cause": () => this.setCause(alarm.firstCause ?? alarm.cause),
    };
    return this.#order.map((step) => ({ step, write: writers[step] }));
  }

  setLastEvent(eventId: number): void {
    const { lastEvent, lastEventBytes } = this.layout;
    if (lastEventBytes === 4) this.#file.u32(lastEvent, eventId);
    else this.#file.u64(lastEvent, eventId);
  }

  setCause(cause: string): void {
    // 1.26 to 1.30 have no such field.
    if (this.layout.alarmCause !== null) this.#file.text(this.layout.alarmCause, cause, ALARM_CAUSE_BYTES);
  }

  setTrigger(trigger: { readonly on: boolean; readonly cause?: string }): void {
    const base = this.layout.sharedSize;
    // Cause and score stay after a cancel: only the state means something then.
    if (trigger.cause !== undefined) this.#file.text(base + TRIGGER.cause, trigger.cause, TRIGGER.causeBytes);
    if (trigger.on) this.#file.u32(base + TRIGGER.score, 255);
    this.#file.u32(base + TRIGGER.state, trigger.on ? TRIGGER_ON : 0);
  }

  setSignal(signal: boolean): void {
    this.#file.u8(this.layout.signal, signal ? 1 : 0);
  }

  heartbeat(): void {
    if (this.layout.heartbeatTime !== null) this.#seconds(this.layout.heartbeatTime);
    this.#seconds(this.layout.lastWriteTime);
  }

  reinitialise(): void {
    this.remove();
    this.create();
  }

  remove(): void {
    if (!this.#file.isOpen) return;
    rmSync(this.path, { force: true });
    this.#file.u8(this.layout.valid, 0);
    this.abandon();
  }

  writeBytes(offset: number, bytes: Uint8Array): void {
    this.#file.bytes(offset, bytes);
  }

  truncate(length: number): void {
    this.#file.truncate(length);
  }

  abandon(): void {
    this.#file.close();
  }

  #seconds(offset: number): void {
    this.#file.u64(offset, Math.floor(this.#clock.now() / 1000));
  }
}
