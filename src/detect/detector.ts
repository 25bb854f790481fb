// The detector as the daemon sees it: one resident process, a bounded queue in front of it, and somebody who restarts it.
import { availableParallelism } from "node:os";
import type { DetectSettings } from "../domain/detect-settings.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import type { DetectionAnswer, DetectionJob } from "./job.ts";
import { createAnimator } from "./resident/animator.ts";
import { createKeeper } from "./resident/keeper.ts";
import type { FromProcess, JobId, ProcessSetup } from "./resident/messages.ts";
import { createJobQueue } from "./resident/queue.ts";
import { createTask, type Task, taskKey } from "./resident/task.ts";

/** Keys of the section "detection", and `max_wait` of the section "hook". */
export interface DetectorOptions {
  readonly threads: "auto" | number;
  readonly niceness: number;
  readonly deadline: number;
  readonly max_waiting: number;
  /** Seconds a job may wait for its turn, in the queue and for the engine together. */
  readonly max_wait: number;
  readonly idle_unload: number;
}

export interface DetectorDeps {
  /** Converted models are kept here. */
  readonly cacheFolder: string;
  /** What monitors saw at their last events is kept here. */
  readonly pastFolder: string;
  /** What is loaded at each start of the process; null or absent: it starts with the first job. */
  readonly warmUp?: () => Promise<DetectSettings | null>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Moving pictures that are still to be made when it stops are made all the same; otherwise they end with it. */
  readonly isBrief?: boolean;
  /** Another program in place of worker.ts; for tests. */
  readonly script?: string;
}

/** Why there is no answer, in words that can be shown. */
export interface DetectionFailure {
  readonly failed: string;
}

export interface Detector extends Part {
  /**
   * Searches the pictures of a job. Never rejects; answers within `max_wait` and `deadline` together. A job for an
   * event that another job with the same settings is about already gets that one's answer. `signal`: nobody wants to
   * know any more.
   */
  look(job: DetectionJob, signal: AbortSignal): Promise<DetectionAnswer | DetectionFailure>;
  counts(): DetectorCounts;
}

interface DetectorCounts {
  /** The process's id; null while there is none. */
  readonly pid: number | null;
  readonly running: number;
  readonly waiting: number;
  /** Since the start. */
  readonly answered: number;
  readonly failed: number;
  /** Processes that ended although they should not have. */
  readonly crashes: number;
}

/**
 * How many jobs the process has at once. Looks are made one at a time, but pictures that are not there yet are waited
 * for: so many cameras may do that without holding up the others. They also read their pictures before the first look begins,
 * because onnxruntime lets nothing else happen in the process while it computes.
 */
const AT_ONCE = 8;

