// How a monitor's pictures are to be searched: what the configuration files of all versions come down to.
import type { ModelType, Point } from "./detection.ts";

/** Everything that is in force for one monitor. */
export interface DetectSettings {
  readonly frames: FrameSettings;
  /** The kinds of models in their order (`model_sequence`), each with the models that are tried. */
  readonly sequence: readonly ModelGroup[];
  /** How the best picture is chosen (`frame_strategy`). */
  readonly frameStrategy: "most_models" | "first" | "most" | "most_unique";
  readonly zones: ZoneSettings;
  readonly past: PastSettings;
  /** Labels that mean the same, besides those every program knows (motorbike, motorcycle). */
  readonly aliases: readonly (readonly string[])[];
  readonly output: OutputSettings;
}

/** Where pictures come from, and how patiently. Times are in ms. */
export interface FrameSettings {
  /** "snapshot", "alarm" or frame numbers, in the order in which they are looked at. */
  readonly frameSet: readonly string[];
  /** True: the mark of the winning picture is [a] or [s]; false: [x]. */
  readonly isBestMatch: boolean;
  /** Waited for before anything (`wait`). */
  readonly waitMs: number;
  readonly maxAttempts: number;
  readonly sleepBetweenAttemptsMs: number;
  readonly delayBetweenFramesMs: number;
  /** Before the second look at a picture that ZoneMinder rewrites (`delay_between_snapshots`). */
  readonly delayBetweenSnapshotsMs: number;
  /** So many pictures in a row that cannot be read end the search (`contig_frames_before_error`). */
  readonly contiguousErrors: number;
  readonly maxFrames: number | null;
  /** `snapshot` means the frame with the highest score, which does not change any more. */
  readonly convertSnapshotToFrame: boolean;
  /** Wider pictures are made smaller before analysis; null: not. Never enlarged. */
  readonly resizeWidth: number | null;
  /** ZoneMinder's web pages and API, for pictures of a storage that is not on this machine; null: not configured. */
  readonly portal: PortalSettings | null;
}

export interface PortalSettings {
  readonly url: string;
  readonly apiUrl: string | null;
  readonly user: string | null;
  readonly password: string | null;
  readonly allowSelfSigned: boolean;
}

export interface ModelGroup {
  readonly type: ModelType;
  /** Python regular expression, matched at the start of the label as Python's re.match does. */
  readonly pattern: string;
  /** This kind is searched only after one of these labels was found; empty: always. */
  readonly preExistingLabels: readonly string[];
  /** How the models of one kind combine (`same_model_sequence_strategy`). */
  readonly strategy: "first" | "most" | "most_unique" | "union";
  readonly maxDetectionSize: AreaLimit | null;
  /** For single labels (`<label>_max_detection_size`). */
  readonly maxDetectionSizes: Readonly<Record<string, AreaLimit>>;
  readonly models: readonly ModelSettings[];
}

/** A share of the picture's area, or an area in square pixels. */
export interface AreaLimit {
  readonly unit: "percent" | "pixels";
  readonly value: number;
}

export interface ModelSettings {
  readonly name: string;
  readonly engine: EngineSettings;
  /** From 0 to 1. */
  readonly minConfidence: number;
  readonly maxDetectionSize: AreaLimit | null;
  readonly preExistingLabels: readonly string[];
}

/** One of the engines, with what it needs. Paths are absolute. */
export type EngineSettings =
  | OnnxSettings
  | DarknetSettings
  | HogSettings
  | RemoteSettings
  | CommandSettings
  | PlateSettings;

export interface OnnxSettings {
  readonly kind: "onnx";
  readonly weights: string;
  /** A file with one label per line; null: from the model. */
  readonly labels: string | null;
  /** For layouts that look alike (`model_layout`); null: recognized. */
  readonly layout: string | null;
  /** For models whose input has no fixed size; null: from the model, else 640. */
  readonly inputSize: { readonly width: number; readonly height: number } | null;
  readonly processor: "cpu" | "gpu";
}

export interface DarknetSettings {
  readonly kind: "darknet";
  readonly config: string;
  readonly weights: string;
  readonly labels: string | null;
  readonly processor: "cpu" | "gpu";
}

export interface HogSettings {
  readonly kind: "hog";
  readonly stride: readonly [x: number, y: number];
  readonly padding: readonly [x: number, y: number];
  readonly scale: number;
  readonly useMeanShift: boolean;
  /** Weaker answers are left out; 0 as the original. */
  readonly minWeight: number;
}

export interface RemoteSettings {
  readonly kind: "remote";
  /** "mlapi" (version 6) or "pyzm" (pyzm.serve, version 7). */
  readonly protocol: "mlapi" | "pyzm";
  readonly url: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly timeoutMs: number;
  readonly allowSelfSigned: boolean;
  /** What is used when it does not answer (`ml_fallback_local`); null: nothing. */
  readonly fallback: EngineSettings | null;
}

export interface CommandSettings {
  readonly kind: "command";
  /** Program and arguments; "{file}" is replaced by the picture's path, appended when it does not occur. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

/** Plate Recognizer, in its cloud or on a machine of one's own. */
export interface PlateSettings {
  readonly kind: "plates";
  readonly url: string;
  readonly key: string | null;
  readonly regions: readonly string[];
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly minDetectionScore: number;
  readonly minScore: number;
  readonly timeoutMs: number;
}

export interface ZoneSettings {
  /** Polygons of the operator, in pixels or percent of the whole picture. */
  readonly own: readonly ZoneSetting[];
  readonly useZoneMinder: boolean;
  /** Only those of ZoneMinder's zones that the alarm's cause names. */
  readonly onlyTriggered: boolean;
  /** "touches": the box meets the polygon, as the original; "bottom_center": where it stands lies in it. */
  readonly rule: "touches" | "bottom_center";
  /** Share of the box, in percent, that must lie in the polygon; 0: any. */
  readonly minOverlapPercent: number;
  /** True (version 3 to 6): a zone's pattern replaces the group's; false (7): it can only narrow it. */
  readonly patternReplaces: boolean;
}

export interface ZoneSetting {
  readonly name: string;
  /** Empty: only lends its patterns to ZoneMinder's zone of this name (`<name>_zone_detection_pattern`). */
  readonly points: readonly Point[];
  readonly unit: "pixels" | "percent";
  readonly pattern: string | null;
  readonly ignorePattern: string | null;
}

export interface PastSettings {
  readonly isOn: boolean;
  readonly maxDifference: AreaLimit;
  /** For single labels (`<label>_past_det_max_diff_area`). */
  readonly maxDifferences: Readonly<Record<string, AreaLimit>>;
  readonly ignoredLabels: readonly string[];
}

export interface OutputSettings {
  readonly showPercent: boolean;
  readonly showModels: boolean;
  /** False: without [a], [s] or [x] in front. */
  readonly showFrameMark: boolean;
  /** objdetect.jpg and objects.json in the event's folder. */
  readonly writeImageToZm: boolean;
  /** A picture with what was rejected too, in this folder; null: none. */
  readonly debugFolder: string | null;
  readonly drawPolygons: boolean;
  /** Red, green, blue. */
  readonly polygonColor: readonly [red: number, green: number, blue: number];
  /** In pixels; 0: none. */
  readonly polygonThickness: number;
  readonly animation: AnimationSettings | null;
}

export interface AnimationSettings {
  readonly types: readonly ("mp4" | "gif")[];
  readonly width: number;
  readonly isFastGif: boolean;
  readonly maxTries: number;
  readonly retryMs: number;
}
