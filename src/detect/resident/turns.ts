// One at a time: whoever looks at a picture has all threads to itself.
import { orAborted } from "../../lib/within.ts";

/** Does the work when everybody who came before has finished. Rejects with the signal's reason while it waits. */
export type TakeTurn = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

export function createTurns(): TakeTurn {
  let last: Promise<void> = Promise.resolve();

  return async (work, signal) => {
    const before = last;
    const mine = Promise.withResolvers<void>();
    last = before.then(() => mine.promise);
    try {
      await orAborted(before, signal);
      return await work();
    } finally {
      mine.resolve();
    }
  };
}
