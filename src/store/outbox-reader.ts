// Asks the store's thread about the outbox, and lets it tidy up.
import type { Alarm, AlarmId } from "../domain/alarm.ts";
import type { Decision } from "../domain/decision.ts";
import type { ChannelName, RecipientId } from "../domain/notice.ts";
import type { Refusal } from "../domain/policy.ts";
import type { BacklogRow, PendingRow, StartRow } from "./messages.ts";
import { type StoredNotice, storedNotice } from "./outbox-rows.ts";
import type { StoreClient } from "./store-client.ts";

/** Somebody for whom notices are pending. */
interface Backlog {
  readonly channel: ChannelName;
  readonly recipient: RecipientId;
  readonly count: number;
}

/** What was decided about the beginning of an alarm. */
interface StoredStart {
  readonly alarm: Alarm;
  readonly withheld: Decision["withheld"];
  readonly refused: readonly (readonly [RecipientId, Refusal])[];
}

/** null stands for "the file could not be read" or "written". */
export interface OutboxReader {
  /** Everybody for whom notices are pending. */
  backlog(): Promise<readonly Backlog[] | null>;
  /** The oldest pending notices of one recipient, without those that the asker has already. */
  pending(
    of: Pick<Backlog, "channel" | "recipient">,
    except: readonly number[],
    limit: number,
  ): Promise<readonly StoredNotice[] | null>;
  /** Of these rows, those still pending, with the moment of their next attempt. */
  due(rows: readonly number[]): Promise<ReadonlyMap<number, number> | null>;
  /** Gives up everything pending for a recipient that no longer exists. */
  drop(of: Pick<Backlog, "channel" | "recipient">, words: string, now: number): Promise<number | null>;
  /** Records at most so many overdue notices as expired. */
  expire(now: number, limit: number): Promise<number | null>;
  /** Deletes at most so many rows of alarms older than that. */
  prune(before: number, limit: number): Promise<number | null>;
  /** What was decided about the beginning of an alarm; null also when nothing is known of it. */
  startOf(alarm: AlarmId): Promise<StoredStart | null>;
  /** A number that changes when another process wrote to the file. */
  changes(): Promise<number | null>;
}

export function createOutboxReader({ ask }: Pick<StoreClient, "ask">): OutboxReader {
  const answer = async <T>(work: Parameters<StoreClient["ask"]>[0]): Promise<T | null> => {
    const outcome = await ask(work);
    // The thread's answer to this question; see store-thread.ts.
    return outcome.done ? (outcome.value as T) : null;
  };
  return {
    async backlog() {
      const rows = await answer<readonly BacklogRow[]>({ do: "backlog" });
      return rows as readonly Backlog[] | null;
    },
    async pending({ channel, recipient }, except, limit) {
      const rows = await answer<readonly PendingRow[]>({ do: "pending", channel, recipient, except, limit });
      return rows?.map((row) => storedNotice(channel, recipient, row)) ?? null;
    },
    async due(ids) {
      const rows = await answer<readonly (readonly [number, number])[]>({ do: "due", ids });
      return rows === null ? null : new Map(rows);
    },
    drop: ({ channel, recipient }, words, at) => answer({ do: "drop", channel, recipient, words, at }),
    expire: (now, limit) => answer({ do: "expire", now, limit }),
    prune: (before, limit) => answer({ do: "prune", before, limit }),
    async startOf(key) {
      const row = await answer<StartRow | null>({ do: "start", key });
      if (row === null) return null;
      return {
        alarm: JSON.parse(row.alarm) as Alarm,
        withheld: row.withheld === "repeat" ? "repeat" : null,
        refused: row.refused.map((each) => [each.recipient as RecipientId, each.reason as Refusal] as const),
      };
    },
    changes: () => answer({ do: "changes" }),
  };
}
