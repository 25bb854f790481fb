// Finds things with a model in an ONNX file, of any of the layouts that detectors are published in.
import { readFile } from "node:fs/promises";
import type { OnnxSettings } from "../../domain/detect-settings.ts";
import { reasonOf } from "../../lib/errors.ts";
import { cocoLabels } from "../onnx/coco-labels.ts";
import { type ExporterNotes, readExporterNotes } from "../onnx/exporter-notes.ts";
import type { Candidate, Layout } from "../onnx/layouts/layout.ts";
import { layoutKeys, layoutNamed, otherTask, recognize } from "../onnx/layouts/recognize.ts";
import { type Model, prepareModel } from "../onnx/model.ts";
import { readOnnxMetadata } from "../onnx/onnx-metadata.ts";
import { openSession, type RuntimeLoaders } from "../onnx/runtime.ts";
import { strongestFirst, suppress } from "../onnx/suppression.ts";
import type { Fitted, Frame } from "../picture/frame.ts";
import type { Engine, EngineOptions, Finding } from "./engine.ts";

/**
 * Loads the model, warms it up and recognizes its layout. Rejects with an Error that names the file and the way out
 * when it cannot be read, is no detector, or its layout is not known.
 */
export async function createOnnxEngine(
  settings: OnnxSettings,
  options: EngineOptions,
  loaders?: RuntimeLoaders,
): Promise<Engine> {
  const { weights: file } = settings;
  const notes = readExporterNotes((await readOnnxMetadata(file)).properties);
  refuseOtherTask(file, otherTask(notes.task, { outputs: [] }));
  const own = settings.labels === null ? null : await readLabels(settings.labels);
  const { processor } = settings;
  const { threads, logger } = options;
  const opened = await openSession(file, { processor, threads, logger, ...(loaders && { loaders }) });
  try {
    const hints = { wanted: settings.inputSize, noted: notes.size };
    const model = await prepareModel(opened, hints).catch((failure: unknown) => {
      throw new Error(`${file}: ${reasonOf(failure)}.`, { cause: failure });
    });
    refuseOtherTask(file, otherTask(notes.task, model));
    const named = own ?? notes.names;
    const layout = await layoutOf(settings, model, notes, named?.length ?? null);
    const labels = labelsFor(layout, model, named, { file, logger });
    return engineOf(model, layout, labels);
  } catch (failure) {
    await opened.session.release();
    throw failure;
  }
}

/** Below this, nothing is looked at before overlaps are suppressed; as the original. */
const SUPPRESSION_SCORE = 0.2;
/** A file of labels has one line each; this one would be something else. */
const MAX_LABELS_BYTES = 1024 * 1024;

function engineOf(model: Model, layout: Layout, labels: readonly string[] | null): Engine {
  const { width, height } = model.inputSize;
  const count =
    labels === null ? "labels unknown" : `${labels.filter((label) => label !== "").length} labels`;
  return {
    description: `${layout.family}, ${width}x${height}, ${count}, ${model.device}`,
    labels: labels?.filter((label) => label !== "") ?? null,
    async prepare(frame) {
      await frame.fitted(model.inputSize, layout.form.fit).catch(() => undefined);
    },
    async detect(frame, { minConfidence, signal }) {
      signal.throwIfAborted();
      const fitted = await frame.fitted(model.inputSize, layout.form.fit);
      signal.throwIfAborted();
      const outputs = await model.run(fitted.data, layout.form);
      const minScore = layout.needsSuppression ? Math.min(SUPPRESSION_SCORE, minConfidence) : minConfidence;
      const candidates = layout
        .decode(outputs, { inputSize: model.inputSize, minScore })
        .filter((candidate) => Object.values(candidate).every(Number.isFinite));
      const kept = layout.needsSuppression ? suppress(candidates) : strongestFirst(candidates);
      return kept
        .filter(({ score }) => score >= minConfidence)
        .map((candidate) => findingOf(candidate, labels, fitted, frame))
        .filter(({ box: [x1, y1, x2, y2] }) => x2 > x1 && y2 > y1);
    },
    close: () => model.close(),
  };
}

