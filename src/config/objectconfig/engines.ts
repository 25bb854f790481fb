// One model of an objectconfig file: the engine that runs it here, or why none does and what does instead.
import { dirname, resolve as resolvePath } from "node:path";
import type { EngineSettings, ModelSettings, PlateSettings } from "../../domain/detect-settings.ts";
import type { ModelType } from "../../domain/detection.ts";
import { splitCommand } from "../../lib/command-line.ts";
import { complain, note, type Reading, resolve } from "./reading.ts";
import { COMMAND_WAY_OUT } from "./reasons.ts";
import {
  find,
  type Scope,
  scopeOf,
  takeArea,
  takeChoice,
  takeNumber,
  takeSeconds,
  takeText,
  takeWords,
} from "./take.ts";
import type { Entries, Value } from "./value.ts";

/** What no objectconfig file of the original can say. */
export interface OwnEngineSettings {
  readonly hogMinWeight: number;
  readonly layout: string | null;
}

/** `unsupported`: the reason and the way out; null: already complained about. */
export type Built = { readonly model: ModelSettings } | { readonly unsupported: string | null };

type Framework = "opencv" | "hog" | "plates" | "command" | { readonly elsewhere: string };

const elsewhere = (what: string): Framework => ({ elsewhere: `${what}; ${COMMAND_WAY_OUT}` });
const DLIB = elsewhere("dlib runs in Python only, faces are not recognized by zmes itself");
const CORAL = elsewhere("a Coral TPU is not used by zmes itself");
const OPENALPR = elsewhere("OpenALPR is not asked by zmes itself (Plate Recognizer is: plate_recognizer)");

/** By every name that versions 4 to 7 have. */
const FRAMEWORKS: Readonly<Record<string, Framework>> = {
  opencv: "opencv",
  hog: "hog",
  plate_recognizer: "plates",
  command: "command",
  coral_edgetpu: CORAL,
  face_dlib: DLIB,
  dlib: DLIB,
  face_tpu: CORAL,
  tpu: CORAL,
  openalpr: OPENALPR,
  open_alpr: OPENALPR,
  open_alpr_cmdline: OPENALPR,
  aws_rekognition: elsewhere("AWS Rekognition is not asked by zmes itself"),
  virelai: elsewhere("VirelAI is not asked by zmes itself"),
  birdnet: elsewhere("sounds are not analyzed by zmes itself"),
};

/** `item`: what the file says of this model, above the single keys that stand for all models of its type. */
export function modelOf(reading: Reading, type: ModelType, item: Entries, own: OwnEngineSettings): Built {
  const { version } = reading.file;
  const scope = scopeOf(reading, item, reading.values);
  const framework = frameworkOf(scope, type, version);
  if (typeof framework === "object") return { unsupported: framework.elsewhere };
  const engine = engineOf(framework, scope, type, own);
  if (engine === null || "unsupported" in engine) return { unsupported: engine?.unsupported ?? null };
  const standard = framework === "plates" ? 0 : version === 7 ? 0.3 : 0.4;
  const here = scopeOf(reading, item);
  return {
    model: {
      name: takeText(here, "name") ?? type,
      engine,
      minConfidence: takeNumber(scope, { min: 0, max: 1 }, `${type}_min_confidence`) ?? standard,
      maxDetectionSize: item === reading.values ? null : takeArea(here, "max_detection_size"),
      preExistingLabels: takeWords(here, "pre_existing_labels") ?? [],
    },
  };
}

function frameworkOf(scope: Scope, type: ModelType, version: number): Framework {
  const keys = {
    object: ["object_framework"],
    face: ["face_framework", "face_detection_framework"],
    alpr: ["alpr_framework", "alpr_service"],
  };
  const standard: Framework =
    type === "object" || version === 7 ? "opencv" : type === "face" ? DLIB : "plates";
  return takeChoice(scope, FRAMEWORKS, standard, ...keys[type]);
}

type Engine = EngineSettings | { readonly unsupported: string } | null;

function engineOf(
  framework: Exclude<Framework, object>,
  scope: Scope,
  type: ModelType,
  own: OwnEngineSettings,
): Engine {
  switch (framework) {
    case "opencv":
      return networkOf(scope, type, own);
    case "hog":
      return hogOf(scope, own);
    case "plates":
      return platesOf(scope);
    case "command":
      return commandOf(scope, type);
  }
}

function networkOf(scope: Scope, type: ModelType, own: OwnEngineSettings): Engine {
  const weights = takeFile(scope, type, "weights");
  if (weights === null)
    return { unsupported: `it names no ${type}_weights; zmes models add puts a model in place` };
  const labels = takeFile(scope, type, "labels");
  const processor = takeProcessor(scope, `${type}_processor`);
  if (/\.onnx$/i.test(weights)) {
    const [width, height] = ["model_width", "model_height"].map((key) => takeNumber(scope, SIDE, key));
    const layout = takeText(scope, "model_layout") ?? own.layout;
    const inputSize = width && height ? { width, height } : null;
    return { kind: "onnx", weights, labels, layout, inputSize, processor };
  }
  if (/\.weights$/i.test(weights)) {
    const config = takeFile(scope, type, "config") ?? weights.replace(/\.weights$/i, ".cfg");
    return { kind: "darknet", config, weights, labels, processor };
  }
  return { unsupported: `only models in files .onnx and .weights (Darknet) can be used; ${COMMAND_WAY_OUT}` };
}

