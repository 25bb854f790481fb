// What the detector is asked, and what it answers: plain data that passes between processes.
import type { DetectSettings } from "../domain/detect-settings.ts";
import type { DetectionResult } from "../domain/detection.ts";
import type { EventSource, FileSource, MonitorFacts } from "../domain/detection-source.ts";

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

export interface DetectionAnswer {
  readonly result: DetectionResult;
  /** Exactly what the original's script printed: text, `--SPLIT--`, JSON; empty when nothing was found. */
  readonly printed: string;
  /** The models that looked, with family, size and device: "yolo11n: YOLO11, 640x640, 80 labels, CPU". */
  readonly engines?: readonly string[] | undefined;
}
