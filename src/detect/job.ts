// What the detector is asked, and what it answers: plain data that passes between processes.
import type { DetectSettings } from "../domain/detect-settings.ts";
import type { DetectionResult } from "../domain/detection.ts";

export interface DetectionJob {
  readonly source: EventSource | FileSource;
  /** Null when nobody knows the monitor: no zones of ZoneMinder, no past detections. */
  readonly monitor: MonitorFacts | null;
  /** ZoneMinder's own words for the alarm; names the zones for `only_triggered_zm_zones`. Empty: unknown. */
  readonly cause: string;
  readonly settings: DetectSettings;
  /** Where objdetect.jpg and objects.json go; null: nowhere. */
  readonly outputFolder: string | null;
  /** A picture with boxes goes here besides; null: none. For trying things out. */
  readonly drawTo: string | null;
}

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

export interface DetectionAnswer {
  readonly result: DetectionResult;
  /** Exactly what the original's script printed: text, `--SPLIT--`, JSON; empty when nothing was found. */
  readonly printed: string;
  /** The models that looked, with family, size and device: "yolo11n: YOLO11, 640x640, 80 labels, CPU". */
  readonly engines?: readonly string[] | undefined;
}