function takeProcessor(scope: Scope, key: string): "cpu" | "gpu" {
  const processor = takeChoice(scope, { cpu: "cpu", gpu: "gpu", tpu: "tpu" } as const, "cpu", key);
  const value = find(scope, key);
  if (processor !== "tpu") return processor;
  if (value !== null) note(scope.reading, value, "this kind of model runs on cpu or gpu; cpu is taken");
  return "cpu";
}

const SIDE = { min: 32, max: 4096, isWhole: true };

/** Until version 5, [yolo] had the names without a type. A relative path counts from the folder of the file. */
function takeFile(scope: Scope, type: ModelType, key: "weights" | "config" | "labels"): string | null {
  const text = takeText(scope, `${type}_${key}`, ...(type === "object" ? [key] : []));
  return text === null ? null : resolvePath(dirname(scope.reading.file.path), text);
}

/** As the original calls OpenCV where nothing is said; the keys are those of 3.2. */
export function hogOf(scope: Scope, { hogMinWeight }: OwnEngineSettings): EngineSettings {
  const meanShift = takeNumber(scope, { min: -1000, max: 1000 }, "mean_shift") ?? -1;
  return {
    kind: "hog",
    stride: takePair(scope, "stride") ?? [4, 4],
    padding: takePair(scope, "padding") ?? [8, 8],
    scale: takeNumber(scope, { min: 1.01, max: 2 }, "scale") ?? 1.05,
    useMeanShift: meanShift > 0,
    minWeight: hogMinWeight,
  };
}

function takePair(scope: Scope, key: string): readonly [number, number] | null {
  const value = find(scope, key);
  if (value === null) return null;
  const [x, y, more] =
    takeWords(scope, key)?.map((word) => (/^\d{1,3}$/.test(word) ? Number(word) : -1)) ?? [];
  if (x !== undefined && y !== undefined && x > 0 && y > 0 && more === undefined) return [x, y];
  complain(scope.reading, value, "two numbers are expected, such as (8,8)");
  return null;
}

function platesOf(scope: Scope): PlateSettings {
  const url = takeText(scope, "alpr_url")
    ?.replace(/\/+$/, "")
    .replace(/\/plate-reader$/, "");
  return {
    kind: "plates",
    url: url ?? "https://api.platerecognizer.com/v1",
    key: takeText(scope, "alpr_key"),
    regions: takeWords(scope, "platerec_regions") ?? [],
    payload: takeObject(scope, "platerec_payload"),
    config: takeObject(scope, "platerec_config"),
    minDetectionScore: takeNumber(scope, { min: 0, max: 1 }, "platerec_min_dscore") ?? 0.3,
    minScore: takeNumber(scope, { min: 0, max: 1 }, "platerec_min_score") ?? 0.5,
    timeoutMs: takeSeconds(scope, PLATES_TIMEOUT_MS, "alpr_timeout"),
  };
}

/** Reading one picture takes their cloud a second or two. */
const PLATES_TIMEOUT_MS = 15_000;

function takeObject(scope: Scope, key: string): Readonly<Record<string, unknown>> | null {
  const value = find(scope, key);
  if (value === null) return null;
  if (value.kind === "map") return objectOf(scope.reading, value.entries);
  complain(scope.reading, value, "a dictionary is expected here");
  return null;
}

function objectOf(reading: Reading, entries: Entries): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, plain(reading, value)]));
}

/** Numbers and truth values have lost their kind; what is written as one was meant as one. */
function plain(reading: Reading, value: Value): unknown {
  reading.seen.add(value);
  switch (value.kind) {
    case "map":
      return objectOf(reading, value.entries);
    case "list":
      return value.items.map((item) => plain(reading, item));
    case "nothing":
      return null;
    case "text": {
      const { text } = resolve(reading, value);
      if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
    }
  }
}

/** Ours: any program that prints what zm_detect.py prints. */
function commandOf(scope: Scope, type: ModelType): Engine {
  const key = `${type}_command`;
  const value = find(scope, key);
  if (value === null) return { unsupported: `its framework is command, but ${key} names no program` };
  const isList = value.kind === "list";
  const argv = isList ? takeWords(scope, key) : splitCommand(takeText(scope, key) ?? "")?.words;
  const timeoutMs = takeSeconds(scope, COMMAND_TIMEOUT_MS, `${type}_timeout`);
  if (argv && argv.length > 0) return { kind: "command", argv, timeoutMs };
  complain(scope.reading, value, "a program and its arguments are expected here");
  return null;
}

/** Python with a model of its own takes a few seconds. */
const COMMAND_TIMEOUT_MS = 10_000;
