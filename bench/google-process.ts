// The stand-in for Google in a process of its own: checks every message, takes 50 ms for it, and knows when it took the last.
import { startGoogle } from "../tests/support/google.ts";
import { answerCalls } from "./child.ts";
import { instant } from "./instant.ts";

/** How to reach it. */
export interface GooglePlace {
  readonly origin: string;
  /** PEM to trust. */
  readonly ca: string;
  /** Path of a service account's key file. */
  readonly keyFile: string;
}

export interface GoogleCalls {
  place(): GooglePlace;
  /** From now on it waits for so many messages. */
  expect(messages: number): void;
  /** When it accepted the last of them; fails when they do not come. */
  lastAcceptedAt(timeoutMs: number): Promise<number>;
  /** The text of the last message. */
  text(): string;
}

/** Before each answer, as measured from a house to Google. */
const LATENCY_MS = 50;

await answerCalls(async (): Promise<GoogleCalls> => {
  const google = await startGoogle();
  process.once("exit", () => void google.stop());
  google.latencyMs = LATENCY_MS;
  let left = 0;
  let complete = Promise.withResolvers<number>();
  google.answer = () => {
    left -= 1;
    if (left === 0) complete.resolve(instant());
    return "ok";
  };
  return {
    place: () => ({ origin: google.origin, ca: google.ca, keyFile: google.keyFile }),
    expect(messages) {
      left = messages;
      complete = Promise.withResolvers();
    },
    async lastAcceptedAt(timeoutMs) {
      const timer = setTimeout(
        () => complete.reject(new Error(`${left} messages did not come. ${google.complaints.at(-1) ?? ""}`)),
        timeoutMs,
      );
      try {
        return await complete.promise;
      } finally {
        clearTimeout(timer);
      }
    },
    text: () => JSON.stringify(google.accepted.at(-1)?.body),
  };
});
