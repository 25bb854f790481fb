// One run from pictures to answer, in order: frames, kinds of models, models, filters, past detections, strategies.
import type { DetectionResult } from "../domain/detection.ts";
import { reasonOf } from "../lib/errors.ts";
import { readFrames } from "./frames/read-frames.ts";
import type { DetectionJob } from "./job.ts";
import { savePast } from "./judge/past.ts";
import { winner } from "./judge/strategies.ts";
import { type LookedAt, lookAt } from "./look.ts";
import type { Frame } from "./picture/frame.ts";
import { type Run, type SequenceDeps, startRun, timed } from "./run.ts";

export type { SequenceDeps } from "./run.ts";

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
  const frames = readFrames(job.source, job.settings.frames, deps);
  try {
    for (;;) {
      const next = await timed(run, "read", () => frames.next(), stepOfReading);
      if (next.done === true) break;
      if ("trouble" in next.value) {
        run.troubles.add(next.value.trouble);
        continue;
      }
      looked.push(await lookAt(next.value, run));
      deps.signal.throwIfAborted();
      if (job.settings.frameStrategy === "first" && looked.at(-1)?.detections.length !== 0) break;
    }
  } catch (failure) {
    if (!deps.signal.aborted) throw failure;
    run.troubles.add(
      `The time was up: what was found in ${looked.length} pictures until then is all there is`,
    );
  } finally {
    // What it has open is closed.
    await frames.return(undefined);
  }
  const best = winner(job.settings.frameStrategy, looked);
  const shown = best ?? mostRejected(looked);
  // Whoever ended the run may never tell of it: what nobody was told of is no past.
  if (shown !== null && !deps.signal.aborted) await remember(best ?? firstWithPast(looked), run);
  return { result: resultOf(best, shown, run), frame: shown?.frame ?? null };
}

/** Saves what is there now, what was there before too: the next event is compared with it. */
async function remember(looked: LookedAt | null, run: Run): Promise<void> {
  const monitor = run.job.monitor;
  if (looked === null || looked.present.length === 0) return;
  if (run.past === null || run.event === null || monitor === null) return;
  const seen = { event: run.event, size: looked.frame.size, seen: looked.present };
  try {
    await savePast(run.deps.pastFolder, monitor.id, seen);
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

function stepOfReading(
  next: IteratorResult<{ readonly id: string } | { readonly trouble: string }>,
): string | null {
  if (next.done === true) return null;
  return "id" in next.value ? `read ${next.value.id}` : "read";
}
