// One picture: every kind of model in its order, what they see held against the filters.
import type { ModelGroup, ModelSettings } from "../domain/detect-settings.ts";
import type { Detection, Rejected } from "../domain/detection.ts";
import { reasonOf } from "../lib/errors.ts";
import { orAborted } from "../lib/within.ts";
import type { Engine, Finding } from "./engines/engine.ts";
import { refusalOf } from "./judge/filters.ts";
import { includesLabel } from "./judge/labels.ts";
import { lastOther, pastRefusal } from "./judge/past.ts";
import { combined } from "./judge/strategies.ts";
import { type SearchZone, zonesInForce } from "./judge/zones.ts";
import type { Frame } from "./picture/frame.ts";
import { type Run, timed } from "./run.ts";

/** One picture and what came of it. */
export interface LookedAt {
  readonly frame: Frame;
  readonly zones: readonly SearchZone[];
  readonly detections: readonly Detection[];
  readonly rejected: readonly Rejected[];
  /** Everything that passed all filters but that of past detections. */
  readonly present: readonly Detection[];
}

/**
 * Runs all models that are wanted on the picture and judges what they see. A model that fails is a trouble of the run; when
 * the run is aborted, what was found until then is the answer.
 */
export async function lookAt(frame: Frame, run: Run): Promise<LookedAt> {
  const { job, settings } = run;
  const sizes = { original: frame.original, analyzed: frame.size };
  const { zones, troubles } = zonesInForce(settings.zones, job.monitor, job.cause, sizes);
  for (const trouble of troubles) run.troubles.add(trouble);
  const rejected: Rejected[] = [];
  const present: Detection[] = [];
  for (const group of settings.sequence) {
    if (!wants(group.preExistingLabels, present)) continue;
    const answers: (readonly Detection[])[] = [];
    for (const model of group.models) {
      if (run.deps.signal.aborted) break;
      if (!wants(model.preExistingLabels, [...present, ...answers.flat()])) continue;
      const seen = await findingsOf(model, group, frame, run);
      const context = {
        group,
        model,
        zones,
        pattern: run.patterns.get(group) ?? null,
        size: frame.size,
        zoneSettings: settings.zones,
      };
      const judged = await timed(run, "filters", () =>
        seen.map((detection) => ({ detection, refusal: refusalOf(detection, context) })),
      );
      rejected.push(...judged.flatMap(({ refusal }) => refusal ?? []));
      answers.push(judged.flatMap(({ detection, refusal }) => (refusal === null ? [detection] : [])));
      if (group.strategy === "first" && answers.at(-1)?.length !== 0) break;
    }
    present.push(...combined(group.strategy, answers));
  }
  const again = pastRefusals(present, frame, run);
  const old = new Set(again.map(({ detection }) => detection));
  const detections = present.filter((detection) => !old.has(detection));
  return { frame, zones, detections, rejected: [...rejected, ...again], present };
}

/** Whether one of the labels, in any spelling, was found before; without labels, always. */
function wants(labels: readonly string[], found: readonly Detection[]): boolean {
  return labels.length === 0 || found.some(({ label }) => includesLabel(labels, label));
}

/** Below this, not even `zmes detect` shows what was rejected; the original suppresses overlaps at the same figure. */
const LEAST_CONFIDENCE = 0.2;
/** More than any picture shows: what says more than this is broken. */
const MOST_FINDINGS = 1_000;

/** What the model sees, the too weak included so that they can be shown as rejected; nothing when it fails. */
async function findingsOf(
  model: ModelSettings,
  group: ModelGroup,
  frame: Frame,
  run: Run,
): Promise<readonly Detection[]> {
  const { deps, job, event } = run;
  if (run.unusable.has(model)) return [];
  let engine: Engine;
  try {
    engine = await timed(
      run,
      `load ${model.name}`,
      () => orAborted(deps.engineFor(model), deps.signal),
      onlyIfLong,
    );
  } catch (failure) {
    if (deps.signal.aborted) return [];
    run.unusable.add(model);
    run.troubles.add(`Model ${model.name} cannot be used: ${reasonOf(failure)}`);
    return [];
  }
  const context = {
    minConfidence: Math.min(LEAST_CONFIDENCE, model.minConfidence),
    monitor: job.monitor?.id ?? null,
    event,
    signal: deps.signal,
  };
  try {
    const findings = await timed(run, model.name, () =>
      orAborted(engine.detect(frame, context), deps.signal),
    );
    return findings.slice(0, MOST_FINDINGS).flatMap((each) => detectionOf(each, model, group, frame));
  } catch (failure) {
    if (deps.signal.aborted) return [];
    run.troubles.add(`Model ${model.name} failed on ${frame.id}: ${reasonOf(failure)}`);
    return [];
  }
}

/** Whole pixels within the picture; nothing when it is no box. */
function detectionOf(
  { label, confidence, box }: Finding,
  model: ModelSettings,
  group: ModelGroup,
  { size }: Frame,
): readonly Detection[] {
  const x = (value: number): number => Math.min(size.width, Math.max(0, Math.round(value)));
  const y = (value: number): number => Math.min(size.height, Math.max(0, Math.round(value)));
  const [x1, y1, x2, y2] = [x(box[0]), y(box[1]), x(box[2]), y(box[3])];
  if (!(x1 <= x2 && y1 <= y2) || Number.isNaN(confidence)) return [];
  const known = {
    label: label.replace(/\p{Cc}+/gu, " ").slice(0, LONGEST_LABEL),
    confidence: Math.min(1, Math.max(0, confidence)),
    type: group.type,
    model: model.name,
  };
  return [{ ...known, box: [x1, y1, x2, y2] }];
}

/** It goes into notes and messages; a plate with all that is known of the car has some 80 characters. */
const LONGEST_LABEL = 200;

function pastRefusals(present: readonly Detection[], frame: Frame, run: Run): readonly Rejected[] {
  if (run.past === null || run.event === null) return [];
  const { past, aliases } = run.settings;
  const before = lastOther(run.past, run.event);
  if (before === null) return [];
  return present.flatMap((detection) => pastRefusal(detection, before, past, aliases, frame.size) ?? []);
}

/** An engine that is kept loaded is there at once: no line for that. */
function onlyIfLong(_: unknown, step: string, ms: number): string | null {
  return ms >= 1 ? step : null;
}
