// What commands on this machine ask the resident detector, and what they are told: one JSON object per line.
import { z } from "zod";
import type { DetectionFailure } from "./detector.ts";
import type { DetectionAnswer } from "./job.ts";
import { parseAnswer } from "./resident/messages.ts";

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
  };
}

export type DetectReply =
  /** Sent before the answer, so that who asks knows that somebody listens. */
  | { readonly kind: "accepted" }
  | { readonly kind: "answer"; readonly answer: DetectionAnswer }
  | ({ readonly kind: "failed" } & DetectionFailure);

/** A request is a few paths. */
export const REQUEST_BYTES = 65_536;
/** An answer with thousands of boxes. */
export const REPLY_BYTES = 4_000_000;

/** The request in a line, or what is wrong with it. Never throws. */
export function parseRequest(line: string): DetectRequest | string {
  const parsed = request.safeParse(parseJson(line));
  if (!parsed.success) return `this is no request: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, " ")}`;
  const { event, file } = parsed.data;
  if ((event === null) === (file === null)) return "a request names either an event or a file";
  return parsed.data;
}

/** The reply in a line, or null when it is none. Never throws. */
export function parseReply(line: string): DetectReply | null {
  const value = reply.safeParse(parseJson(line)).data;
  if (value === undefined || value.kind !== "answer") return value ?? null;
  const answer = parseAnswer(value.answer);
  return answer === null ? null : { kind: "answer", answer };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const id = z.int().positive().nullable();
const absolute = z.string().max(4096).startsWith("/").nullable();
const request = z.object({
  event: id,
  file: absolute,
  monitor: id,
  cause: z.string().max(4096),
  path: absolute,
  options: z.object({
    config: absolute,
    overrides: z.array(z.string().max(4096)).max(100),
    writesFiles: z.boolean(),
    drawTo: absolute,
  }),
});
const reply = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("accepted") }),
  z.object({ kind: z.literal("answer"), answer: z.unknown() }),
  z.object({ kind: z.literal("failed"), failed: z.string() }),
]);
