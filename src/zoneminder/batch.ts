// Turns many questions about single names that arrive together into one question about all of them.

/**
 * Names asked for while a reading runs are gathered for the next one, so that a storm of logins costs a handful of
 * queries. Every answer was read after its question was asked. A failed reading fails those who waited for it.
 */
export function createBatch<T>(
  read: (names: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (name: string) => Promise<T | undefined> {
  let running: Promise<unknown> = Promise.resolve();
  let next: { readonly names: Set<string>; readonly answer: Promise<ReadonlyMap<string, T>> } | null = null;

  return async (name) => {
    next ??= gather();
    const { names, answer } = next;
    names.add(name);
    return (await answer).get(name);
  };

  function gather() {
    const names = new Set<string>();
    const answer = running.then(() => {
      next = null;
      return read([...names]);
    });
    running = answer.catch(() => undefined);
    return { names, answer };
  }
}
