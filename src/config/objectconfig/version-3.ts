// What objectconfig.ini of version 3.2 says: Darknet or OpenCV's people detector, one pattern, polygons.
import type { DetectSettings, ModelGroup, ModelSettings } from "../../domain/detect-settings.ts";
import { hogOf, modelOf, type OwnEngineSettings } from "./engines.ts";
import { NO_PATIENCE, oldFrameSet, portalOf, resizeWidth } from "./frames.ts";
import { takeColor } from "./outcome.ts";
import { note, type Reading } from "./reading.ts";
import { find, type Scope, scopeOf, takeFlag, takePattern, takeText } from "./take.ts";
import type { Entries } from "./value.ts";
import { type ZoneRules, zonesOf } from "./zones.ts";

/** `own`: of the monitor. `wantsHog`: detect_hog.py asks. */
export function settingsOf3(
  reading: Reading,
  own: Entries | undefined,
  rules: OwnEngineSettings & ZoneRules,
  wantsHog: boolean,
): DetectSettings {
  const scope = scopeOf(reading, reading.values);
  const frame = takeText(scope, "frame_id")?.toLowerCase() ?? "snapshot";
  const isYolo = find(scope, "weights", "config") !== null;
  const yolo = isYolo ? yoloOf(scope, rules) : [];
  const hog = hogModel(scope, rules);
  const boxes = find(scope, "write_bounding_boxes");
  if (boxes?.path.startsWith("general.") === false) note(reading, boxes, BOXES_ELSEWHERE);
  return {
    frames: {
      ...NO_PATIENCE,
      frameSet: oldFrameSet(scope, "snapshot", "a,s"),
      isBestMatch: frame === "bestmatch",
      resizeWidth: resizeWidth(scope, WIDTH),
      portal: portalOf(reading),
    },
    sequence: [groupOf(scope, wantsHog || yolo.length === 0 ? [hog] : yolo)],
    frameStrategy: "first",
    zones: zonesOf(reading, own, rules),
    past: {
      isOn: false,
      maxDifference: { unit: "percent", value: 5 },
      maxDifferences: {},
      ignoredLabels: [],
    },
    aliases: [],
    output: {
      showPercent: takeFlag(scope, false, "show_percent"),
      showModels: false,
      showFrameMark: true,
      writeImageToZm: takeFlag(scope, true, "write_bounding_boxes"),
      debugFolder: null,
      drawPolygons: true,
      polygonColor: takeColor(scope, "poly_color") ?? [141, 140, 127],
      polygonThickness: 2,
      animation: null,
    },
  };
}

/** What wider pictures are made smaller to where nothing is said. */
const WIDTH = 800;

function groupOf(scope: Scope, models: readonly ModelSettings[]): ModelGroup {
  return {
    type: "object",
    pattern: takePattern(scope, "detect_pattern") ?? ".*",
    preExistingLabels: [],
    strategy: "first",
    maxDetectionSize: null,
    maxDetectionSizes: {},
    models,
  };
}

/** What 3.2 kept, whatever its file said. */
const CONFIDENCE = 0.5;
const BOXES_ELSEWHERE =
  "it counts here too; version 3.2 itself read it in [general] only, whatever its sample said";
const NOT_READ_BY_3 =
  "it counts here, as its name says; version 3.2 itself did not read it and always took the default";

function yoloOf(scope: Scope, own: OwnEngineSettings): readonly ModelSettings[] {
  const { reading } = scope;
  const value = find(scope, "weights") ?? find(scope, "config");
  const built = modelOf(reading, "object", reading.values, own);
  if ("model" in built) {
    if (value !== null) note(reading, value, NOT_READ_BY_3);
    return [{ ...built.model, name: "yolo", minConfidence: CONFIDENCE }];
  }
  if (value !== null && built.unsupported !== null) note(reading, value, built.unsupported);
  return [];
}

function hogModel(scope: Scope, own: OwnEngineSettings): ModelSettings {
  // Its weight decides, not a confidence: 3.2 had none for it.
  return {
    name: "hog",
    engine: hogOf(scope, own),
    minConfidence: 0,
    maxDetectionSize: null,
    preExistingLabels: [],
  };
}
