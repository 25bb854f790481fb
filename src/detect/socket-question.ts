// One question to the resident detector of the running server, with nothing loaded that is not needed for it.
import { createConnection } from "node:net";
import { reasonOf } from "../lib/errors.ts";
import type { DetectionFailure } from "./detector.ts";
import { readLines } from "./lines.ts";
import { type DetectRequest, parseReply, REPLY_BYTES } from "./socket-messages.ts";

export interface QuestionOptions<A> {
  /** `<base_data_path>/detector.sock` */
  readonly path: string;
  readonly request: DetectRequest;
  /** Ends the question; the server then stops looking. */
  readonly signal: AbortSignal;
  /** For the connection and the word that the request was taken; 2 s. */
  readonly acceptMs?: number;
  /** The part of the answer that is used, or null when it is not as it should be. Never throws. */
  readAnswer(value: unknown): A | null;
}

/**
 * Why nobody looked: no server runs, it is not ours, it is of another kind, or it ended half-way. The caller can look
 * for itself.
 */
export interface Unreachable {
  readonly unreachable: string;
}

/** A server whose loop is busy answers within milliseconds; one that hangs must not hold up a hook. */
const ACCEPT_MS = 2_000;

/**
 * Asks, and waits for the answer as long as the server does (its queue and deadline bound it). Never rejects:
 * `{ failed }` is what went wrong with the detection, `{ unreachable }` that there was nobody to ask.
 */
export function askOnce<A>(options: QuestionOptions<A>): Promise<A | DetectionFailure | Unreachable> {
  const { path, request, signal, acceptMs = ACCEPT_MS, readAnswer } = options;
  const done = Promise.withResolvers<A | DetectionFailure | Unreachable>();
  const socket = createConnection(path);
  const nobody = (unreachable: string): void => done.resolve({ unreachable });
  const timer = setTimeout(nobody, acceptMs, `no answer within ${acceptMs / 1000} s`);
  const onAbort = (): void => nobody("called off");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();

  socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
  socket.on("error", (failure) => nobody(reasonOf(failure)));
  socket.on("close", () => nobody("the server ended the connection"));
  readLines(
    socket,
    REPLY_BYTES,
    (line) => {
      const reply = parseReply(line, readAnswer);
      if (reply?.kind === "accepted") clearTimeout(timer);
      else if (reply?.kind === "answer") done.resolve(reply.answer);
      else if (reply?.kind === "failed") done.resolve({ failed: reply.failed });
      else nobody("the server says what this version does not understand");
    },
    () => nobody("the answer is too long"),
  );
  return done.promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  });
}
