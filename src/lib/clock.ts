// The only place that asks the system what time it is; everything else is given a Clock or a moment.

export interface Clock {
  /** Milliseconds since 1970, whole. */
  now(): number;
  /** Milliseconds on a clock that never jumps; only differences mean something. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
