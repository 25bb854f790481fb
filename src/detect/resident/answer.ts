// One job in the detector process, from its pictures to the files it leaves: the answer, or an Error that says why not.
import type { ModelSettings } from "../../domain/detect-settings.ts";
import type { DetectionResult } from "../../domain/detection.ts";
import type { Engine } from "../engines/engine.ts";
import type { DetectionAnswer, DetectionJob } from "../job.ts";
import { printedAnswer } from "../output/text.ts";
import type { Frame } from "../picture/frame.ts";
import type { SequenceDeps } from "../run.ts";
import { runSequence } from "../sequence.ts";
import type { LookTools } from "./work.ts";

export interface AnswerDeps extends Omit<SequenceDeps, "engineFor" | "signal"> {
  /** Writes what the settings ask for; gives troubles in words. */
  readonly writeFiles: (
    job: DetectionJob,
    result: DetectionResult,
    frame: Frame | null,
  ) => Promise<readonly string[]>;
}

/**
 * Rejects when nothing was found and nobody can say that there is nothing: no picture could be read, or a model did
 * not work in any of them. An alarm is then told as if there were no detector, rather than silenced.
 */
export async function answerFor(
  job: DetectionJob,
  tools: LookTools,
  deps: AnswerDeps,
): Promise<DetectionAnswer> {
  const blind = new Set<ModelSettings>();
  const seeing = new Map<ModelSettings, string>();
  const engineFor = async (model: ModelSettings): Promise<Engine> => {
    blind.add(model);
    const engine = await tools.engineFor(model.engine);
    return {
      ...engine,
      async detect(frame, context) {
        const found = await engine.detect(frame, context);
        seeing.set(model, `${model.name}: ${engine.description}`);
        return found;
      },
    };
  };
  const { result, frame } = await runSequence(job, { ...deps, engineFor, signal: tools.signal });
  tools.signal.throwIfAborted();
  const isBlind = frame === null || [...blind].some((model) => !seeing.has(model));
  if (result.detections.length === 0 && isBlind)
    throw new Error(result.troubles.join("; ") || "there was no picture to look at");
  const printed = printedAnswer(result, job.settings.output, job.settings.frames.isBestMatch);
  const troubles = await deps.writeFiles(job, result, frame);
  const engines = [...new Set(seeing.values())];
  return { result: { ...result, troubles: [...result.troubles, ...troubles] }, printed, engines };
}
