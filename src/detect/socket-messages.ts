// What commands on this machine ask the resident detector, and what they are told: one JSON object per line.
import type { DetectionFailure } from "./detector.ts";
import type { DetectionAnswer } from "./job.ts";

/** What is to be searched, and how, in the words of the original's commands. Paths are absolute. */
export interface DetectRequest {
  /** Null when a file is searched. */
  readonly event: number | null;
  /** A picture or a video; null when an event is searched. */
  readonly file: string | null;
  /** Null: that of the event, or none. */
  readonly monitor: number | null;
  /** ZoneMinder's words for the alarm; empty: unknown. */
  readonly cause: string;
  /** The event's folder, where the caller knows it; objdetect.jpg goes there. */
  readonly path: string | null;
  readonly options: {
    /** objectconfig.ini or objectconfig.yml; null: what the server itself uses. */
    readonly config: string | null;
    /** "dotted.path=value", as `--override` takes them. */
    readonly overrides: readonly string[];
    /** False: objdetect.jpg and objects.json are not written, whatever the settings say. */
    readonly writesFiles: boolean;
    /** A picture with boxes goes here besides; null: none. */
    readonly drawTo: string | null;
    /** "hog": OpenCV's people detector, whatever the settings say. */
    readonly engine?: "hog" | undefined;
  };
  /** Present: what was found is noted at the event: as its tags where the settings want them, and in its notes. */
  readonly records?: { readonly notes: boolean } | undefined;
}

export type DetectReply<A = DetectionAnswer> =
  /** Sent before the answer, so that who asks knows that somebody listens. */
  | { readonly kind: "accepted" }
  | { readonly kind: "answer"; readonly answer: A }
  | ({ readonly kind: "failed" } & DetectionFailure);

/** A request is a few paths. */
export const REQUEST_BYTES = 65_536;
/** An answer with thousands of boxes. */
export const REPLY_BYTES = 4_000_000;

/**
 * The reply in a line, or null when it is none. Never throws. `readAnswer` checks the answer as far as the caller uses
 * it: commands that must begin at once do without the library that checks all of it.
 */
export function parseReply<A>(line: string, readAnswer: (value: unknown) => A | null): DetectReply<A> | null {
  const value = parseJson(line);
  if (typeof value !== "object" || value === null || !("kind" in value)) return null;
  if (value.kind === "accepted") return { kind: "accepted" };
  if (value.kind === "failed" && "failed" in value && typeof value.failed === "string")
    return { kind: "failed", failed: value.failed };
  if (value.kind !== "answer" || !("answer" in value)) return null;
  const answer = readAnswer(value.answer);
  return answer === null ? null : { kind: "answer", answer };
}

/** The value, or undefined. */
export function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
