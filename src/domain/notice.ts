// What one recipient of a durable channel will be told of one alarm. Written to disk before it is sent.
import type { Alarm } from "./alarm.ts";
import type { LastKnownRights, Recipient } from "./recipient.ts";

/** Stable for one recipient over restarts, and never its secret: "fcm:<16 hex of the token's SHA-256>", "mqtt". */
export type RecipientId = string & { readonly __brand: "RecipientId" };

export type ChannelName = "fcm" | "mqtt" | "script";

/**
 * "<alarm id>/<recipient id>", or "<alarm id>:end/<recipient id>" for the end of that alarm and ":update" for what a
 * hook added to its beginning: the same however often it is sent, so that receivers can leave out repeats.
 */
export type NoticeId = string & { readonly __brand: "NoticeId" };

export interface Notice {
  readonly id: NoticeId;
  readonly channel: ChannelName;
  readonly recipient: RecipientId;
  readonly alarm: Alarm;
  /** ms since 1970 */
  readonly createdAt: number;
  /** After this moment it is no longer worth sending and is recorded as expired; ms since 1970. */
  readonly expiresAt: number;
}

/** Somebody a durable channel can reach, with what policy needs to know of them. */
export interface DurableRecipient {
  readonly id: RecipientId;
  readonly channel: ChannelName;
  /** How people recognise it, without secrets: "phone ...27a387", "broker 127.0.0.1". */
  readonly label: string;
  /** With unknown rights a notice is decided on and saved; its channel holds it in `deliver` until they are known. */
  readonly preferences: Recipient<LastKnownRights>;
  /**
   * True when alarms of different monitors need not wait for each other: a script that takes a minute for one camera
   * holds up no other. Its notices then go to one recipient per monitor, `recipientFor`.
   */
  readonly isOrderedByMonitor?: boolean;
  /** True when a second message replaces the first; others are told of a beginning once. */
  readonly takesUpdates?: boolean;
  /** Whose phone it is, for rules: the user's name and the last ten characters of the token. */
  readonly device?: { readonly user: string | null; readonly token: string };
}

/** Whom an alarm is told to when the recipient keeps the order of each monitor alone: "script:4". */
export function recipientFor(recipient: DurableRecipient, { monitor }: Alarm): DurableRecipient {
  if (recipient.isOrderedByMonitor !== true) return recipient;
  return { ...recipient, id: `${recipient.id}:${monitor.id}` as RecipientId };
}

export function noticeId(alarm: Alarm, recipient: RecipientId): NoticeId {
  return `${alarm.id}${SUFFIXES[alarm.phase]}/${recipient}` as NoticeId;
}

const SUFFIXES = { started: "", updated: ":update", ended: ":end" } as const;
