// Has moving pictures made in a process of their own: one that is there while there are any to make.
import { fileURLToPath } from "node:url";
import type { DetectionResult } from "../../domain/detection.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { ownProgram } from "../../lib/own-program.ts";
import type { DetectionJob } from "../job.ts";
import type { FromProcess, ProcessSetup } from "./messages.ts";
import { type DetectorProcess, startProcess } from "./process.ts";

export interface Animator {
  /** Makes what the job's settings ask for; nobody waits for it, and it never throws. */
  add(job: DetectionJob, result: Pick<DetectionResult, "frame" | "analyzed">): void;
  /** Ends what is under way. */
  stop(): Promise<void>;
  /** Lets it end by itself, also after this program: resolves when the process knows all it has to do. */
  release(): Promise<void>;
}

export interface AnimatorOptions {
  readonly setup: ProcessSetup;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

/** Beside this folder; compiled files end in .js. */
const PROGRAM = fileURLToPath(ownProgram("../animator", import.meta.url));

/** Builds it; no process runs before there is something to make. */
export function createAnimator({ setup, environment, logger }: AnimatorOptions): Animator {
  let current: DetectorProcess | null = null;
  let pending = 0;
  let isStopped = false;

  return {
    add(job, { frame, analyzed }) {
      const isWanted = job.settings.output.animation !== null && job.outputFolder !== null;
      if (!isWanted || frame === null || isStopped) return;
      try {
        current ??= begin();
      } catch (failure) {
        logger.warn(`Moving pictures are not made: no process can be started: ${reasonOf(failure)}`);
        return;
      }
      pending += 1;
      current.send({ kind: "animate", job, result: { frame, analyzed } });
    },
    async stop() {
      isStopped = true;
      current?.kill();
      await current?.gone;
    },
    async release() {
      isStopped = true;
      await current?.release();
    },
  };

  function begin(): DetectorProcess {
    const mine = startProcess({ script: PROGRAM, environment, onMessage: hear, onEnd: ended });
    mine.send({ kind: "setup", setup });
    return mine;

    function hear(message: FromProcess): void {
      if (message.kind === "log") logger[message.level](message.text);
      if (message.kind !== "animated") return;
      pending -= 1;
      if (pending > 0 || current !== mine) return;
      current = null;
      mine.kill();
    }

    function ended(why: string): void {
      if (current !== mine) return;
      current = null;
      if (!isStopped) logger.warn(`Moving pictures of ${pending} events were not made: ${why}`);
      pending = 0;
    }
  }
}
