// What the detector process does with its messages: loads engines, lets jobs look one at a time, and always answers.
import type { EngineSettings } from "../../domain/detect-settings.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Engine } from "../engines/engine.ts";
import type { DetectionAnswer, DetectionJob } from "../job.ts";
import type { EnginePool } from "./engine-pool.ts";
import type { FromProcess, JobId, ToProcess } from "./messages.ts";
import { createTurns, type TakeTurn } from "./turns.ts";

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
    /** Others wait for its end, also when nobody wants this job's answer any more. */
    let lastTurn: Promise<unknown> = Promise.resolve();
    const inTurn = <T>(take: TakeTurn, has: "taken" | "over", work: () => Promise<T>): Promise<T> => {
      tell({ kind: "turn", id, is: "wanted" });
      const begun = async (): Promise<T> => {
        tell({ kind: "turn", id, is: has });
        return work();
      };
      const turn = take(begun, signal).finally(() => tell({ kind: "turn", id, is: "over" }));
      lastTurn = turn.catch(() => undefined);
      return turn;
    };
    const looking = <T>(work: () => Promise<T>) => inTurn(takeTurn, "taken", work);
    /** To the daemon that is work as reading pictures is: whoever looks may do so meanwhile. */
    const preparing = (work: () => Promise<void>) => inTurn(takeTurnToPrepare, "over", work);
    const engineFor = async (settings: EngineSettings): Promise<Engine> => {
      const engine = (await engines.loaded(settings)) ?? (await looking(() => engines.get(settings)));
      if (!keepsBusy(settings)) return engine;
      // Asked for again: another job may have had so many engines loaded meanwhile that this one was given up.
      const detect: Engine["detect"] = async (frame, context) => {
        if (engine.prepare !== undefined) await preparing(async () => engine.prepare?.(frame));
        return looking(async () => (await engines.get(settings)).detect(frame, context));
      };
      return { ...engine, detect };
    };
    const outcome = await look(job, { engineFor, signal }).then(
      (answer): FromProcess => ({ kind: "answer", id, answer }),
      (failure: unknown): FromProcess => ({ kind: "failed", id, why: reasonOf(failure) }),
    );
    await lastTurn;
    jobs.delete(id);
    tell(outcome);
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
