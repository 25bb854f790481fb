// How long to wait before the next attempt. Pure.

/** The first pause; a lost packet or a restarting broker is over by then. */
const SHORTEST_MS = 1000;
/** The longest pause: an endpoint that is back waits no longer than this for its notices. */
const LONGEST_MS = 5 * 60_000;

/**
 * Exponential with full jitter, so that a thousand phones do not come back in the same moment. What the other side
 * asked for (`Retry-After`) is the least; the jitter is added to it. `attempts` counts those made so far, from 1;
 * `random` is from 0 to 1.
 */
export function nextDelayMs(attempts: number, retryAfterMs: number | null, random: number): number {
  const ceiling = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(Math.max(attempts, 1), 20));
  const jitter = Math.round(SHORTEST_MS + random * (ceiling - SHORTEST_MS));
  if (retryAfterMs === null || !Number.isFinite(retryAfterMs) || retryAfterMs <= 0) return jitter;
  return Math.round(retryAfterMs + random * SHORTEST_MS);
}
