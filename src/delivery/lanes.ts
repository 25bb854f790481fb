// What one channel holds in memory: a lane for each recipient who has notices.
import type { RecipientId } from "../domain/notice.ts";
import { createLane, type Entry, type Lane } from "./lane.ts";

export interface Lanes {
  all(): Iterable<Lane>;
  count(): number;
  /** The recipient's lane, new where there was none. */
  of(recipient: RecipientId): Lane;
  forget(lane: Lane): void;
  push(lane: Lane, entry: Entry): void;
  remove(lane: Lane, entry: Entry): void;
  /** How many more notices may be held; what is on the disk waits there beyond that. */
  room(): number;
  /** How many notices wait in memory alone. */
  unsaved(): number;
  /** The rows that are waiting in memory. */
  rows(): readonly number[];
}

/** Notices of one channel held in memory, a few hundred bytes each; the rest waits in the file. */
export const WINDOW = 1000;

export function createLanes(): Lanes {
  const lanes = new Map<RecipientId, Lane>();
  let size = 0;

  return {
    all: () => lanes.values(),
    count: () => lanes.size,
    of(recipient) {
      const known = lanes.get(recipient);
      if (known !== undefined) return known;
      const lane = createLane(recipient);
      lanes.set(recipient, lane);
      return lane;
    },
    forget: ({ recipient }) => void lanes.delete(recipient),
    push(lane, entry) {
      if (entry.row !== null && lane.held.has(entry.row)) return; // read from the file a moment ago
      if (entry.row !== null) lane.held.add(entry.row);
      lane.queue.push(entry);
      size += 1;
    },
    remove(lane, entry) {
      const place = lane.queue.indexOf(entry);
      if (place < 0) return;
      lane.queue.splice(place, 1);
      size -= 1;
    },
    room: () => WINDOW - size,
    unsaved: () => [...lanes.values()].flatMap(({ queue }) => queue.filter(({ row }) => row === null)).length,
    rows: () =>
      [...lanes.values()].flatMap(({ queue }) => queue.flatMap(({ row }) => (row === null ? [] : [row]))),
  };
}
