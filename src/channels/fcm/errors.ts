// What an answer of Google or of the push proxy means for the notice and for the phone.
import { tokenEnd } from "../../domain/device.ts";
import { hideSecrets } from "../../lib/secrets-in-logs.ts";
import { DeliveryError } from "../channel.ts";
import type { HttpReply } from "./exchange.ts";

/**
 * The failure behind an answer of FCM v1 that is not 2xx. A phone counts as gone only where Google says so of its
 * token: a bare 404 or 403 is a fault of the project's set-up and must not cost anybody a registration.
 * Tokens and links are taken out of the words; `now` in ms since 1970, for a Retry-After that names a date.
 */
export function fcmFailure(reply: HttpReply, token: string, now: number): DeliveryError {
  const error = readError(reply);
  const code = error.code === "" ? "" : ` ${error.code}`;
  const words = `FCM answered ${reply.status}${code}: ${withoutSecrets(error.message, token)}`;
  if (reply.status === 404 && error.code === "UNREGISTERED") return new DeliveryError("gone", words);
  if (reply.status === 400 && error.aboutToken) return new DeliveryError("gone", words);
  if (error.code === "SENDER_ID_MISMATCH") return new DeliveryError("rejected", `${words}. ${MISMATCH}`);
  if (error.code === "THIRD_PARTY_AUTH_ERROR") return new DeliveryError("rejected", `${words}. ${APNS_KEY}`);
  if (reply.status === 401) return new DeliveryError("retry", words, retryAfterMs(reply, now));
  if (reply.status === 429) {
    return new DeliveryError("retry", words, retryAfterMs(reply, now) ?? QUOTA_PAUSE_MS);
  }
  if (isPassing(reply.status)) return new DeliveryError("retry", words, retryAfterMs(reply, now));
  return new DeliveryError("rejected", words);
}

/** The same for the push proxy, which wraps Google's words in a text of its own. */
export function relayFailure(reply: HttpReply, token: string, now: number): DeliveryError {
  const words = `the push proxy answered ${reply.status}: ${withoutSecrets(relayWords(reply.body), token)}`;
  const isGone = RELAY_GONE.some((phrase) => reply.body.toLowerCase().includes(phrase));
  if (isGone && reply.status < 500) return new DeliveryError("gone", words);
  if (reply.status === 429 || isPassing(reply.status)) {
    return new DeliveryError("retry", words, retryAfterMs(reply, now));
  }
  if (reply.status === 401 || reply.status === 403) {
    return new DeliveryError("rejected", `${words}. Check fcm.fcm_v1_key`);
  }
  return new DeliveryError("rejected", words);
}

/** `Retry-After` in ms, seconds or a date (RFC 9110, 10.2.3); null when there is none that can be read. */
export function retryAfterMs({ retryAfter }: HttpReply, now: number): number | null {
  if (retryAfter === null) return null;
  const isSeconds = /^\s*\d+\s*$/.test(retryAfter);
  // JavaScript takes nearly anything for a date: one of HTTP has a month in letters and a year.
  const date = /[a-z]{3}.*\d{4}/i.test(retryAfter) ? Date.parse(retryAfter) : Number.NaN;
  const wait = isSeconds ? Number(retryAfter) * 1000 : date - now;
  return Number.isFinite(wait) && wait > 0 ? Math.min(wait, MAX_RETRY_AFTER_MS) : null;
}

/** Google asks for a minute after a 429 that names no time. */
const QUOTA_PAUSE_MS = 60_000;
/** Nobody waits longer for a motion push; a nonsensical header must not block a phone for weeks. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** Phrases by which the original knows a dead token in the proxy's answer. */
const RELAY_GONE = ["not a valid fcm", "entity was not found"];
/** Enough for Google's sentences, short enough for a history line. */
const MAX_WORDS = 300;
const MISMATCH =
  "The app on this phone belongs to another Firebase project than fcm.fcm_service_account_file: apps from the stores are reached through fcm.fcm_v1_url only";
const APNS_KEY = "The Firebase project has no valid APNs key, so no iPhone can be reached through it";

/** Whoever has the token can send to the phone, and whoever has a link sees the picture: neither is for a history. */
function withoutSecrets(words: string, token: string): string {
  return cut(hideSecrets(words.replaceAll(token, `...${tokenEnd(token, 10)}`)));
}

/** Errors that pass by themselves: timeouts on the way, and faults of the other side. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status >= 500;
}

interface FcmError {
  /** `errorCode` of Google's FcmError, else the general status; empty when there is neither. */
  readonly code: string;
  readonly message: string;
  readonly aboutToken: boolean;
}

/** Reads `{"error": {code, message, status, details: [{"@type": ".../FcmError", errorCode}, ...]}}`. */
function readError(reply: HttpReply): FcmError {
  const error = field(parsed(reply.body), "error");
  const details = field(error, "details");
  const list: readonly unknown[] = Array.isArray(details) ? details : [];
  const code = list.map((detail) => text(field(detail, "errorCode"))).find((found) => found !== "");
  const message = text(field(error, "message"));
  const status = text(field(error, "status"));
  const isInvalid = code === "INVALID_ARGUMENT" || status === "INVALID_ARGUMENT";
  return {
    code: code ?? status,
    message: message || plain(reply.body),
    aboutToken: isInvalid && (namesToken(list) || /not a valid FCM registration token/i.test(message)),
  };
}

/** True when Google's BadRequest lays the fault at `message.token`. */
function namesToken(details: readonly unknown[]): boolean {
  return details.some((detail) => {
    const violations = field(detail, "fieldViolations");
    return Array.isArray(violations) && violations.some((each) => field(each, "field") === "message.token");
  });
}

function relayWords(body: string): string {
  const error = text(field(parsed(body), "Error"));
  return error || plain(body);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** An answer that is no JSON, such as a proxy's page in HTML, as one line. */
function plain(body: string): string {
  const words = body
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return words === "" ? "(nothing)" : words;
}

function cut(words: string): string {
  return words.length <= MAX_WORDS ? words : `${words.slice(0, MAX_WORDS - 1)}…`;
}
