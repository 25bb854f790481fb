// Jobs that wait for the detector: a bounded number, and when there are more, the newest of each camera stay.

export interface Waiting {
  /** Null: belongs to no camera. */
  readonly monitor: number | null;
}

export interface JobQueue<T extends Waiting> {
  /** Puts it last; gives the one for which there is no room any more, which may be itself. */
  add(item: T): T | null;
  /** Puts it first, whatever the limit: it had its place already. */
  putBack(item: T): void;
  /** The one whose turn is next; stays in the queue. */
  next(): T | null;
  /** False when it was not there. */
  remove(item: T): boolean;
  /** Takes all. */
  drain(): readonly T[];
  all(): readonly T[];
  size(): number;
}

/** `limit` items wait at most. Beyond it the oldest of the same camera goes, else of the camera that has the most. */
export function createJobQueue<T extends Waiting>(limit: number): JobQueue<T> {
  let items: T[] = [];

  return {
    add(item) {
      items.push(item);
      if (items.length <= limit) return null;
      const victim = tooMany(item);
      items = items.filter((each) => each !== victim);
      return victim;
    },
    putBack(item) {
      items.unshift(item);
    },
    next: () => items[0] ?? null,
    remove(item) {
      const before = items.length;
      items = items.filter((each) => each !== item);
      return items.length < before;
    },
    drain: () => items.splice(0),
    all: () => items,
    size: () => items.length,
  };

  function tooMany(newcomer: T): T {
    const rivals = items.filter((each) => each.monitor === newcomer.monitor);
    if (rivals.length > 1) return rivals[0] ?? newcomer;
    const counts = new Map<number | null, number>();
    for (const { monitor } of items) counts.set(monitor, (counts.get(monitor) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (most < 2) return newcomer;
    return items.find(({ monitor }) => counts.get(monitor) === most) ?? newcomer;
  }
}
