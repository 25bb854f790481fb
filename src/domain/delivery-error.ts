// Why an attempt to deliver failed, as far as it decides what happens next.

/**
 * "retry": not now (network, 429, 5xx), again after `retryAfterMs` or the usual pause; "gone": this recipient no
 * longer exists; "rejected": it will never accept this, whatever is tried; "held": nobody knows yet whether it may be
 * told of this, nothing was sent, and it is looked at again soon; "forbidden": it may not be told of this.
 */
export type DeliveryFailure = "retry" | "gone" | "rejected" | "held" | "forbidden";

export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  readonly failure: DeliveryFailure;
  readonly retryAfterMs: number | null;

  /** `message`: the other side's words without any secret; they are shown in `zmes why`. */
  constructor(failure: DeliveryFailure, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}
