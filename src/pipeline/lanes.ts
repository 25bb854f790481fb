// One serial lane per monitor: what must wait keeps its order, and cameras never wait for each other.
import type { MonitorId } from "../domain/monitor.ts";
import type { Logger } from "../lib/log.ts";

export type Job = () => Promise<void>;

export interface Lanes {
  /** Runs the job after those already in the monitor's lane. A job that throws is logged; the lane goes on. */
  run(monitor: MonitorId, job: Job): void;
  isBusy(monitor: MonitorId): boolean;
  /** Resolves once no lane has anything to do. */
  idle(): Promise<void>;
}

export function createLanes(logger: Logger): Lanes {
  const tails = new Map<MonitorId, Promise<void>>();
  return {
    isBusy: (monitor) => tails.has(monitor),
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
    run(monitor, job) {
      const before = tails.get(monitor) ?? Promise.resolve();
      const tail = before.then(job).catch((error: unknown) => {
        logger.error({ err: error, monitor }, "An alarm could not be handled to its end");
      });
      tails.set(monitor, tail);
      void tail.then(() => {
        if (tails.get(monitor) === tail) tails.delete(monitor);
      });
    },
  };
}
