// A bounded queue in front of expensive work, served one address after the other.

export interface FairQueue {
  /**
   * Runs the work when a place is free and the address has its turn. `onRefused` is called instead when the queue is
   * full and the address already has its share. Returns a function that takes the work back; it says false when
   * there was nothing left to take back.
   */
  add(address: string, work: () => Promise<void>, onRefused: () => void): () => boolean;
  /** How much work waits. */
  size(): number;
}

interface Entry {
  readonly address: string;
  readonly work: () => Promise<void>;
  readonly onRefused: () => void;
}

/** `places`: how much runs at the same time. `capacity`: how much may wait, asked each time. The work must not throw. */
export function createFairQueue(places: number, capacity: () => number): FairQueue {
  // A Map keeps the order of insertion: the first lane is the one whose turn it is.
  const lanes = new Map<string, Entry[]>();
  let waiting = 0;
  let running = 0;

  return {
    size: () => waiting,
    add(address, work, onRefused) {
      const entry = { address, work, onRefused };
      if (running < places) {
        begin(entry);
        return () => false;
      }
      if (waiting >= capacity() && !makeRoom(address)) {
        onRefused();
        return () => false;
      }
      const lane = lanes.get(address);
      if (lane) lane.push(entry);
      else lanes.set(address, [entry]);
      waiting++;
      return () => takeBack(entry);
    },
  };

  function begin(entry: Entry): void {
    running++;
    entry
      .work()
      .catch(() => undefined)
      .finally(() => {
        running--;
        const next = takeNext();
        if (next) begin(next);
      });
  }

  function takeNext(): Entry | null {
    for (const [address, lane] of lanes) {
      const entry = lane.shift();
      lanes.delete(address);
      if (lane.length > 0) lanes.set(address, lane); // to the end: the others first
      if (!entry) continue;
      waiting--;
      return entry;
    }
    return null;
  }

  /** A full queue takes the newest entry from the address that has most, unless that would be the newcomer. */
  function makeRoom(newcomer: string): boolean {
    let longest: Entry[] = [];
    for (const lane of lanes.values()) if (lane.length > longest.length) longest = lane;
    if (longest.length <= (lanes.get(newcomer)?.length ?? 0) + 1) return false;
    const last = longest.at(-1);
    if (!last) return false;
    takeBack(last);
    last.onRefused();
    return true;
  }

  function takeBack(entry: Entry): boolean {
    const lane = lanes.get(entry.address);
    const position = lane?.indexOf(entry) ?? -1;
    if (!lane || position < 0) return false;
    lane.splice(position, 1);
    if (lane.length === 0) lanes.delete(entry.address);
    waiting--;
    return true;
  }
}
