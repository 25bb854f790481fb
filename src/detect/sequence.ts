// One run from pictures to answer, in order: frames, kinds of models, models, filters, strategies, past detections.
import type { DetectSettings, ModelGroup, ModelSettings } from "../domain/detect-settings.ts";
import type { Detection, DetectionResult, Rejected, Timing } from "../domain/detection.ts";
import { translatePattern } from "../domain/python-pattern.ts";
import type { Clock } from "../lib/clock.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Engine, Finding } from "./engines/engine.ts";
import type { Portals } from "./frames/portal.ts";
import { readFrames } from "./frames/read-frames.ts";
import type { DetectionJob } from "./job.ts";
import { refusalOf } from "./judge/filters.ts";
import { includesLabel } from "./judge/labels.ts";
import { lastOther, type PastRun, pastRefusal, readPast, savePast } from "./judge/past.ts";
import { combined, winner } from "./judge/strategies.ts";
import { type ZonesInForce, zonesInForce } from "./judge/zones.ts";
import type { Frame } from "./picture/frame.ts";

export interface SequenceDeps {
  /** The engine of a model; rejects with an Error that says what to do. Asked again for each picture: keeps its engines. */
  engineFor(model: ModelSettings): Promise<Engine>;
  /** What monitors saw at their last events is kept here. */
  readonly pastFolder: string;
  /** `createPortals()`, once per process: logins are used again. */
  readonly portals: Portals;
  /** The program, such as "ffmpeg". */
  readonly ffmpeg: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When it is aborted, the run ends after the current step with what was found until then. */
  readonly signal: AbortSignal;
  /** How long files of an open event are waited for, in ms. */
  readonly patienceMs?: number;
}

export interface SequenceOutcome {
  readonly result: DetectionResult;
  /** The picture that `result` speaks of; also when nothing in it counts (`result.frame` is null then). Null: none was read. */
  readonly frame: Frame | null;
}

/**
 * Looks for things in the pictures of the job. What fails (a picture, a model, the file of past detections) becomes a
 * trouble in the result; the run itself does not reject.
 */
export async function runSequence(job: DetectionJob, deps: SequenceDeps): Promise<SequenceOutcome> {
  const run = await startRun(job, deps);
  const looked: LookedAt[] = [];
  try {
    const frames = readFrames(job.source, job.settings.frames, deps);
    for (;;) {
      const next = await timed(run, "read", () => frames.next(), stepOfReading);
      if (next.done === true) break;
      if ("trouble" in next.value) {
        run.troubles.add(next.value.trouble);
        continue;
      }
      looked.push(await lookAt(next.value, run));
      if (job.settings.frameStrategy === "first" && looked.at(-1)?.detections.length !== 0) break;
    }
    await frames.return(undefined);
  } catch (failure) {
    if (!deps.signal.aborted) throw failure;
    run.troubles.add(
      `The time was up: what was found in ${looked.length} pictures until then is all there is`,
    );
  }
  const best = winner(job.settings.frameStrategy, looked);
  const shown = best ?? mostRejected(looked);
  if (shown !== null) await remember(best ?? firstWithPast(looked), run);
  return { result: resultOf(best, shown, run), frame: shown?.frame ?? null };
}

/** What is the same for all pictures of a run, and what gathers while it lasts. */
interface Run {
  readonly job: DetectionJob;
  readonly settings: DetectSettings;
  readonly deps: SequenceDeps;
  readonly event: number | null;
  /** What the monitor saw at earlier events, newest first; null: not compared. */
  readonly past: readonly PastRun[] | null;
  readonly patterns: ReadonlyMap<ModelGroup, RegExp | null>;
  readonly troubles: Set<string>;
  readonly timings: Timing[];
  /** Models that could not be loaded: not tried again for the next picture. */
  readonly unusable: Set<ModelSettings>;
}

/** One picture and what came of it. */
interface LookedAt {
  readonly frame: Frame;
  readonly zones: ZonesInForce["zones"];
  readonly detections: readonly Detection[];
  readonly rejected: readonly Rejected[];
  /** Everything that passed all filters but that of past detections. */
  readonly present: readonly Detection[];
}

