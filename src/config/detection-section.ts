// What the section "detection" says, for itself, without any objectconfig.

import path from "node:path";
import type { DetectSettings, EngineSettings, ModelSettings } from "../domain/detect-settings.ts";
import { translatePattern } from "../domain/python-pattern.ts";
import { NO_PATIENCE } from "./objectconfig/frames.ts";
import type { Config } from "./schema.ts";

type Section = Config["detection"];

export interface SectionSettings {
  readonly settings: DetectSettings;
  /** What the operator should know, in sentences. */
  readonly warnings: readonly string[];
}

/**
 * `present`: names of the files in `modelsFolder`. `failed`: what is wrong and the way out.
 */
export function sectionSettings(
  section: Section,
  modelsFolder: string,
  present: readonly string[],
): SectionSettings | { readonly failed: string } {
  const fault = patternFault(section);
  if (fault !== null) return { failed: fault };
  const chosen = modelFile(section, modelsFolder, present);
  if ("failed" in chosen) return chosen;
  const engine = engineFor(section, chosen.file);
  if ("failed" in engine) return engine;
  const model: ModelSettings = {
    name: chosen.file === null ? "hog" : path.parse(chosen.file).name,
    engine,
    minConfidence: section.min_confidence / 100,
    maxDetectionSize: null,
    preExistingLabels: [],
  };
  return { settings: settingsWith(section, model), warnings: chosen.warnings };
}

/** What is wrong with `detection.pattern`, in a sentence; null: nothing. */
export function patternFault({ pattern }: Pick<Section, "pattern">): string | null {
  const translated = translatePattern(pattern);
  if (translated instanceof RegExp) return null;
  return `detection.pattern "${pattern}" is no pattern that can be used: ${translated.fault}`;
}

const MODEL_FILES = /\.(onnx|weights)$/i;

/** Null: OpenCV's people detector, which needs none. */
function modelFile(
  { engine, model }: Section,
  folder: string,
  present: readonly string[],
): { readonly file: string | null; readonly warnings: readonly string[] } | { readonly failed: string } {
  if (engine === "hog") return { file: null, warnings: [] };
  if (model !== null) return { file: path.resolve(folder, model), warnings: [] };
  const wanted = present.filter(
    (name) => MODEL_FILES.test(name) && (engine === "auto" || kindOf(name) === engine),
  );
  const [only] = wanted;
  if (only !== undefined && wanted.length === 1) return { file: path.join(folder, only), warnings: [] };
  const several = `${folder} has several models (${wanted.join(", ")}): name one in detection.model`;
  if (engine !== "auto") {
    const none = `detection.engine is ${engine}, but there is no model: set detection.model, or add one with zmes models add`;
    return { failed: only === undefined ? none : several };
  }
  return { file: null, warnings: only === undefined ? [] : [`${several}. Until then hog looks for people.`] };
}

function engineFor(section: Section, file: string | null): EngineSettings | { readonly failed: string } {
  if (file === null) return hog(section);
  const kind = section.engine === "auto" ? kindOf(file) : section.engine;
  const { labels, processor } = section;
  switch (kind) {
    case "onnx":
      return {
        kind: "onnx",
        weights: file,
        labels,
        layout: section.model_layout,
        inputSize: null,
        processor,
      };
    case "darknet": {
      const config = section.model_config ?? file.replace(/\.weights$/i, ".cfg");
      return { kind: "darknet", config, weights: file, labels, processor };
    }
    default:
      return { failed: `detection.model: ${file} is neither .onnx nor .weights` };
  }
}

function kindOf(file: string): "onnx" | "darknet" | null {
  if (/\.onnx$/i.test(file)) return "onnx";
  return /\.weights$/i.test(file) ? "darknet" : null;
}

/** As the original calls OpenCV. */
function hog({ hog_min_weight }: Section): EngineSettings {
  return {
    kind: "hog",
    stride: [4, 4],
    padding: [8, 8],
    scale: 1.05,
    useMeanShift: false,
    minWeight: hog_min_weight / 100,
  };
}

/** Its time grows with the area: larger than this, the original does not show it pictures either. */
const HOG_WIDTH = 800;

function settingsWith(section: Section, model: ModelSettings): DetectSettings {
  const isHog = model.engine.kind === "hog";
  const width = section.resize === 0 ? null : section.resize;
  return {
    frames: {
      frameSet: section.frame_set
        .split(",")
        .map((each) => each.trim())
        .filter((each) => each !== ""),
      ...NO_PATIENCE,
      waitMs: section.wait * 1000,
      resizeWidth: width ?? (isHog ? HOG_WIDTH : null),
    },
    sequence: [
      {
        type: "object",
        pattern: section.pattern,
        preExistingLabels: [],
        strategy: "first",
        maxDetectionSize:
          section.max_detection_size === 100 ? null : { unit: "percent", value: section.max_detection_size },
        maxDetectionSizes: {},
        models: [model],
      },
    ],
    frameStrategy: "first",
    zones: {
      own: [],
      useZoneMinder: section.import_zm_zones || section.only_triggered_zm_zones,
      onlyTriggered: section.only_triggered_zm_zones,
      rule: section.zone_rule,
      minOverlapPercent: section.zone_min_overlap,
      patternReplaces: false,
    },
    past: {
      isOn: section.match_past_detections,
      maxDifference: { unit: "percent", value: section.past_det_max_diff_area },
      maxDifferences: {},
      ignoredLabels: [],
    },
    aliases: [],
    output: {
      showPercent: section.show_percent,
      showModels: false,
      showFrameMark: true,
      writeImageToZm: section.write_image_to_zm,
      debugFolder: null,
      drawPolygons: true,
      polygonColor: [255, 255, 255],
      polygonThickness: 2,
      animation: null,
    },
  };
}
