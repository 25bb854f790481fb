// The kinds of models of an objectconfig file of versions 4 to 7, each with its models, in the order in which they look.
import type { ModelGroup, ModelSettings } from "../../domain/detect-settings.ts";
import type { ModelType } from "../../domain/detection.ts";
import { modelOf, type OwnEngineSettings } from "./engines.ts";
import { complain, note, type Reading, seeAll } from "./reading.ts";
import { withRemote } from "./remote.ts";
import {
  find,
  scopeOf,
  takeArea,
  takeChoice,
  takeFlag,
  takeLabelAreas,
  takePattern,
  takeText,
  takeWords,
} from "./take.ts";
import { type Entries, NO_ENTRIES, type Value } from "./value.ts";

/** With `ml_sequence`. */
export function sequenceOf(reading: Reading, ml: Value, own: OwnEngineSettings): readonly ModelGroup[] {
  reading.seen.add(ml);
  const general = ml.entries.get("general")?.entries ?? NO_ENTRIES;
  const wanted = takeTypes(reading, general, "model_sequence");
  const groups = wanted.flatMap((type) => {
    const value = ml.entries.get(type);
    if (!isModelType(type)) {
      if (value !== undefined) note(reading, value, NOT_SEARCHED);
      return [];
    }
    return value === undefined ? [] : [groupOf(reading, type, value, general, own)];
  });
  return usable(reading, groups, ml);
}

/** With `use_sequence = no`, or before there was one: the single keys, one model for each type. */
export function sequenceOfOldKeys(reading: Reading, own: OwnEngineSettings): readonly ModelGroup[] {
  const { values } = reading;
  const types = takeTypes(reading, values, "detection_sequence").filter(isModelType);
  const groups = types.map((type): ModelGroup => {
    const built = modelOf(reading, type, values, own);
    if ("unsupported" in built && built.unsupported !== null) {
      const anchor =
        find(scopeOf(reading, values), ...FRAMEWORK_KEYS[type]) ??
        find(scopeOf(reading, values), "detection_sequence");
      if (anchor !== null) note(reading, anchor, built.unsupported);
    }
    const group = groupSettings(reading, type, NO_ENTRIES, NO_ENTRIES);
    const isAfterVehicles =
      type === "alpr" && takeFlag(scopeOf(reading, values), true, "alpr_use_after_detection_only");
    const preExistingLabels = isAfterVehicles ? VEHICLES : [];
    return { ...group, preExistingLabels, models: "model" in built ? [built.model] : [] };
  });
  return usable(reading, groups, find(scopeOf(reading, values), "detection_sequence") ?? null);
}

const NOT_SEARCHED = "only pictures are searched, for objects, faces and number plates";
/** What has number plates, in the words of version 6. */
const VEHICLES = ["car", "motorbike", "bus", "truck", "boat"];
const FRAMEWORK_KEYS = {
  object: ["object_framework"],
  face: ["face_detection_framework", "face_framework"],
  alpr: ["alpr_service", "alpr_framework"],
} as const;

function isModelType(type: string): type is ModelType {
  return type === "object" || type === "face" || type === "alpr";
}

function takeTypes(reading: Reading, place: Entries, key: string): readonly string[] {
  const scope = scopeOf(reading, place);
  const types = takeWords(scope, key)?.map((type) => type.toLowerCase()) ?? ["object"];
  const value = find(scope, key);
  const strange = types.find((type) => !isModelType(type) && type !== "audio");
  if (strange !== undefined && value !== null)
    complain(reading, value, "it may name object, face, alpr and audio");
  return [...new Set(types)];
}

/** Those that have models, asked of the server at ml_gateway where there is one. */
function usable(reading: Reading, groups: readonly ModelGroup[], ml: Value | null): readonly ModelGroup[] {
  const left = withRemote(reading, groups);
  if (left.some(({ models }) => models.length > 0)) return left.filter(({ models }) => models.length > 0);
  const what =
    "none of its models can be used here; `zmes check-config` says why, `zmes models add` puts one in place";
  if (ml !== null) complain(reading, ml, what);
  else reading.problems.push({ line: 0, text: "it names no model; set object_weights, or use ml_sequence" });
  return [];
}

function groupOf(
  reading: Reading,
  type: ModelType,
  value: Value,
  general: Entries,
  own: OwnEngineSettings,
): ModelGroup {
  const group = groupSettings(reading, type, value.entries.get("general")?.entries ?? NO_ENTRIES, general);
  const sequence = value.entries.get("sequence");
  if (sequence?.kind !== "list") {
    complain(reading, sequence ?? value, "a list of models is expected in its sequence");
    return group;
  }
  if (sequence.items.length > MOST_MODELS) {
    complain(reading, sequence, `it has ${sequence.items.length} models; ${MOST_MODELS} are the most`);
    return group;
  }
  return { ...group, models: sequence.items.flatMap((item) => itemModel(reading, type, item, own)) };
}

function itemModel(
  reading: Reading,
  type: ModelType,
  item: Value,
  own: OwnEngineSettings,
): readonly ModelSettings[] {
  if (item.kind !== "map") {
    complain(reading, item, "a model with its keys is expected here");
    return [];
  }
  if (!takeFlag(scopeOf(reading, item.entries), true, "enabled")) {
    // Switched off, it is meant to have no effect.
    seeAll(reading, item);
    return [];
  }
  const built = modelOf(reading, type, item.entries, own);
  if ("model" in built) return [built.model];
  const gateway = takeText(scopeOf(reading, reading.values), "ml_gateway");
  if (gateway !== null) seeAll(reading, item);
  else if (built.unsupported !== null) note(reading, item, built.unsupported);
  return [];
}

/** `general`: of the type; `all`: of all types. */
function groupSettings(reading: Reading, type: ModelType, general: Entries, all: Entries): ModelGroup {
  const scope = scopeOf(reading, general, all, reading.values);
  return {
    type,
    pattern: takePattern(scope, "pattern", `${type}_detection_pattern`, "detect_pattern") ?? ".*",
    preExistingLabels: takeWords(scopeOf(reading, general), "pre_existing_labels") ?? [],
    strategy: takeChoice(scope, STRATEGIES, "first", "same_model_sequence_strategy"),
    maxDetectionSize: takeArea(scope, "max_detection_size"),
    maxDetectionSizes: takeLabelAreas(scope, "_max_detection_size"),
    models: [],
  };
}

/** More than anybody's machine has memory for. */
const MOST_MODELS = 50;

const STRATEGIES = { first: "first", most: "most", most_unique: "most_unique", union: "union" } as const;
