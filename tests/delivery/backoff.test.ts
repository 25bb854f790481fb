import fc from "fast-check";
import { expect, test } from "vitest";
import { nextDelayMs } from "../../src/delivery/backoff.ts";

test("the pause doubles with each attempt, up to five minutes", () => {
  const longest = [1, 2, 3, 4, 8, 9, 50].map((attempts) => nextDelayMs(attempts, null, 1));
  expect(longest).toEqual([2000, 4000, 8000, 16_000, 256_000, 300_000, 300_000]);
});

test("it is anything between a second and that, by chance", () => {
  expect(nextDelayMs(9, null, 0)).toBe(1000);
  expect(nextDelayMs(9, null, 0.5)).toBe(150_500);
});

test("what the other side asks for is kept, and never undercut", () => {
  expect(nextDelayMs(1, 30_000, 0)).toBe(30_000);
  expect(nextDelayMs(9, 30_000, 1)).toBe(31_000);
  expect(nextDelayMs(1, 3_600_000, 0.5)).toBe(3_600_500);
});

test("no answer of the other side makes it a busy loop or no number", () => {
  for (const strange of [0, -5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(nextDelayMs(3, strange, 0)).toBe(1000);
});

test("no number of attempts leaves the limits", () => {
  void fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
      const delay = nextDelayMs(attempts, null, random);
      expect(delay).toBeGreaterThanOrEqual(1000);
      expect(delay).toBeLessThanOrEqual(300_000);
    }),
  );
});
