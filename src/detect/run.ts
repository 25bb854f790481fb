// What one run is made of: what it is given, what is the same for all its pictures, and what gathers while it lasts.
import type { DetectSettings, ModelGroup, ModelSettings } from "../domain/detect-settings.ts";
import type { Timing } from "../domain/detection.ts";
import { translatePattern } from "../domain/python-pattern.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { Engine } from "./engines/engine.ts";
import type { Portals } from "./frames/portal.ts";
import type { DetectionJob } from "./job.ts";
import { type PastRun, readPast } from "./judge/past.ts";

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

/** What is the same for all pictures of a run, and what gathers while it lasts. */
export interface Run {
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

/** Reads what is needed before the first picture. */
export async function startRun(job: DetectionJob, deps: SequenceDeps): Promise<Run> {
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

/** Runs one step and notes how long it took; `name` may give it a better name afterwards, or none at all. */
export async function timed<T>(
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
