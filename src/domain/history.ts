// What became of an alarm and of its notices, as it is kept for later questions.
import type { Alarm } from "./alarm.ts";
import type { Decision } from "./decision.ts";
import type { ChannelName } from "./notice.ts";
import type { Refusal, Verdict } from "./policy.ts";

/** "dead": given up, for a person to look at; "dropped": nobody wants it any more. */
export type DeliveryState = "refused" | "pending" | "delivered" | "expired" | "dead" | "dropped";

/** How many clients on sockets were told of an alarm, and how many not, by reason. */
export interface SocketCounts {
  readonly told: number;
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
}

/** What came of one attempt, or of the last one. `pending`: it is tried again at `dueAt`. */
export interface Outcome {
  readonly state: Exclude<DeliveryState, "refused">;
  /** The other side's words, or ours. */
  readonly words: string;
  /** Attempts so far. */
  readonly attempts: number;
  /** ms since 1970 */
  readonly at: number;
  readonly dueAt: number;
}

/** One recipient of a durable channel and what came of telling it. */
export interface DeliveryRecord {
  /** The number under which `zmes outbox` knows it. */
  readonly id: number;
  readonly channel: ChannelName;
  readonly label: string;
  readonly state: DeliveryState;
  readonly reason: Refusal | null;
  readonly trace: Verdict["trace"];
  readonly words: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly expiresAt: number;
  /** When it was delivered or given up; null while it waits. */
  readonly endedAt: number | null;
}

export interface AlarmRecord {
  readonly alarm: Alarm;
  readonly withheld: Decision["withheld"];
  /** What was found out about the alarm itself, in sentences. */
  readonly found?: readonly string[];
  /** null when the program ended before the sockets' part was noted. */
  readonly sockets: SocketCounts | null;
  readonly deliveries: readonly DeliveryRecord[];
}