async function startRun(job: DetectionJob, deps: SequenceDeps): Promise<Run> {
  const { settings, source, monitor } = job;
  const troubles = new Set<string>();
  const compares = settings.past.isOn && source.kind === "event" && monitor !== null;
  return {
    job,
    settings,
    deps,
    event: source.kind === "event" ? source.event : null,
    past: compares ? await readPast(deps.pastFolder, monitor.id) : null,
    patterns: new Map(settings.sequence.map((group) => [group, patternOf(group, troubles)])),
    troubles,
    timings: [],
    unusable: new Set(),
  };
}

function patternOf({ pattern, type }: ModelGroup, troubles: Set<string>): RegExp | null {
  const regex = translatePattern(pattern);
  if (regex instanceof RegExp) return regex;
  troubles.add(`The pattern ${pattern} for ${type} detection was left out, all labels count: ${regex.fault}`);
  return null;
}

async function lookAt(frame: Frame, run: Run): Promise<LookedAt> {
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
      run.deps.signal.throwIfAborted();
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
    engine = await timed(run, `load ${model.name}`, () => deps.engineFor(model), onlyIfLong);
  } catch (failure) {
    deps.signal.throwIfAborted();
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
    const findings = await timed(run, model.name, () => engine.detect(frame, context));
    return findings.slice(0, MOST_FINDINGS).flatMap((each) => detectionOf(each, model, group, frame));
  } catch (failure) {
    deps.signal.throwIfAborted();
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

/** Saves what is there now, what was there before too: the next event is compared with it. */
async function remember(looked: LookedAt | null, run: Run): Promise<void> {
  const monitor = run.job.monitor;
  if (looked === null || looked.present.length === 0) return;
  if (run.past === null || run.event === null || monitor === null) return;
  const seen = { event: run.event, size: looked.frame.size, seen: looked.present };
  try {
    await savePast(run.deps.pastFolder, monitor.id, seen, run.past);
  } catch (failure) {
    run.troubles.add(`What was seen could not be remembered for the next event: ${reasonOf(failure)}`);
    run.deps.logger.warn({ err: failure }, `Past detections of monitor ${monitor.id} could not be saved`);
  }
}

/** When nothing is new, the first picture with what was there before. */
function firstWithPast(looked: readonly LookedAt[]): LookedAt | null {
  return looked.find(({ present }) => present.length > 0) ?? null;
}

function mostRejected(looked: readonly LookedAt[]): LookedAt | null {
  return looked.reduce<LookedAt | null>(
    (most, each) => (most === null || each.rejected.length > most.rejected.length ? each : most),
    null,
  );
}

function resultOf(best: LookedAt | null, shown: LookedAt | null, run: Run): DetectionResult {
  return {
    frame: best?.frame.id ?? null,
    detections: best?.detections ?? [],
    rejected: shown?.rejected ?? [],
    original: shown?.frame.original ?? null,
    analyzed: shown?.frame.size ?? null,
    zones: (shown?.zones ?? []).map(({ name, points }) => ({ name, points })),
    timings: run.timings,
    troubles: [...run.troubles],
  };
}

/** Runs one step and notes how long it took; `name` may give it a better name afterwards, or none at all. */
async function timed<T>(
  { deps, timings }: Run,
  step: string,
  work: () => T | Promise<T>,
  name: (value: T, step: string, ms: number) => string | null = () => step,
): Promise<T> {
  const begun = deps.clock.monotonic();
  const value = await work();
  const ms = deps.clock.monotonic() - begun;
  const named = name(value, step, ms);
  if (named !== null) timings.push({ step: named, ms });
  return value;
}

function stepOfReading(
  next: IteratorResult<{ readonly id: string } | { readonly trouble: string }>,
): string | null {
  if (next.done === true) return null;
  return "id" in next.value ? `read ${next.value.id}` : "read";
}

/** An engine that is kept loaded is there at once: no line for that. */
function onlyIfLong(_: unknown, step: string, ms: number): string | null {
  return ms >= 1 ? step : null;
}