function findingOf(
  { x1, y1, x2, y2, score, label }: Candidate,
  labels: readonly string[] | null,
  { scaleX, scaleY, offsetX, offsetY }: Fitted,
  { size }: Frame,
): Finding {
  const across = (x: number) => within(Math.round((x - offsetX) / scaleX), size.width);
  const down = (y: number) => within(Math.round((y - offsetY) / scaleY), size.height);
  return {
    label: labels?.[label] || `class ${label}`,
    confidence: Math.min(1, score),
    box: [across(x1), down(y1), across(x2), down(y2)],
  };
}

function within(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}

function refuseOtherTask(file: string, task: string | null): void {
  if (task === null) return;
  throw new Error(
    `${file} is ${task}; only detectors find things in boxes. Use the same model exported for the task detect.`,
  );
}

async function layoutOf(
  { weights: file, layout: key }: OnnxSettings,
  model: Model,
  { isEndToEnd }: ExporterNotes,
  labelCount: number | null,
): Promise<Layout> {
  if (key !== null) return layoutGiven(file, key, model);
  const found = recognize({ ...model, labelCount, isEndToEnd });
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const outputs = model.outputs.map(
    ({ name, dims }) => `${name} [${dims.map((size) => size ?? "?").join(", ")}]`,
  );
  if (only !== undefined) {
    const families = found.map(({ family, key }) => `${key} (${family})`).join(" or ");
    throw new Error(
      `${file} could be of two layouts that look alike. Say which with model_layout: ${families}.`,
    );
  }
  throw new Error(
    `${file} has a layout that is not known: ${outputs.join(", ")}. If it is one of these, say so with model_layout: ${layoutKeys.join(", ")}.`,
  );
}

/** A wrong key shows when the first answer cannot be read. */
async function layoutGiven(file: string, key: string, model: Model): Promise<Layout> {
  const layout = layoutNamed(key);
  if (layout === null) {
    throw new Error(`${file}: model_layout "${key}" is not known. It is one of: ${layoutKeys.join(", ")}.`);
  }
  const { inputSize } = model;
  try {
    const black = new Uint8Array(inputSize.width * inputSize.height * 3);
    layout.decode(await model.run(black, layout.form), { inputSize, minScore: 1 });
  } catch (failure) {
    throw new Error(
      `${file} is not of the layout ${layout.key} (model_layout): ${reasonOf(failure)}. Take model_layout out to have it recognized.`,
      { cause: failure },
    );
  }
  return layout;
}

async function readLabels(file: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (failure) {
    throw new Error(`The labels ${file} cannot be read: ${reasonOf(failure)}`, { cause: failure });
  }
  if (text.length > MAX_LABELS_BYTES || text.includes("\0")) {
    throw new Error(`${file} is not a file of labels: it has one label in each line.`);
  }
  const labels = text
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (labels.every((label) => label === "")) throw new Error(`The file of labels ${file} is empty.`);
  return labels;
}

/** Of the operator, else of the file, else COCO's where their number is the model's. */
function labelsFor(
  layout: Layout,
  model: Model,
  named: readonly string[] | null,
  { file, logger }: { readonly file: string; readonly logger: EngineOptions["logger"] },
): readonly string[] | null {
  const classes = layout.classCount(model.outputs);
  if (named !== null) {
    if (classes !== null && named.length < classes) {
      logger.warn(
        `${file} knows ${classes} labels, but only ${named.length} are named; the others are called "class N"`,
      );
    }
    return named;
  }
  const coco = cocoLabels(classes ?? COCO_CLASSES);
  if (coco !== null) return coco;
  logger.warn(
    `${file} does not name its ${classes} labels: they are called "class N". Give it a file of labels.`,
  );
  return null;
}

/** Nearly every published detector that does not say how many labels it knows. */
const COCO_CLASSES = 80;
