// Decisions go to disk, then to their channels; what waited on disk before the start follows by itself.
import type { Alarm } from "../domain/alarm.ts";
import type { Decision } from "../domain/decision.ts";
import type { SocketCounts } from "../domain/history.ts";
import type { ChannelName } from "../domain/notice.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { type Entry, entriesFor } from "./lane.ts";
import { createPatience } from "./patience.ts";
import type { Deliverer, OutboxStore, Settled } from "./ports.ts";
import { createUnsaved, type Kept } from "./unsaved.ts";

export interface OutboxOptions {
  readonly channels: readonly Deliverer[];
  readonly store: OutboxStore;
  /** The section "history" of the configuration. */
  readonly history: { readonly keep: number };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

export interface Outbox extends Part {
  /** Saves decisions and delivers their notices. Never throws and never blocks. */
  put(decisions: readonly Decision[]): void;
  /** Notes how many clients on sockets were told. */
  noteSockets(told: readonly { readonly alarm: Alarm; readonly counts: SocketCounts }[]): void;
  health(): OutboxHealth;
}

interface OutboxHealth {
  /** Notices that were sent without being on disk first, since the start. */
  readonly unsaved: number;
  /** Notices that neither disk nor memory had room for, since the start. */
  readonly lost: number;
}

/** A disk that hangs longer than this counts as one that refuses until it answers: a late notice is worth little. */
const SAVE_DEADLINE_MS = 5000;
/** Outcomes are written in groups: a thousand of them one by one would be a thousand waits for the disk. */
const SETTLE_AFTER_MS = 30;
/** Notices in memory while the disk refuses; a few hundred bytes each. */
const UNSAVED_LIMIT = 10_000;

/** A disk that refused is asked again that often for what it should hold. */
const SAVE_AGAIN_MS = 2000;

/** Builds the outbox; nothing is read or sent before `start`. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { store, clock, logger } = options;
  const dispatchers = new Map<ChannelName, Dispatcher>();
  const housekeeping = createHousekeeping({ ...options, dispatchers });
  const settling = createGroups(store);
  const unsaved = createUnsaved(logger);
  const patient = createPatience(SAVE_DEADLINE_MS);
  let saveLater: NodeJS.Timeout | null = null;

  return {
    name: "outbox",
    async start() {
      const settle = settling.add;
      const random = options.random ?? Math.random;
      for (const channel of options.channels)
        dispatchers.set(channel.name, createDispatcher({ channel, store, settle, clock, logger, random }));
      await housekeeping.start();
    },
    async stop() {
      housekeeping.stop();
      if (saveLater !== null) clearTimeout(saveLater);
      await Promise.all([...dispatchers.values()].map((each) => each.stop()));
      settling.flush();
      const notices = inMemoryOnly();
      if (notices > 0) logger.warn({ notices }, "Notices that could not be saved end with the program");
    },
    put(decisions) {
      void save(decisions);
    },
    noteSockets: (told) => store.addSockets(told),
    health: unsaved.counts,
  };

  async function save(decisions: readonly Decision[]): Promise<void> {
    const saving = store.save(decisions);
    const ids = await patient(saving);
    if (ids !== null) {
      dispatch(decisions.flatMap(({ notices }, index) => entriesFor(notices, ids[index] ?? [])));
      return;
    }
    const kept = unsaved.take(decisions, UNSAVED_LIMIT - inMemoryOnly());
    dispatch(kept.flatMap(({ entries }) => entries));
    noteRows(kept, await saving);
  }

  /** The rows of what was sent without the disk, once there are any; otherwise it is tried again. */
  function noteRows(kept: readonly Kept[], ids: readonly (readonly number[])[] | null): void {
    if (ids === null) {
      unsaved.keep(kept);
      if (saveLater === null) saveLater = setTimeout(() => void saveAgain(), SAVE_AGAIN_MS).unref();
      return;
    }
    for (const [index, { entries }] of kept.entries())
      for (const [place, entry] of entries.entries()) {
        const row = ids[index]?.[place];
        if (row !== undefined) dispatchers.get(entry.notice.channel)?.saved(entry, row);
      }
  }

  async function saveAgain(): Promise<void> {
    saveLater = null;
    const kept = unsaved.takeAll();
    if (kept.length === 0) return;
    // Newer marks of the same monitors have been kept since.
    noteRows(kept, await store.save(kept.map(({ decision }) => ({ ...decision, mark: null }))));
  }

  function dispatch(all: readonly Entry[]): void {
    const byChannel = Map.groupBy(all, ({ notice }) => notice.channel);
    for (const [channel, its] of byChannel) dispatchers.get(channel)?.add(its);
  }

  function inMemoryOnly(): number {
    return [...dispatchers.values()].reduce((sum, each) => sum + each.unsaved(), 0);
  }
}

/** Collects outcomes for a moment and writes them together. */
function createGroups(store: OutboxStore) {
  let waiting: Settled[] = [];
  let written = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | null = null;

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    void store.settle(waiting).then(written.resolve);
    waiting = [];
    written = Promise.withResolvers<void>();
  };

  return {
    add(outcome: Settled): Promise<void> {
      waiting.push(outcome);
      timer ??= setTimeout(flush, SETTLE_AFTER_MS);
      return written.promise;
    },
    flush,
  };
}
