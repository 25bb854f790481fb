// An outbox over a real file, with channels that tests play.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel } from "../../src/channels/channel.ts";
import { createOutbox, type Outbox } from "../../src/delivery/outbox.ts";
import type { OutboxStore } from "../../src/delivery/ports.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { Decision } from "../../src/domain/decision.ts";
import type { DeliveryRecord } from "../../src/domain/history.ts";
import { type DurableRecipient, noticeId } from "../../src/domain/notice.ts";
import { decide } from "../../src/domain/policy.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { recordingLogger } from "./server.ts";

export interface OutboxSite {
  readonly folder: string;
  readonly file: string;
  readonly log: Record<string, unknown>[];
  readonly store: Store;
  readonly outbox: Outbox;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Another process over the same file: nothing of the first one remains. */
  restart(): Promise<void>;
  /** What the file says of an event's notices. */
  deliveries(event?: number): readonly DeliveryRecord[];
  remove(): Promise<void>;
}

export interface OutboxSiteOptions {
  readonly clock?: Clock;
  readonly keep?: number;
  /** Puts something between the outbox and its store. */
  readonly wrap?: (store: Store) => OutboxStore;
}

export function createOutboxSite(channels: readonly Channel[], options: OutboxSiteOptions = {}): OutboxSite {
  const folder = mkdtempSync(join(tmpdir(), "zmes-outbox-"));
  const file = join(folder, "zmes.db");
  const log: Record<string, unknown>[] = [];
  let { store, outbox } = build();

  function build() {
    const logger = recordingLogger(log);
    const clock = options.clock ?? systemClock;
    const kept = createStore({ path: file, logger, clock, retryMs: 20 });
    const built = createOutbox({
      channels,
      store: options.wrap?.(kept) ?? kept,
      history: { keep: options.keep ?? 14 },
      clock,
      logger,
      random: () => 0,
    });
    return { store: kept, outbox: built };
  }

  const site: OutboxSite = {
    folder,
    file,
    log,
    get store() {
      return store;
    },
    get outbox() {
      return outbox;
    },
    async start() {
      const { signal } = new AbortController();
      await store.start(signal);
      await outbox.start(signal);
    },
    async stop() {
      await outbox.stop();
      await store.stop();
    },
    async restart() {
      await site.stop();
      ({ store, outbox } = build());
      await site.start();
    },
    deliveries(event = 5060) {
      const history = openHistory(file, { write: false });
      try {
        return history.alarmsOfEvent(event).flatMap((each) => each.deliveries);
      } finally {
        history.close();
      }
    },
    async remove() {
      await site.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return site;
}

/** As the pipeline decides. */
export function aDecision(
  alarm: Alarm,
  people: readonly DurableRecipient[],
  { now = Date.now(), lifetimeMs = 60_000 } = {},
): Decision {
  const verdicts = people.map((recipient) => ({
    recipient,
    verdict: decide(alarm, recipient.preferences, now),
  }));
  const notices = verdicts.flatMap(({ recipient: { id, channel }, verdict }) =>
    verdict.send
      ? [
          {
            id: noticeId(alarm, id),
            channel,
            recipient: id,
            alarm,
            createdAt: now,
            expiresAt: now + lifetimeMs,
          },
        ]
      : [],
  );
  const { monitor, eventId: event, edge, seenAt: at } = alarm;
  return {
    alarm,
    notices,
    verdicts,
    withheld: null,
    mark: { monitor: monitor.id, event, edge, at, open: true },
  };
}
