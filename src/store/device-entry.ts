// One device as the token file says it: the original's fields, and ours beside them under the key `zmes`.
import { createHash } from "node:crypto";
import { type Device, type DeviceApp, type Platform, tokenEnd } from "../domain/device.ts";
import { monitorId } from "../domain/monitor.ts";
import type { RecipientId } from "../domain/notice.ts";
import { parseFilter } from "../domain/recipient.ts";
import type { TokenEntry } from "./token-file.ts";

/** A device as the registry holds it: the same object over its whole life. */
export type KnownDevice = { -readonly [Key in keyof Device]: Device[Key] } & {
  /** When a token without owner was first seen, in ms since 1970. */
  orphanSince: number | null;
  /** Every field as the file has it, so that unknown ones stay. */
  entry: TokenEntry;
};

/** Reads a device out of its entry; whatever is odd there falls back to the original's defaults. */
export function deviceFrom(token: string, entry: TokenEntry, now: number, adoptMs: number): KnownDevice {
  const own = objectOf(entry.zmes);
  const owner = typeof own.owner === "string" ? own.owner : null;
  const orphanSince = owner === null ? (numberOf(own.since) ?? now) : null;
  return {
    id: recipientIdOf(token),
    label: `phone ...${tokenEnd(token, 6)}`,
    token,
    ...statedBy(entry),
    app: appOf(own.app, entry.profile),
    owner,
    orphanSince,
    adoptedUntil: orphanSince === null ? null : orphanSince + adoptMs,
    badge: countOf(own.badge),
    invocations: invocationsOf(entry.invocations),
    lastTold: toldOf(own.told),
    lastSuccess: numberOf(own.success),
    lastError: errorOf(own.error),
    entry,
  };
}

/** The entry to be written: what was there, with everything we know put in. */
export function entryOf(device: KnownDevice): TokenEntry {
  const { monlist, intlist, platform, pushState, appVersion, profile, invocations, entry } = device;
  const { count, at, year } = invocations;
  const own = {
    ...objectOf(entry.zmes),
    owner: device.owner ?? undefined,
    since: device.orphanSince ?? undefined,
    app: device.app === "unknown" ? undefined : device.app,
    badge: device.badge,
    told: device.lastTold.size === 0 ? undefined : Object.fromEntries(device.lastTold),
    success: device.lastSuccess ?? undefined,
    error: device.lastError ?? undefined,
  };
  return {
    ...entry,
    monlist,
    intlist,
    platform,
    pushstate: pushState,
    appversion: appVersion,
    invocations: { ...objectOf(entry.invocations), count, at, ...(year !== null && { year }) },
    ...(profile !== null && { profile }),
    zmes: withoutUndefined(own),
  };
}

/** Takes over what an edited entry says, into the same object, because connections hold on to it. */
export function updateDevice(device: KnownDevice, entry: TokenEntry, now: number, adoptMs: number): void {
  Object.assign(device, deviceFrom(device.token, entry, now, adoptMs));
}

/** The same text for the same list: blanks out, and every way to say "all" as the empty text. */
export function listText(list: string): string {
  const text = list.replace(/\s+/g, "");
  // Versions up to 5 take "-1" and "0" for lists that match nothing; from the empty text all read the same.
  return text === "-1" || text === "0" ? "" : text;
}

/** The id by which a device is known in notices and logs. */
export function recipientIdOf(token: string): RecipientId {
  return `fcm:${createHash("sha256").update(token).digest("hex").slice(0, 16)}` as RecipientId;
}

function statedBy(entry: TokenEntry) {
  const monlist = listText(textOf(entry.monlist) ?? "");
  const intlist = (textOf(entry.intlist) ?? "").replace(/\s+/g, "");
  const pushState: Device["pushState"] = entry.pushstate === "disabled" ? "disabled" : "enabled";
  return {
    platform: platformOf(entry.platform),
    monlist,
    intlist,
    filter: parseFilter(monlist, intlist),
    pushState,
    appVersion: textOf(entry.appversion) || "unknown",
    profile: textOf(entry.profile),
  };
}

/** "iOS" was never sent by anybody, but by hand much is written. */
function platformOf(value: unknown): Platform {
  const word = typeof value === "string" ? value.toLowerCase() : "";
  return word === "ios" || word === "android" ? word : "unknown";
}

function appOf(value: unknown, profile: unknown): DeviceApp {
  if (value === "zmninja" || value === "zmninja-ng") return value;
  // Only zmNinjaNg has profiles.
  return typeof profile === "string" ? "zmninja-ng" : "unknown";
}

function invocationsOf(value: unknown): Device["invocations"] {
  const { count, at, year } = objectOf(value);
  const month = numberOf(at) ?? 0;
  return { count: countOf(count), at: month >= 0 && month <= 11 ? month : 0, year: numberOf(year) };
}

function toldOf(value: unknown): Device["lastTold"] {
  return new Map(
    Object.entries(objectOf(value)).flatMap(([key, at]) => {
      const monitor = monitorId(Number(key));
      const moment = numberOf(at);
      return monitor === null || moment === null ? [] : [[monitor, moment] as const];
    }),
  );
}

function errorOf(value: unknown): Device["lastError"] {
  const { at, reason } = objectOf(value);
  const moment = numberOf(at);
  return moment === null ? null : { at: moment, reason: textOf(reason) ?? "" };
}

function countOf(value: unknown): number {
  const number = numberOf(value) ?? 0;
  return number > 0 ? number : 0;
}

/** A whole number, also as a numeric text: Perl writes either. */
function numberOf(value: unknown): number | null {
  if (typeof value !== "number" && (typeof value !== "string" || value.trim() === "")) return null;
  const number = Math.trunc(Number(value));
  return Number.isSafeInteger(number) ? number : null;
}

function textOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : null;
}

function objectOf(value: unknown): TokenEntry {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as TokenEntry) : {};
}

function withoutUndefined(record: TokenEntry): TokenEntry {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
