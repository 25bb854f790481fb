// What a bench is: a name, a sentence, and a run that gives metrics.
import type { Result } from "./result.ts";

export type Metrics = readonly Omit<Result, "bench">[];

export interface Bench {
  readonly name: string;
  /** What it measures, for the help. */
  readonly about: string;
  /** `say` tells people on standard error what is going on. */
  run(say: (text: string) => void): Promise<Metrics>;
}
