// Waits until something has come true, as long as a slow and busy machine may need for it.
import { vi } from "vitest";

/** Beyond anything that works; a test that waits several times in a row still fails with the check's own words. */
const TIMEOUT_MS = 10_000;

/**
 * Calls `check` every `intervalMs` until it neither throws nor rejects, and returns what it returned. After ten seconds
 * it throws what the last check threw. Where timers are faked, each check advances them by `intervalMs`.
 */
export function eventually<T>(check: () => T | Promise<T>, intervalMs = 20): Promise<T> {
  return vi.waitFor(check, { timeout: TIMEOUT_MS, interval: intervalMs });
}
