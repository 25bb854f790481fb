// Limits how many requests an address may make: a burst, then so many a second.
import type { Clock } from "../lib/clock.ts";

/** True when the address may make one more request now. */
export type RequestLimiter = (key: string) => boolean;

/** A whole household that opens its phones at once, after an hour away. */
const BURST = 60;
const PER_SECOND = 10;
/** More addresses than any installation has; the one that asked longest ago is forgotten first. */
const MOST_KEYS = 10_000;

export function createRequestLimiter(clock: Clock): RequestLimiter {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  return (key) => {
    const now = clock.monotonic();
    const { left, at } = buckets.get(key) ?? { left: BURST, at: now };
    const tokens = Math.min(BURST, left + ((now - at) / 1000) * PER_SECOND);
    buckets.delete(key);
    buckets.set(key, { left: tokens >= 1 ? tokens - 1 : tokens, at: now });
    const [oldest] = buckets.keys();
    if (buckets.size > MOST_KEYS && oldest !== undefined) buckets.delete(oldest);
    return tokens >= 1;
  };
}
