// What the outbox does by the clock: replay at the start, notice other processes, expire, forget old history.
import type { ChannelName } from "../domain/notice.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { OutboxStore } from "./ports.ts";

export interface HousekeepingOptions {
  readonly store: OutboxStore;
  readonly dispatchers: ReadonlyMap<ChannelName, Dispatcher>;
  readonly history: { readonly keep: number };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `zmes outbox retry` is noticed within this time; a look costs microseconds. */
const LOOK_EVERY_MS = 2000;
const PRUNE_EVERY_MS = 3_600_000;
/** Rows per transaction, so that an alarm never waits long behind it. */
const PRUNE_ROWS = 500;
/** Pause between two such transactions. */
const PRUNE_PAUSE_MS = 50;
/** At the start nothing else wants the disk yet. */
const REPLAY_ROWS = 5000;
/** Notices that run out are recorded in their queue; who is this late has no queue. */
const OVERDUE_MS = 60_000;
const DAY_MS = 86_400_000;

export function createHousekeeping(options: HousekeepingOptions) {
  const { store, dispatchers, history, clock, logger } = options;
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;
  let seen: number | null = null;
  let isLooking = false;
  let isReplayed = false;

  return {
    /** Hands over what waited on the disk. */
    async start(): Promise<void> {
      await replay();
      // Without a channel nothing waits, and nobody needs to look.
      if (dispatchers.size > 0) every(LOOK_EVERY_MS, look);
      every(PRUNE_EVERY_MS, tidy);
      void tidy();
    },
    stop(): void {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
    },
  };

  function every(ms: number, job: () => Promise<void>): void {
    timers.add(setInterval(() => void job(), ms).unref());
  }

  async function replay(): Promise<void> {
    seen = await store.changes();
    const expired = await inSteps(() => store.expire(clock.now(), REPLAY_ROWS), 0);
    if (expired > 0)
      logger.warn({ expired }, "Notices that waited on disk had expired; they are recorded so, not sent");
    const backlog = await store.backlog();
    if (backlog === null) return;
    isReplayed = true;
    let waiting = 0;
    for (const [channel, its] of Map.groupBy(backlog, (each) => each.channel)) {
      const dispatcher = dispatchers.get(channel);
      const count = its.reduce((sum, each) => sum + each.count, 0);
      if (dispatcher === undefined)
        logger.warn({ channel, waiting: count }, "Notices wait for a channel that is switched off");
      else waiting += count;
      dispatcher?.backlog(its.map(({ recipient }) => recipient));
    }
    if (waiting > 0) logger.info({ waiting }, "Notices that waited on disk are delivered now");
  }

  /** Another process wrote (`zmes outbox retry` or `drop`), or the file could not be read before. */
  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const now = await store.changes();
      if (stopped || now === null || (now === seen && isReplayed)) return;
      seen = now;
      if (isReplayed) await resync();
      else await replay();
    } finally {
      isLooking = false;
    }
  }

  async function resync(): Promise<void> {
    for (const dispatcher of dispatchers.values()) {
      const rows = dispatcher.waitingRows();
      const due = rows.length === 0 ? new Map() : await store.due(rows);
      if (due !== null && !stopped) dispatcher.recheck(rows, due);
    }
    const backlog = stopped ? null : await store.backlog();
    for (const { channel, recipient } of backlog ?? []) dispatchers.get(channel)?.backlog([recipient]);
  }

  /** Notices of a channel that is switched off expire here; every other one expires in its queue. */
  async function tidy(): Promise<void> {
    await inSteps(() => store.expire(clock.now() - OVERDUE_MS, PRUNE_ROWS));
    const before = clock.now() - history.keep * DAY_MS;
    const pruned = await inSteps(() => store.prune(before, PRUNE_ROWS));
    if (pruned > 0) logger.debug({ rows: pruned }, "Old history was deleted");
  }

  async function inSteps(step: () => Promise<number | null>, pauseMs = PRUNE_PAUSE_MS): Promise<number> {
    let total = 0;
    for (;;) {
      const done = stopped ? 0 : ((await step()) ?? 0);
      total += done;
      if (done === 0) return total;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