/** Nothing runs before `start`, or before the first job where nothing is to be warmed up. */
export function createDetector(options: DetectorOptions, deps: DetectorDeps): Detector {
  const { clock, logger } = deps;
  const queue = createJobQueue<Task>(options.max_waiting);
  const running = new Map<JobId, Task>();
  let isStopped = false;
  let lastId = 0;
  let answered = 0;
  let failed = 0;
  const setup: ProcessSetup = {
    threads: threadsOf(options.threads),
    niceness: options.niceness,
    cacheFolder: deps.cacheFolder,
    pastFolder: deps.pastFolder,
  };
  const animator = createAnimator({ setup, environment: deps.environment, logger });
  const keeper = createKeeper({
    setup,
    idleMs: options.idle_unload * 1000,
    deps,
    hasWork: () => queue.size() + running.size > 0,
    onReady: pump,
    onMessage,
    onEnd: afterEnd,
  });

  return {
    name: "detector",
    async start() {
      keeper.start();
    },
    async stop() {
      isStopped = true;
      for (const task of waitingOrRunning()) fail(task, "the program ends");
      await Promise.all([keeper.stop(), deps.isBrief ? animator.release() : animator.stop()]);
    },
    look,
    counts: () => ({
      pid: keeper.pid(),
      running: running.size,
      waiting: queue.size(),
      answered,
      failed,
      crashes: keeper.crashes(),
    }),
  };

  function look(job: DetectionJob, signal: AbortSignal): Promise<DetectionAnswer | DetectionFailure> {
    if (isStopped || signal.aborted) return Promise.resolve({ failed: "the program ends" });
    const down = keeper.whyDown();
    if (down !== null) {
      failed += 1;
      return Promise.resolve({ failed: `the detector does not run: ${down}` });
    }
    const task = taskFor(job);
    const answer = task.join(signal);
    pump();
    return answer;
  }

  /** The one that is about the same already, or a new one in the queue. */
  function taskFor(job: DetectionJob): Task {
    const key = taskKey(job);
    const same =
      key === null ? undefined : waitingOrRunning().find((each) => each.key === key && !each.isSettled());
    if (same !== undefined) return same;
    lastId += 1;
    const limits = { waiting: options.max_wait * 1000, working: options.deadline * 1000 };
    const task = createTask({ id: lastId, key, job, limits, clock, onSpent, onLeft });
    const tooMuch = queue.add(task);
    task.budget.use("waiting");
    if (tooMuch !== null) {
      fail(tooMuch, `${options.max_waiting} others wait already (detection.max_waiting)`);
    }
    return task;
  }

  function waitingOrRunning(): readonly Task[] {
    return [...running.values(), ...queue.all()];
  }

  /** Gives the process what it can take. */
  function pump(): void {
    while (!isStopped && queue.size() > 0 && running.size < AT_ONCE) {
      const task = queue.next();
      // What the process may have died of runs alone, so that nothing else dies with it again.
      const isAlone =
        task === null || task.deaths > 0 || [...running.values()].some(({ deaths }) => deaths > 0);
      if (task === null || (isAlone && running.size > 0)) return;
      if (!keeper.isReady()) {
        keeper.wake();
        return;
      }
      queue.remove(task);
      running.set(task.id, task);
      shareTime();
      keeper.send({ kind: "run", id: task.id, job: task.job });
    }
    if (queue.size() + running.size === 0) keeper.rest();
  }

  function onMessage(message: FromProcess): void {
    const task = "id" in message ? running.get(message.id) : undefined;
    if (task === undefined) return;
    switch (message.kind) {
      case "turn":
        task.turn = message.is;
        shareTime();
        return;
      case "answer":
        if (!task.isSettled()) answered += 1;
        task.settle(message.answer);
        animator.add(task.job, message.answer.result);
        break;
      case "failed":
        fail(task, message.why);
        break;
      default:
        return;
    }
    task.budget.end();
    running.delete(task.id);
    shareTime();
    keeper.works();
    pump();
  }

  /** Engines keep the whole process busy: while one job looks, time goes by for it alone. */
  function shareTime(): void {
    const tasks = [...running.values()];
    const isLooking = tasks.some(({ turn }) => turn === "taken");
    for (const task of tasks) {
      const waits = task.turn === "wanted" || (isLooking && task.turn !== "taken");
      task.budget.use(waits && !task.isSettled() ? "waiting" : "working");
    }
  }

  /** Time is over: a job that only waits is given up; one that works hangs, and with it the process. */
  function onSpent(task: Task, on: "waiting" | "working"): void {
    if (on === "waiting") {
      fail(task, `its turn did not come within ${options.max_wait} s (hook.max_wait)`);
      if (!queue.remove(task)) callOff(task);
      return;
    }
    if (running.get(task.id) !== task || [...running.values()].some(({ isToBlame }) => isToBlame)) return;
    task.isToBlame = true;
    fail(task, `it took longer than ${options.deadline} s (detection.deadline)`);
    keeper.kill(`an event took longer than ${options.deadline} s (detection.deadline)`);
  }

  /** Nobody wants its answer any more. */
  function onLeft(task: Task): void {
    task.budget.end();
    if (!queue.remove(task)) callOff(task);
  }

  function callOff(task: Task): void {
    keeper.send({ kind: "cancel", id: task.id });
    task.budget.use("working"); // ending must not hang either
  }

  /** The process is gone, and with it what it was about. */
  function afterEnd(why: string): void {
    const lost = [...running.values()];
    running.clear();
    const isKnown = lost.some(({ turn, isToBlame }) => turn === "taken" || isToBlame);
    const hadOver = lost.some(({ isToBlame }) => isToBlame);
    for (const task of lost.toReversed()) {
      const isBlamed = hadOver ? task.isToBlame : isKnown ? task.turn === "taken" : lost.length === 1;
      task.turn = "over";
      task.deaths += 1;
      if (task.isSettled()) continue;
      if (isBlamed || task.deaths >= MOST_DEATHS) fail(task, why);
      else {
        queue.putBack(task);
        task.budget.refill("working");
        task.budget.use("waiting");
      }
    }
    const down = keeper.whyDown();
    if (down !== null) {
      for (const task of queue.drain()) fail(task, `the detector does not run: ${down}`);
    }
    pump();
  }

  function fail(task: Task, why: string): void {
    if (task.isSettled()) return;
    failed += 1;
    logger.debug({ job: task.id }, `The detector has no answer: ${why}`);
    task.settle({ failed: why });
  }
}

/** A job whose process died goes to the next one once; if that dies too, it was this job. */
const MOST_DEATHS = 2;

/** ZoneMinder records on the same machine. */
function threadsOf(threads: "auto" | number): number {
  return threads === "auto" ? Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2))) : threads;
}
