// One attempt to deliver a notice: with a limit, cut off at the end of the program, its failure put in order.
import { DeliveryError, type DeliveryFailure } from "../domain/delivery-error.ts";
import type { Notice } from "../domain/notice.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { orAborted } from "../lib/within.ts";
import type { Deliverer } from "./ports.ts";

/** What came of it. "cut off": the program ends, and the next start tries it again. */
export type AttemptResult =
  | { readonly result: "delivered"; readonly words: string }
  | { readonly result: DeliveryFailure; readonly words: string; readonly retryAfterMs: number | null }
  | { readonly result: "cut off" };

export interface Attempts {
  /** Never throws. */
  run(notice: Notice): Promise<AttemptResult>;
  /** Ends those under way. */
  cutOff(): void;
}

/** Longer than any channel's own limit (a script has a minute): what hangs beyond it must not hold its place. */
const LIMIT_MS = 120_000;

/** Made when it is needed: an error takes its stack with it, and a thousand attempts would feel that. */
const tooLong = () => new DeliveryError("retry", `no answer within ${LIMIT_MS / 1000} s`);

export function createAttempts(channel: Deliverer, logger: Logger): Attempts {
  const underWay = new Set<AbortController>();
  let isCutOff = false;

  return {
    async run(notice) {
      const abort = new AbortController();
      underWay.add(abort);
      const timer = setTimeout(() => abort.abort(tooLong()), LIMIT_MS);
      try {
        const words = await orAborted(channel.deliver(notice, abort.signal), abort.signal);
        return { result: "delivered", words };
      } catch (error) {
        return isCutOff ? { result: "cut off" } : failed(notice, error);
      } finally {
        clearTimeout(timer);
        underWay.delete(abort);
      }
    },
    cutOff() {
      isCutOff = true;
      for (const each of underWay) each.abort(new Error("the program ends"));
    },
  };

  function failed(notice: Notice, error: unknown): AttemptResult {
    const words = reasonOf(error);
    if (error instanceof DeliveryError)
      return { result: error.failure, words, retryAfterMs: error.retryAfterMs };
    const details = { channel: channel.name, recipient: notice.recipient, alarm: notice.alarm.id };
    logger.error({ err: error, ...details }, "An attempt to deliver failed unexpectedly");
    return { result: "retry", words, retryAfterMs: null };
  }
}
