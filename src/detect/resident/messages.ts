// What the daemon and its detector process say to each other. What the process says is checked: it may be half dead.
import { z } from "zod";
import type { DetectSettings } from "../../domain/detect-settings.ts";
import type { DetectionResult } from "../../domain/detection.ts";
import type { DetectionAnswer, DetectionJob } from "../job.ts";

/** Numbers jobs; never used twice for one process. */
export type JobId = number;

export interface ProcessSetup {
  /** Threads of one inference. */
  readonly threads: number;
  /** From 0 to 19. */
  readonly niceness: number;
  /** Converted models are kept here. */
  readonly cacheFolder: string;
  /** What monitors saw at their last events is kept here. */
  readonly pastFolder: string;
}

export type ToProcess =
  /** First of all, once. */
  | { readonly kind: "setup"; readonly setup: ProcessSetup }
  /** Loads what these settings need, so that the first event does not wait for it. */
  | { readonly kind: "warm"; readonly settings: DetectSettings }
  | { readonly kind: "run"; readonly id: JobId; readonly job: DetectionJob }
  | { readonly kind: "cancel"; readonly id: JobId }
  /** For the process that makes moving pictures. */
  | {
      readonly kind: "animate";
      readonly job: DetectionJob;
      readonly result: Pick<DetectionResult, "frame" | "analyzed">;
    };

export type FromProcess =
  | { readonly kind: "ready" }
  | {
      readonly kind: "warm";
      readonly ms: number;
      readonly engines: readonly string[];
      readonly troubles: readonly string[];
    }
  /** Looks are made one at a time: a job wants its turn, has it, or has given it back. */
  | { readonly kind: "turn"; readonly id: JobId; readonly is: "wanted" | "taken" | "over" }
  | { readonly kind: "answer"; readonly id: JobId; readonly answer: DetectionAnswer }
  | { readonly kind: "failed"; readonly id: JobId; readonly why: string }
  /** One "animate" is done with. */
  | { readonly kind: "animated" }
  | { readonly kind: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly text: string };

/** More than any picture shows; what is beyond comes from a process that has lost its mind. */
const MOST_THINGS = 10_000;
const LONGEST_TEXT = 1_000_000;

/** The message, or null when it is none. Never throws. */
export function parseFromProcess(message: unknown): FromProcess | null {
  return fromProcess.safeParse(message).data ?? null;
}

/** The same for an answer that came another way. */
export function parseAnswer(value: unknown): DetectionAnswer | null {
  return answer.safeParse(value).data ?? null;
}

const text = z.string().max(LONGEST_TEXT);
const size = z.object({ width: z.number(), height: z.number() });
const detection = z.object({
  label: text,
  confidence: z.number(),
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  type: z.enum(["object", "face", "alpr"]),
  model: text,
});
const rejected = z.object({
  detection,
  reason: z.enum(["pattern", "confidence", "size", "zone", "zone-pattern", "past-detection"]),
  detail: text,
});
const zone = z.object({
  name: text,
  points: z.array(z.tuple([z.number(), z.number()])).max(MOST_THINGS),
});
const answer = z.object({
  result: z.object({
    frame: text.nullable(),
    detections: z.array(detection).max(MOST_THINGS),
    rejected: z.array(rejected).max(MOST_THINGS),
    original: size.nullable(),
    analyzed: size.nullable(),
    zones: z.array(zone).max(MOST_THINGS),
    timings: z.array(z.object({ step: text, ms: z.number() })).max(MOST_THINGS),
    troubles: z.array(text).max(MOST_THINGS),
  }),
  printed: text,
  engines: z.array(text).max(MOST_THINGS).optional(),
});
const id = z.int();
const fromProcess = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({
    kind: z.literal("warm"),
    ms: z.number(),
    engines: z.array(text).max(MOST_THINGS),
    troubles: z.array(text).max(MOST_THINGS),
  }),
  z.object({ kind: z.literal("turn"), id, is: z.enum(["wanted", "taken", "over"]) }),
  z.object({ kind: z.literal("answer"), id, answer }),
  z.object({ kind: z.literal("failed"), id, why: text }),
  z.object({ kind: z.literal("animated") }),
  z.object({ kind: z.literal("log"), level: z.enum(["debug", "info", "warn", "error"]), text }),
]);
