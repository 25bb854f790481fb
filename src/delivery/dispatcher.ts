// One channel's queue: each recipient's notices in their order, attempts side by side up to the channel's limit.
import type { Notice, RecipientId } from "../domain/notice.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { createAttempts } from "./attempts.ts";
import type { Entry, Lane } from "./lane.ts";
import { createLanes } from "./lanes.ts";
import { createOutcomes } from "./outcomes.ts";
import type { Deliverer, OutboxStore, Settled } from "./ports.ts";

export interface Dispatcher {
  /** Takes notices that were just decided. */
  add(entries: readonly Entry[]): void;
  /** There is more for these recipients in the file. */
  backlog(recipients: Iterable<RecipientId>): void;
  /** An entry that was sent without the disk has a row after all. */
  saved(entry: Entry, row: number): void;
  /** How many notices wait in memory alone. */
  unsaved(): number;
  /** The rows that are waiting in memory. */
  waitingRows(): readonly number[];
  /** Of those rows, the ones still pending: another process may have dropped or hurried some. */
  recheck(asked: readonly number[], due: ReadonlyMap<number, number>): void;
  /** Ends attempts under way and begins no other. */
  stop(): Promise<void>;
}

export interface DispatcherOptions {
  readonly channel: Deliverer;
  readonly store: Pick<OutboxStore, "pending" | "drop">;
  /** Notes an outcome; resolves once it is on the disk. */
  readonly settle: (outcome: Settled) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Begun in one turn of the event loop, with a pause after it: answers come in such bursts as the requests went. */
const BEGUN_AT_ONCE = 8;
const BEGIN_EVERY_MS = 2;
/** How many notices of one recipient are read at once. */
const LOAD = 16;
/** Pause after the file could not be read. */
const UNREADABLE_PAUSE_MS = 1000;
/** A moment further away means that the clock was set back. */
const LONGEST_WAIT_MS = 86_400_000;
/** At the end, attempts under way get this long: cut off, they are sent again after the next start. */
const GRACE_MS = 300;

/** Builds the queue; nothing runs and no timer waits while it is empty. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { channel, store, clock, logger } = options;
  const lanes = createLanes();
  const ready: Lane[] = [];
  const running = new Set<Promise<void>>();
  const attempts = createAttempts(channel, logger);
  const outcomes = createOutcomes({
    ...options,
    channel: channel.name,
    lanes,
    onSettled: (lane) => look(lane),
  });
  let stopped = false;
  /** Attempts begun in this turn of the event loop. */
  let begun = 0;
  channel.onAvailable?.(() => {
    for (const lane of lanes.all()) {
      const [head] = lane.queue;
      if (head !== undefined) head.dueAt = 0;
      look(lane);
    }
  });

  return {
    add(entries) {
      for (const entry of entries) {
        const lane = lanes.of(entry.notice.recipient);
        // What is on the disk can wait there; order holds, because everything later waits there as well.
        if (entry.row !== null && (lane.more || lanes.room() <= 0)) lane.more = true;
        else lanes.push(lane, entry);
        look(lane);
      }
    },
    backlog(recipients) {
      for (const recipient of recipients) {
        const lane = lanes.of(recipient);
        lane.more = true;
        look(lane);
      }
    },
    saved(entry, row) {
      entry.row = row;
      const lane = lanes.of(entry.notice.recipient);
      const isUnderWay = lane.state === "running" && entry === lane.queue[0];
      // Older ones wait in the file: from now on it waits behind them.
      if (lane.more && entry.outcome === null && !isUnderWay) {
        lanes.remove(lane, entry);
        look(lane);
        return;
      }
      lane.held.add(row);
      outcomes.note(lane, entry);
    },
    unsaved: lanes.unsaved,
    waitingRows: lanes.rows,
    recheck(asked, due) {
      const known = new Set(asked);
      for (const lane of lanes.all()) {
        for (const entry of [...lane.queue]) {
          if (entry.row === null || !known.has(entry.row)) continue;
          const dueAt = due.get(entry.row);
          if (dueAt !== undefined) entry.dueAt = dueAt;
          else if (!(lane.state === "running" && entry === lane.queue[0])) {
            lanes.remove(lane, entry);
            lane.held.delete(entry.row);
          }
        }
        look(lane);
      }
    },
    async stop() {
      stopped = true;
      for (const lane of lanes.all()) lane.rest();
      const timer = setTimeout(attempts.cutOff, GRACE_MS);
      while (running.size > 0) await Promise.all(running);
      clearTimeout(timer);
    },
  };

