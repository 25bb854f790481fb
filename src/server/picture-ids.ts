// The id in a picture link: which picture, for whom and until when, signed so that nobody can make or change one.
import { createHmac, timingSafeEqual } from "node:crypto";
import { type EventId, eventId } from "../domain/alarm.ts";
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { PictureKind, WantedPicture } from "../domain/picture.ts";

export interface PictureTicket extends WantedPicture {
  readonly event: EventId;
  readonly monitor: MonitorId;
  /** The ZoneMinder user it was made for; "" where nobody has to log in. */
  readonly user: string;
  /** Whole seconds since 1970. */
  readonly expiresAt: number;
}

/** 128 bits of HMAC-SHA256: more than can be guessed, and short enough for a link (RFC 2104, 5). */
const SIGNATURE_BYTES = 16;
const FORMAT = 1;
/** format 1, kind 1, frame 4, width 2, event 6, monitor 4, expiry 6 */
const HEADER_BYTES = 24;
/** ZoneMinder's names have at most 64 characters, of at most 4 bytes. */
const USER_BYTES = 256;
const MOST_CHARACTERS = Math.ceil(((HEADER_BYTES + USER_BYTES + SIGNATURE_BYTES) * 4) / 3);

/** Never reorder: the place in this list is what stands in the id. 0 is a frame by its number. */
const KINDS: readonly (PictureKind | null)[] = [
  null,
  "best",
  "alarm",
  "snapshot",
  "objdetect",
  "objdetect_jpg",
  "objdetect_gif",
  "objdetect_mp4",
];

/** Base64url of the ticket and its signature; null for a user no ZoneMinder can have. */
export function signTicket(ticket: PictureTicket, key: Buffer): string | null {
  const user = Buffer.from(ticket.user);
  if (user.length > USER_BYTES) return null;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(FORMAT, 0);
  header.writeUInt8(typeof ticket.kind === "number" ? 0 : KINDS.indexOf(ticket.kind), 1);
  header.writeUInt32BE(typeof ticket.kind === "number" ? ticket.kind : 0, 2);
  header.writeUInt16BE(ticket.width, 6);
  header.writeUIntBE(ticket.event, 8, 6);
  header.writeUInt32BE(ticket.monitor, 14);
  header.writeUIntBE(ticket.expiresAt, 18, 6);
  const payload = Buffer.concat([header, user]);
  return Buffer.concat([payload, signature(payload, key)]).toString("base64url");
}

/** The ticket, or null for anything that was not signed with this key. Says nothing about its expiry. */
export function readTicket(id: string, key: Buffer): PictureTicket | null {
  if (id.length > MOST_CHARACTERS || !/^[\w-]+$/.test(id)) return null;
  const bytes = Buffer.from(id, "base64url");
  const end = bytes.length - SIGNATURE_BYTES;
  if (end < HEADER_BYTES || bytes.toString("base64url") !== id) return null;
  const payload = bytes.subarray(0, end);
  if (!timingSafeEqual(bytes.subarray(end), signature(payload, key))) return null;
  const place = payload.readUInt8(1);
  const kind = place === 0 ? payload.readUInt32BE(2) : KINDS[place];
  const event = eventId(payload.readUIntBE(8, 6));
  const monitor = monitorId(payload.readUInt32BE(14));
  if (payload.readUInt8(0) !== FORMAT || kind == null || event === null || monitor === null) return null;
  return {
    kind,
    width: payload.readUInt16BE(6),
    event,
    monitor,
    expiresAt: payload.readUIntBE(18, 6),
    user: payload.toString("utf8", HEADER_BYTES),
  };
}

function signature(payload: Buffer, key: Buffer): Buffer {
  return createHmac("sha256", key).update(payload).digest().subarray(0, SIGNATURE_BYTES);
}
