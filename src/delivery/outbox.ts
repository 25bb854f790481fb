// Decisions go to disk, then to their channels; what waited on disk before the start follows by itself.
import type { Alarm } from "../domain/alarm.ts";
import type { Decision } from "../domain/decision.ts";
import type { Outcome, SocketCounts } from "../domain/history.ts";
import type { ChannelName, Notice } from "../domain/notice.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { within } from "../lib/within.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createHousekeeping } from "./housekeeping.ts";
import type { Entry } from "./lane.ts";
import type { Deliverer, OutboxStore } from "./ports.ts";

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

/** A disk that hangs longer than this counts as one that refuses: a late notice is worth little. */
const SAVE_DEADLINE_MS = 5000;
/** Outcomes are written in groups: a thousand of them one by one would be a thousand waits for the disk. */
const SETTLE_AFTER_MS = 30;
/** Notices in memory while the disk refuses; a few hundred bytes each. */
const UNSAVED_LIMIT = 10_000;

type Settled = Outcome & { readonly id: number };

/** Builds the outbox; nothing is read or sent before `start`. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { store, clock, logger } = options;
  const dispatchers = new Map<ChannelName, Dispatcher>();
  const housekeeping = createHousekeeping({ ...options, dispatchers });
  const settling = createGroups(store);
  let unsaved = 0;
  let lost = 0;

  return {
    name: "outbox",
    async start() {
      for (const channel of options.channels) {
        const settle = settling.add;
        const random = options.random ?? Math.random;
        dispatchers.set(channel.name, createDispatcher({ channel, store, settle, clock, logger, random }));
      }
      await housekeeping.start();
    },
    async stop() {
      housekeeping.stop();
      await Promise.all([...dispatchers.values()].map((each) => each.stop()));
      settling.flush();
    },
    put(decisions) {
      void save(decisions);
    },
    noteSockets: (told) => store.addSockets(told),
    health: () => ({ unsaved, lost }),
  };

  async function save(decisions: readonly Decision[]): Promise<void> {
    const saving = store.save(decisions);
    const ids = await within(saving, SAVE_DEADLINE_MS);
    if (ids !== null) {
      dispatch(decisions.flatMap(({ notices }, index) => entries(notices, ids[index] ?? [])));
      return;
    }
    const kept = withoutDisk(decisions);
    dispatch(kept.flatMap((each) => each.entries));
    const late = await saving;
    if (late !== null) for (const [index, each] of kept.entries()) attach(each.entries, late[index] ?? []);
  }

  /** Takes what memory has room for, and says what was not saved. */
  function withoutDisk(decisions: readonly Decision[]): readonly { readonly entries: readonly Entry[] }[] {
    let room = UNSAVED_LIMIT - [...dispatchers.values()].reduce((sum, each) => sum + each.unsaved(), 0);
    return decisions.map(({ alarm, notices }) => {
      const taken = notices.slice(0, Math.max(0, room));
      room -= taken.length;
      unsaved += taken.length;
      lost += notices.length - taken.length;
      const details = { alarm: alarm.id, notices: taken.length, lost: notices.length - taken.length };
      if (notices.length > 0)
        logger.warn(details, "Notices could not be saved: they are sent from memory, unsaved");
      return { entries: entries(taken, []) };
    });
  }

  function dispatch(all: readonly Entry[]): void {
    const byChannel = Map.groupBy(all, ({ notice }) => notice.channel);
    for (const [channel, its] of byChannel) dispatchers.get(channel)?.add(its);
  }

  /** A disk that was only slow has the rows after all. */
  function attach(its: readonly Entry[], rows: readonly number[]): void {
    for (const [index, entry] of its.entries()) {
      const row = rows[index];
      if (row !== undefined) dispatchers.get(entry.notice.channel)?.saved(entry, row);
    }
  }
}

function entries(notices: readonly Notice[], rows: readonly number[]): readonly Entry[] {
  return notices.map((notice, index) => ({
    row: rows[index] ?? null,
    notice,
    attempts: 0,
    dueAt: notice.createdAt,
    words: "",
    outcome: null,
  }));
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
