// A phone that registered for push messages, and what is remembered of it.
import type { MonitorId } from "./monitor.ts";
import type { RecipientId } from "./notice.ts";
import type { Recipient } from "./recipient.ts";

export type Platform = "android" | "ios" | "unknown";

/** Which app registered: the two want different Android channels. "unknown" for what an old file does not say. */
export type DeviceApp = "zmninja" | "zmninja-ng" | "unknown";

/** Pushes of one month, as version 6.0.1 of the original counts them. */
export interface Invocations {
  readonly count: number;
  /** Month 0 to 11, local time. */
  readonly at: number;
  /** The original keeps no year, so that a count of a year ago looks like this month's; null when not known. */
  readonly year: number | null;
}

export interface Device {
  readonly id: RecipientId;
  /** For people, without the secret: "phone ...27a387". */
  readonly label: string;
  /** Whoever has it can send messages to the phone: never shown or logged whole. */
  readonly token: string;
  readonly platform: Platform;
  /** The lists as text, as they stand in the token file; empty: every monitor. */
  readonly monlist: string;
  readonly intlist: string;
  /** The same, parsed. */
  readonly filter: Pick<Recipient, "monitors" | "intervals">;
  /** "disabled": told over its open socket instead, without one not at all. */
  readonly pushState: "enabled" | "disabled";
  /** "unknown" when the app did not say. */
  readonly appVersion: string;
  readonly app: DeviceApp;
  /** Name of the app's profile; null when it never gave one. */
  readonly profile: string | null;
  /** The ZoneMinder user who registered it; null for a token of an old file whose phone has not come back yet. */
  readonly owner: string | null;
  /** Until when a device without owner is told, in ms since 1970; null for owned ones. */
  readonly adoptedUntil: number | null;
  /** The number last sent to the app's icon. */
  readonly badge: number;
  readonly invocations: Invocations;
  /** When it was last told of a monitor that has an interval, in ms since 1970; kept over restarts. */
  readonly lastTold: Map<MonitorId, number>;
  /** ms since 1970; null: never. */
  readonly lastSuccess: number | null;
  readonly lastError: { readonly at: number; readonly reason: string } | null;
}

/** How many pushes the device was sent in the month of `now` (ms since 1970, local time). */
export function pushesThisMonth({ count, at, year }: Invocations, now: number): number {
  const date = new Date(now);
  return at === date.getMonth() && (year === null || year === date.getFullYear()) ? count : 0;
}

/** The count with one more push. */
export function countPush(invocations: Invocations, now: number): Invocations {
  const date = new Date(now);
  return { count: pushesThisMonth(invocations, now) + 1, at: date.getMonth(), year: date.getFullYear() };
}

/** The last characters of a token, enough to recognise a phone; never more than half of it. */
export function tokenEnd(token: string, characters: number): string {
  return token.slice(-Math.min(characters, Math.floor(token.length / 2)) || token.length);
}
