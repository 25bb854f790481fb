// What there is to look at: an event of ZoneMinder or a file, and the monitor with its zones. Plain data that passes between processes.

/** A picture (JPEG, PNG, WebP) or a video in a file. */
export interface FileSource {
  readonly kind: "file";
  readonly path: string;
}

/** An event of ZoneMinder, as its tables describe it. */
export interface EventSource {
  readonly kind: "event";
  readonly event: number;
  /** The folder of the storage, absolute; null: the storage is not on this machine, pictures come over http. */
  readonly root: string | null;
  /** Where the event may be below `root`, most likely first. */
  readonly folders: readonly string[];
  /** False once ZoneMinder has closed the event: what is not there then will not come. */
  readonly isOpen: boolean;
  /** `Events.DefaultVideo`; may be empty or stale while recording. */
  readonly video: string;
  /** ZM_EVENT_IMAGE_DIGITS. */
  readonly digits: number;
  /** Frame with the highest score (`MaxScoreFrameId`, or by `Frames`); null when not known yet. */
  readonly bestFrame: number | null;
  /** First frame of the alarm; null when not known yet. */
  readonly alarmFrame: number | null;
  /** Seconds from the beginning of the event, by frame number, where known. */
  readonly frameTimes: Readonly<Record<number, number>>;
}

export interface MonitorFacts {
  readonly id: number;
  readonly name: string;
  /** Of its pictures, after rotation, in pixels. */
  readonly width: number;
  readonly height: number;
  /** As in the table Zones; which of them count is decided with the settings. */
  readonly zones: readonly ZoneFacts[];
}

export interface ZoneFacts {
  readonly name: string;
  /** Active, Inclusive, Exclusive, Preclusive, Inactive or Privacy. */
  readonly type: string;
  /** Pixels or Percent; with a "." in `coords`, Percent is meant of them too (ZoneMinder 1.39.2). */
  readonly units: string;
  /** "x,y x,y ..." */
  readonly coords: string;
}
