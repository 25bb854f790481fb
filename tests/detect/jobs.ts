// Jobs and settings for tests that are about what happens around a detection.
import type { DetectionJob } from "../../src/detect/job.ts";
import type { DetectSettings, EngineSettings } from "../../src/domain/detect-settings.ts";

/** Nothing special: the snapshot, everything counts, nothing is written. */
export function someSettings(change: Partial<DetectSettings> = {}): DetectSettings {
  return {
    frames: {
      frameSet: ["snapshot"],
      isBestMatch: true,
      waitMs: 0,
      maxAttempts: 1,
      sleepBetweenAttemptsMs: 0,
      delayBetweenFramesMs: 0,
      delayBetweenSnapshotsMs: 0,
      contiguousErrors: 5,
      maxFrames: null,
      convertSnapshotToFrame: false,
      resizeWidth: null,
      portal: null,
    },
    sequence: [],
    frameStrategy: "most_models",
    zones: {
      own: [],
      useZoneMinder: false,
      onlyTriggered: false,
      rule: "touches",
      minOverlapPercent: 0,
      patternReplaces: false,
    },
    past: {
      isOn: false,
      maxDifference: { unit: "percent", value: 5 },
      maxDifferences: {},
      ignoredLabels: [],
    },
    aliases: [],
    output: {
      showPercent: false,
      showModels: false,
      showFrameMark: true,
      writeImageToZm: false,
      debugFolder: null,
      drawPolygons: false,
      polygonColor: [0, 0, 0],
      polygonThickness: 0,
      animation: null,
    },
    ...change,
  };
}

/** One model for everything; the rest as above. */
export function looking(engine: EngineSettings): DetectSettings {
  const model = { name: "it", engine, minConfidence: 0.3, maxDetectionSize: null, preExistingLabels: [] };
  const group = { pattern: ".*", preExistingLabels: [], strategy: "first", maxDetectionSize: null } as const;
  return someSettings({ sequence: [{ type: "object", ...group, maxDetectionSizes: {}, models: [model] }] });
}

export interface JobFacts {
  readonly event?: number;
  readonly monitor?: number;
  readonly cause?: string;
  readonly root?: string | null;
  readonly settings?: DetectSettings;
  readonly outputFolder?: string | null;
}

export function aJob(facts: JobFacts = {}): DetectionJob {
  const { event = 1, monitor = 1, cause = "Motion", root = null, settings = someSettings() } = facts;
  return {
    source: {
      kind: "event",
      event,
      root,
      folders: ["."],
      isOpen: false,
      video: "",
      digits: 5,
      bestFrame: null,
      alarmFrame: null,
      frameTimes: {},
    },
    monitor: { id: monitor, name: `Camera ${monitor}`, width: 640, height: 480, zones: [] },
    cause,
    settings,
    outputFolder: facts.outputFolder ?? null,
    drawTo: null,
  };
}
