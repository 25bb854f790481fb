// Makes this process stand back: behind others for the processor, before them when memory runs out.
import { readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";

/** Halfway to "kill me first": ZoneMinder, the database and the daemon matter more (proc(5), oom_score_adj). */
const OOM_SCORE = "500";

/** Niceness is a matter of threads in Linux: those that run already are told one by one, new ones inherit it. */
export function standBack(niceness: number): void {
  quietly(() => writeFileSync("/proc/self/oom_score_adj", OOM_SCORE));
  quietly(() => setPriority(niceness));
  quietly(() => {
    for (const thread of readdirSync("/proc/self/task")) quietly(() => setPriority(Number(thread), niceness));
  });
}

/** A system that does not allow it is no reason not to work. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // As it was.
  }
}
