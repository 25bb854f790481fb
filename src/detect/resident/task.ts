// One job on its way through the queue and the process, and everybody who waits for its answer.
import type { Clock } from "../../lib/clock.ts";
import type { DetectionAnswer, DetectionJob } from "../job.ts";
import { type Budget, type BudgetUse, createBudget } from "./budget.ts";
import type { JobId } from "./messages.ts";

type Outcome = DetectionAnswer | { readonly failed: string };

export interface Task {
  readonly id: JobId;
  /** What it is about; null: nothing that another job could be about too. */
  readonly key: string | null;
  readonly monitor: number | null;
  readonly job: DetectionJob;
  readonly budget: Budget;
  /** How many processes ended while they were about it. */
  deaths: number;
  /** Whether it waits for its turn at the engines, has it, or neither. */
  turn: "wanted" | "taken" | "over";
  /** The process was killed because of it. */
  isToBlame: boolean;
  /** Waits for the answer; when everybody has left, `onLeft` is called. */
  join(signal: AbortSignal): Promise<Outcome>;
  settle(outcome: Outcome): void;
  isSettled(): boolean;
}

export interface TaskOptions {
  readonly id: JobId;
  readonly key: string | null;
  readonly job: DetectionJob;
  readonly limits: Readonly<Record<BudgetUse, number>>;
  readonly clock: Clock;
  onSpent(task: Task, on: BudgetUse): void;
  onLeft(task: Task): void;
}

export function createTask(options: TaskOptions): Task {
  const { id, key, job, limits, clock } = options;
  const done = Promise.withResolvers<Outcome>();
  let outcome: Outcome | null = null;
  let waiting = 0;
  const task: Task = {
    id,
    key,
    monitor: job.monitor?.id ?? null,
    job,
    budget: createBudget(limits, clock, (on) => options.onSpent(task, on)),
    deaths: 0,
    turn: "over",
    isToBlame: false,
    async join(signal) {
      waiting += 1;
      const left = Promise.withResolvers<Outcome>();
      const leave = (): void => {
        waiting -= 1;
        left.resolve({ failed: "nobody waits for it any more" });
        if (waiting === 0 && outcome === null) {
          outcome = { failed: "nobody waits for it any more" };
          options.onLeft(task);
        }
      };
      signal.addEventListener("abort", leave, { once: true });
      try {
        return await Promise.race([done.promise, left.promise]);
      } finally {
        signal.removeEventListener("abort", leave);
      }
    },
    settle(given) {
      if (outcome !== null) return;
      outcome = given;
      task.budget.end();
      done.resolve(given);
    },
    isSettled: () => outcome !== null,
  };
  return task;
}

/** Equal for jobs that must have the same answer; null when there is no telling. */
export function taskKey({ source, settings, cause, outputFolder, drawTo }: DetectionJob): string | null {
  if (source.kind !== "event") return null;
  const zones = settings.zones.onlyTriggered ? cause : "";
  return JSON.stringify([source.event, zones, outputFolder, drawTo, settings]);
}
