// Waits for the disk, but not for ever, and while it hangs not at all.

/** The answer, or null when nobody waits for it any longer. The answer itself must not fail. */
export type Patience = <T>(answer: Promise<T>) => Promise<T | null>;

/**
 * As soon as one answer takes longer than that, the others are not waited for either, in their order, nor is any asked
 * for later, until what is owed has come.
 */
export function createPatience(ms: number): Patience {
  /** Those that are waited for, the oldest first. */
  const waiting = new Set<() => void>();
  let owed = 0;

  return async (answer) => {
    const late = Promise.withResolvers<null>();
    const giveUp = (): void => {
      waiting.delete(giveUp);
      owed += 1;
      void answer.then(() => {
        owed -= 1;
      });
      late.resolve(null);
    };
    const timer = setTimeout(() => {
      for (const each of [...waiting]) each();
    }, ms);
    waiting.add(giveUp);
    if (owed > 0) giveUp();
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
      waiting.delete(giveUp);
    }
  };
}
