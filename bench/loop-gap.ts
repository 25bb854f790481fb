// The longest time the event loop of a process was not free, seen by a timer of one millisecond.
import { instant } from "./instant.ts";

export interface LoopGap {
  start(): void;
  /** The longest gap since the start, in ms. */
  stop(): number;
}

const INTERVAL_MS = 1;

export function createLoopGap(): LoopGap {
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  let longest = 0;
  const look = (): void => {
    const now = instant();
    longest = Math.max(longest, now - last);
    last = now;
  };
  return {
    start() {
      clearInterval(timer);
      last = instant();
      longest = 0;
      timer = setInterval(look, INTERVAL_MS);
    },
    stop() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}
