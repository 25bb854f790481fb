// What the outbox needs of its neighbours: a file to keep notices in, and channels to send them with.
import type { Alarm } from "../domain/alarm.ts";
import type { Decision } from "../domain/decision.ts";
import type { Outcome, SocketCounts } from "../domain/history.ts";
import type { ChannelName, Notice, RecipientId } from "../domain/notice.ts";

/** A notice on its way, with its row in the file. */
interface StoredNotice {
  readonly row: number;
  readonly notice: Notice;
  readonly attempts: number;
  readonly dueAt: number;
}

/** Whose notices. */
interface Addressee {
  readonly channel: ChannelName;
  readonly recipient: RecipientId;
}

/** What came of a notice, and which one it was. */
export interface Settled extends Outcome {
  /** Its row. */
  readonly id: number;
  /** Of the notice: its row may be another notice's by now if somebody removed the file. */
  readonly createdAt: number;
}

/** Never throws; null stands for a file that cannot be read or written. */
export interface OutboxStore {
  save(decisions: readonly Decision[]): Promise<readonly (readonly number[])[] | null>;
  /** Resolves once it is on the disk, however long that takes. */
  settle(outcomes: readonly Settled[]): Promise<void>;
  addSockets(rows: readonly { readonly alarm: Alarm; readonly counts: SocketCounts }[]): void;
  backlog(): Promise<readonly (Addressee & { readonly count: number })[] | null>;
  pending(of: Addressee, except: readonly number[], limit: number): Promise<readonly StoredNotice[] | null>;
  due(rows: readonly number[]): Promise<ReadonlyMap<number, number> | null>;
  drop(of: Addressee, words: string, now: number): Promise<number | null>;
  expire(now: number, limit: number): Promise<number | null>;
  prune(before: number, limit: number): Promise<number | null>;
  changes(): Promise<number | null>;
}

/** The part of a channel that delivering needs. */
export interface Deliverer {
  readonly name: ChannelName;
  readonly concurrency: number;
  deliver(notice: Notice, signal: AbortSignal): Promise<string>;
  onAvailable?(listener: () => void): void;
}
