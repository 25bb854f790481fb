// What the two ways to a phone have in common.
import { reasonOf, systemCode } from "../../lib/errors.ts";
import { DeliveryError } from "../channel.ts";
import type { FcmContent } from "./message.ts";

export interface FcmSender {
  /** How many messages may be under way at once. */
  readonly concurrency: number;
  /** One attempt; the sentence for the history, or a DeliveryError. */
  send(content: FcmContent, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Where to send instead, for tests. */
export interface FcmTarget {
  readonly origin?: string;
  readonly ca?: string;
  readonly timeoutMs?: number;
}

/** The answer; whatever goes wrong on the way to it passes, and is tried again later. */
export async function attempted<T>(whom: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof DeliveryError) throw failure;
    // Node leaves the message empty where it tried several addresses.
    const words = reasonOf(failure) || (systemCode(failure) ?? "unknown trouble");
    throw new DeliveryError("retry", `${whom} could not be reached: ${words}`);
  }
}
