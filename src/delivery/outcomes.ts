// What follows from an attempt: the notice has come to its end or waits for the next one, and the disk hears of it.
import type { Outcome } from "../domain/history.ts";
import type { ChannelName } from "../domain/notice.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { AttemptResult } from "./attempts.ts";
import { nextDelayMs } from "./backoff.ts";
import type { Entry, Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { OutboxStore, Settled } from "./ports.ts";
import { createTroubles } from "./troubles.ts";

export interface Outcomes {
  /** An attempt at the entry, the first of its lane, has come to this. */
  ofAttempt(lane: Lane, entry: Entry, done: AttemptResult): void;
  /** The entry's time was over before it was accepted. */
  expire(lane: Lane, entry: Entry): void;
  /** Notes the entry's end, if it has come to one and has a row. */
  note(lane: Lane, entry: Entry): void;
}

export interface OutcomesOptions {
  readonly channel: ChannelName;
  readonly lanes: Lanes;
  readonly store: Pick<OutboxStore, "drop">;
  /** Notes an outcome; resolves once it is on the disk. */
  readonly settle: (outcome: Settled) => Promise<void>;
  /** An end is on the disk: the lane holds less. */
  readonly onSettled: (lane: Lane) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What is held is looked at again after that long; a look costs microseconds. */
const HELD_PAUSE_MS = 1000;
/** The same per recipient: the looks at thousands of them must leave most places in a turn to others. */
const HELD_PAUSE_EACH_MS = 2;

export function createOutcomes(options: OutcomesOptions): Outcomes {
  const { channel, lanes, store, settle, clock, logger } = options;
  const troubles = createTroubles(channel, logger);

  return {
    ofAttempt(lane, entry, done) {
      const { recipient } = lane;
      const details = { channel, recipient, alarm: entry.notice.alarm.id };
      switch (done.result) {
        case "delivered":
          troubles.works(recipient);
          finish(lane, entry, "delivered", done.words);
          break;
        case "retry":
          retry(entry, done.words, done.retryAfterMs);
          troubles.begin(recipient, done.words);
          break;
        case "held":
          hold(entry, done.words);
          troubles.begin(recipient, done.words);
          break;
        case "forbidden":
          finish(lane, entry, "dropped", done.words);
          break;
        case "gone":
          logger.warn(
            { ...details, words: done.words },
            "A recipient is gone; what waited for it is dropped",
          );
          troubles.works(recipient);
          dropAll(lane, done.words);
          break;
        case "rejected":
          // Without a key for push every phone refuses every alarm: that is one line each, not one per alarm.
          if (troubles.isNewRefusal(recipient, done.words))
            logger.warn({ ...details, words: done.words }, "A notice was refused for good; see zmes outbox");
          finish(lane, entry, "dead", done.words);
          break;
        case "cut off":
          break;
      }
    },
    expire: (lane, entry) => finish(lane, entry, "expired", entry.words),
    note,
  };

  function retry(entry: Entry, words: string, retryAfterMs: number | null): void {
    entry.words = words;
    entry.dueAt = clock.now() + nextDelayMs(entry.attempts, retryAfterMs, options.random());
    noteWaiting(entry);
  }

  /** No attempt was made; why it waits goes to the disk once. */
  function hold(entry: Entry, words: string): void {
    const isNews = entry.words !== words;
    entry.attempts -= 1;
    entry.words = words;
    entry.dueAt = clock.now() + Math.max(HELD_PAUSE_MS, HELD_PAUSE_EACH_MS * lanes.count());
    if (isNews) noteWaiting(entry);
  }

  function noteWaiting(entry: Entry): void {
    if (entry.row === null) return;
    const { row, words, attempts, dueAt } = entry;
    const { createdAt } = entry.notice;
    void settle({ id: row, createdAt, state: "pending", words, attempts, at: clock.now(), dueAt });
  }

  function dropAll(lane: Lane, words: string): void {
    for (const entry of [...lane.queue]) finish(lane, entry, "dropped", words);
    lane.more = false;
    void store.drop({ channel, recipient: lane.recipient }, words, clock.now());
  }

  function finish(lane: Lane, entry: Entry, state: Outcome["state"], words: string): void {
    const { attempts, notice, dueAt } = entry;
    lanes.remove(lane, entry);
    troubles.end(lane.recipient);
    entry.outcome = { state, words, attempts, at: clock.now(), dueAt };
    logger.debug({ channel, notice: notice.id, attempts, words }, `Notice ${state}`);
    note(lane, entry);
  }

  /** Until the outcome is on the disk the row there says "pending", and must not be read again. */
  function note(lane: Lane, { row, outcome, notice: { createdAt } }: Entry): void {
    if (row === null || outcome === null) return;
    void settle({ id: row, createdAt, ...outcome }).then(() => {
      lane.held.delete(row);
      options.onSettled(lane);
    });
  }
}
