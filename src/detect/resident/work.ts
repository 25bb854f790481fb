// What the detector process does with its messages: loads engines, lets jobs look one at a time, and always answers.
import type { EngineSettings } from "../../domain/detect-settings.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Engine } from "../engines/engine.ts";
import type { DetectionAnswer, DetectionJob } from "../job.ts";
import type { EnginePool } from "./engine-pool.ts";
import type { FromProcess, JobId, ToProcess } from "./messages.ts";
import { createTurns } from "./turns.ts";

/** What a job may use of the process. */
export interface LookTools {
  /** Loads the engine, or takes the one that is loaded. Rejects with an Error that says what to do. */
  engineFor(settings: EngineSettings): Promise<Engine>;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

export interface WorkDeps {
  readonly engines: EnginePool;
  /** The whole of one job, from its pictures to the files it leaves. */
  readonly look: (job: DetectionJob, tools: LookTools) => Promise<DetectionAnswer>;
  /** Has an engine look at a picture of nothing, so that the first event does not pay for that. */
  readonly tryOut: (engine: Engine) => Promise<void>;
  readonly tell: (message: FromProcess) => void;
  /** Milliseconds; only differences mean something. */
  readonly now: () => number;
}

/** Takes everything but "setup". Never throws. */
export function createWork({ engines, look, tryOut, tell, now }: WorkDeps): (message: ToProcess) => void {
  const takeTurn = createTurns();
  /** The picture that is looked at next is wanted first; all at once, each would be ready later, in more memory. */
  const takeTurnToPrepare = createTurns();
  const jobs = new Map<JobId, AbortController>();

  return (message) => {
    if (message.kind === "run") void run(message.id, message.job);
    else if (message.kind === "cancel") jobs.get(message.id)?.abort(new Error("called off"));
    else if (message.kind === "warm") void warm(message);
  };

  async function run(id: JobId, job: DetectionJob): Promise<void> {
    const abort = new AbortController();
    const { signal } = abort;
    jobs.set(id, abort);
    const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
      tell({ kind: "turn", id, is: "wanted" });
      const looking = async (): Promise<T> => {
        tell({ kind: "turn", id, is: "taken" });
        return work();
      };
      return takeTurn(looking, signal).finally(() => tell({ kind: "turn", id, is: "over" }));
    };
    const engineFor = async (settings: EngineSettings): Promise<Engine> => {
      const engine = (await engines.loaded(settings)) ?? (await inTurn(() => engines.get(settings)));
      if (!keepsBusy(settings)) return engine;
      // Asked for again: another job may have had so many engines loaded meanwhile that this one was given up.
      const detect: Engine["detect"] = async (frame, context) => {
        await takeTurnToPrepare(async () => engine.prepare?.(frame), signal);
        return inTurn(async () => (await engines.get(settings)).detect(frame, context));
      };
      return { ...engine, detect };
    };
    try {
      tell({ kind: "answer", id, answer: await look(job, { engineFor, signal }) });
    } catch (failure) {
      tell({ kind: "failed", id, why: reasonOf(failure) });
    } finally {
      jobs.delete(id);
    }
  }

  async function warm({ settings }: Extract<ToProcess, { kind: "warm" }>): Promise<void> {
    const begun = now();
    const ready: string[] = [];
    const troubles: string[] = [];
    const models = settings.sequence.flatMap((group) => group.models);
    for (const { name, engine: wanted } of models) {
      if (!keepsBusy(wanted)) continue;
      const load = async (): Promise<void> => {
        const engine = await engines.get(wanted);
        await tryOut(engine);
        ready.push(engine.description);
      };
      await takeTurn(load, NEVER).catch((failure: unknown) => {
        troubles.push(`${name} cannot be used: ${reasonOf(failure)}`);
      });
    }
    tell({ kind: "warm", ms: now() - begun, engines: ready, troubles });
  }
}

const NEVER = new AbortController().signal;

/** Engines that compute here; the others wait for a network or another program. */
function keepsBusy({ kind }: EngineSettings): boolean {
  return kind === "onnx" || kind === "darknet" || kind === "hog";
}
