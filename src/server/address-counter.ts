// Counts the connections of each address that have not logged in yet.

export interface AddressCounter {
  /** Counts one more for the key, or says false when it already has as many as it may. */
  tryAdd(key: string): boolean;
  remove(key: string): void;
  count(key: string): number;
}

/** A counter that lets each key have `most()`, asked each time. It holds only keys that have at least one. */
export function createAddressCounter(most: () => number): AddressCounter {
  const counts = new Map<string, number>();
  return {
    tryAdd(key) {
      const count = counts.get(key) ?? 0;
      if (count >= most()) return false;
      counts.set(key, count + 1);
      return true;
    },
    remove(key) {
      const count = counts.get(key) ?? 0;
      if (count > 1) counts.set(key, count - 1);
      else counts.delete(key);
    },
    count: (key) => counts.get(key) ?? 0,
  };
}