  /** Puts the lane where it belongs: forgotten, waiting for a moment, or ready for an attempt. */
  function look(lane: Lane): void {
    if (stopped || lane.state !== "idle") return;
    lane.rest();
    const [head] = lane.queue;
    if (head === undefined && !lane.more) {
      if (lane.held.size === 0) lanes.forget(lane);
      return;
    }
    const wait = Math.max(waitMs(lane.pausedUntil), head === undefined ? 0 : waitMs(head.dueAt, head.notice));
    if (wait > 0) {
      lane.wake(wait, () => look(lane));
      return;
    }
    lane.state = "ready";
    ready.push(lane);
    pump();
  }

  /** How long until the notice may be tried, or has expired. */
  function waitMs(dueAt: number, notice?: Notice): number {
    const wait = Math.min(dueAt, notice?.expiresAt ?? dueAt) - clock.now();
    return wait > LONGEST_WAIT_MS ? 0 : wait;
  }

  function pump(): void {
    while (!stopped && running.size < channel.concurrency && begun < BEGUN_AT_ONCE) {
      const lane = ready.shift();
      if (lane === undefined) return;
      if (begun === 0) setTimeout(goOn, BEGIN_EVERY_MS);
      begun += 1;
      lane.state = "running";
      const turn = takeTurn(lane)
        .catch((error: unknown) => {
          logger.error({ err: error, recipient: lane.recipient }, "A notice could not be dealt with");
          lane.pausedUntil = clock.now() + UNREADABLE_PAUSE_MS;
        })
        .finally(() => {
          running.delete(turn);
          lane.state = "idle";
          look(lane);
          pump();
        });
      running.add(turn);
    }
  }

  /** After a pause, in which answers and cameras have their turn. */
  function goOn(): void {
    begun = 0;
    pump();
  }

  async function takeTurn(lane: Lane): Promise<void> {
    // What was decided without the disk is newer than anything that waits there.
    if (lane.queue.length === 0 || (lane.more && lane.queue[0]?.row === null)) await load(lane);
    const [head] = lane.queue;
    if (head === undefined || stopped) return;
    if (head.notice.expiresAt <= clock.now()) outcomes.expire(lane, head);
    else if (waitMs(head.dueAt, head.notice) <= 0) await attempt(lane, head);
  }

  async function load(lane: Lane): Promise<void> {
    lane.more = false;
    const limit = Math.max(1, Math.min(LOAD, lanes.room()));
    const of = { channel: channel.name, recipient: lane.recipient };
    const found = await store.pending(of, [...lane.held], limit);
    if (found === null) lane.pausedUntil = clock.now() + UNREADABLE_PAUSE_MS;
    if (found === null || found.length === limit) lane.more = true;
    for (const stored of found ?? []) lanes.push(lane, { ...stored, words: "", outcome: null });
    // What was decided while the file was read is newer.
    lane.queue.sort((a, b) => (a.row ?? Number.POSITIVE_INFINITY) - (b.row ?? Number.POSITIVE_INFINITY));
  }

  async function attempt(lane: Lane, entry: Entry): Promise<void> {
    entry.attempts += 1;
    outcomes.ofAttempt(lane, entry, await attempts.run(entry.notice));
  }
}
