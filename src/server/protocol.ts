// The words of the WebSocket protocol: what a client's message means, and the replies the server may give.
import type { DeviceApp, Platform } from "../domain/device.ts";
import { type MonitorId, monitorId } from "../domain/monitor.ts";

/** What a client's message asks for. Nothing a client can send makes `parseMessage` throw. */
export type Incoming =
  | { readonly event: "auth"; readonly auth: AuthRequest }
  | { readonly event: "control"; readonly control: ControlRequest }
  | { readonly event: "push"; readonly push: PushRequest }
  | { readonly event: "escontrol"; readonly escontrol: EscontrolRequest }
  /** An event of a name nobody knows; `echo` is that name as the reply repeats it. */
  | { readonly event: "unknown"; readonly echo: Scalar }
  /** Not JSON, or JSON that is no message (an array, a bare string). */
  | { readonly event: "malformed" };

export interface AuthRequest {
  readonly category: "normal" | "escontrol";
  readonly user: string;
  readonly password: string;
  /** null: the message carries none. */
  readonly monlist: string | null;
  readonly intlist: string | null;
  readonly appversion: string | null;
  /** It wants to hear again of an alarm when a hook has answered. */
  readonly updates: boolean;
  readonly app: DeviceApp;
}

export type ControlRequest =
  | { readonly type: "filter"; readonly monlist: string | null; readonly intlist: string | null }
  | { readonly type: "version" }
  | { readonly type: "monitors" }
  | { readonly type: "unknown" };

export type PushRequest =
  | {
      readonly type: "token";
      /** Empty: the phone has none yet. */
      readonly token: string;
      /** null: the message does not say. */
      readonly platform: Platform | null;
      readonly state: "enabled" | "disabled";
      readonly monlist: string | null;
      readonly intlist: string | null;
      readonly profile: string | null;
    }
  /** `badge` is null when it is no number; `token` is the one beside `data`, empty when there is none. */
  | { readonly type: "badge"; readonly badge: number | null; readonly token: string }
  | { readonly type: "unknown" };

export interface EscontrolRequest {
  /** The whole message, as replies repeat it; null when it is nested too deeply for that. */
  readonly message: unknown;
  /** null: the message has no data. */
  readonly command: EscontrolCommand | null;
}

export type EscontrolCommand =
  | { readonly name: "get" | "restart" | "reset" | "unknown" }
  | {
      readonly name: "mute" | "unmute";
      /** null: all that are known. "wrong": something that is no list, of which nobody knows what is meant. */
      readonly monitors: readonly MonitorId[] | null | "wrong";
      /** null: until it is taken back. */
      readonly minutes: number | null | "wrong";
    }
  /** Values are texts, as in the file; null where there is none. */
  | { readonly name: "edit"; readonly key: string; readonly value: string | null };

export type Reason =
  | "BADAUTH"
  | "NOAUTH"
  | "ESCONTROLDISABLED"
  | "NOTCONTROL"
  | "NODATA"
  | "BADKEY"
  | "BADVALUE"
  | "NOTALLOWED"
  | "PUSHDISABLED"
  | "MISSINGPLATFORM"
  | "TOOMANYDEVICES"
  | "MISSINGMONITORLIST"
  | "MISSINGINTERVALLIST"
  | "NOTSUPPORTED"
  | "BADJSON"
  | "NOTKNOWN";

/** A reply. Flat, with exactly the keys real clients read; `reason` is empty on success. */
export interface Outgoing {
  readonly event: Scalar;
  readonly type: "" | "version" | "monitors" | "filter" | "token" | "command";
  readonly status: "Success" | "Fail";
  readonly reason: "" | Reason;
  readonly version?: string;
  /** With the names that alarms have, and ids as texts, too. */
  readonly monitors?: readonly { readonly MonitorId: string; readonly Name: string }[];
  /** What the client sent, repeated in replies to `escontrol`. */
  readonly request?: unknown;
  /** JSON as text inside JSON, which is how wsclient.py prints it. */
  readonly response?: string;
}

type Scalar = string | number | boolean | null;

/** Phones cut profile names to this length themselves (zmNinjaNg 1.1.14). */
const MAX_LABEL_LENGTH = 128;

/** A list of 2,000 monitors is 10,000 characters; a filter is kept per client, so it has to end somewhere. */
const MAX_LIST_LENGTH = 16_384;

/** FCM's tokens have about 160 characters, and Google names no limit. */
const MAX_TOKEN_LENGTH = 4096;

/** Ten years: longer is the same as for ever. */
const MAX_MINUTES = 5_256_000;

/** Lists of monitors are the longest settings there are. */
const MAX_SETTING_LENGTH = 16_384;

/** More digits than any icon shows. */
const MAX_BADGE = 999_999;

/** Reads one text message of a client. Checked by hand: thousands of clients may log in within a second. */
export function parseMessage(text: string): Incoming {
  const json = jsonOf(text);
  // `null` is answered like a message without an event, as the original does.
  const message = json === null ? NOTHING : objectOf(json);
  if (message === null) return { event: "malformed" };
  const data = objectOf(message.data) ?? NOTHING;
  switch (message.event) {
    case "auth":
      return { event: "auth", auth: authOf(message.category, message.token, data) };
    case "control":
      return { event: "control", control: controlOf(data) };
    case "push":
      return { event: "push", push: pushOf(message.token, data) };
    case "escontrol":
      return { event: "escontrol", escontrol: escontrolOf(message, objectOf(message.data)) };
    default:
      return { event: "unknown", echo: echoOf(message.event) };
  }
}

/** A copy of the message for the log: no password, no token, not longer than a line should be. */
export function maskedMessage(text: string): string {
  const parsed = jsonOf(text);
  // What is not JSON may still be a password somebody typed: its size is all that is said.
  if (parsed === undefined) return `(not JSON, ${text.length} characters)`;
  try {
    const masked = JSON.stringify(parsed, (key, value: unknown) => (SECRET_KEY.test(key) ? "***" : value));
    return masked.length > MAX_LOGGED_LENGTH ? `${masked.slice(0, MAX_LOGGED_LENGTH)}...` : masked;
  } catch {
    // JSON.stringify, unlike JSON.parse, runs out of stack on thousands of nested brackets.
    return `(nested too deeply, ${text.length} characters)`;
  }
}

const SECRET_KEY = /passw|token|secret|key|^val$/i;
const MAX_LOGGED_LENGTH = 1000;

type JsonObject = Readonly<Record<string, unknown>>;

const NOTHING: JsonObject = {};

function authOf(category: unknown, token: unknown, data: JsonObject): AuthRequest {
  return {
    category: category === "escontrol" ? category : "normal",
    // Not cut: ZoneMinder decides what it makes of a long one. The message size bounds it.
    user: wordsOf(data.user) ?? "",
    password: wordsOf(data.password) ?? "",
    monlist: wordsOf(data.monlist, MAX_LIST_LENGTH),
    intlist: wordsOf(data.intlist, MAX_LIST_LENGTH),
    updates: data.updates === true || data.updates === "true",
    appversion: wordsOf(data.appversion, MAX_LABEL_LENGTH),
    // zmNinjaNg names a category in its login, zmNinja never does but has a token beside each message.
    app: category !== undefined ? "zmninja-ng" : token !== undefined ? "zmninja" : "unknown",
  };
}

function pushOf(topToken: unknown, data: JsonObject): PushRequest {
  if (data.type === "badge") return { type: "badge", badge: badgeOf(data.badge), token: tokenOf(topToken) };
  if (data.type !== "token") return { type: "unknown" };
  return {
    type: "token",
    token: tokenOf(data.token),
    platform: platformOf(data.platform),
    state: data.state === "disabled" ? "disabled" : "enabled",
    monlist: wordsOf(data.monlist, MAX_LIST_LENGTH),
    intlist: wordsOf(data.intlist, MAX_LIST_LENGTH),
    profile: wordsOf(data.profile, MAX_LABEL_LENGTH),
  };
}

/** A token is printable and has no blanks; anything else would be none for Google, and trouble in a file. */
function tokenOf(value: unknown): string {
  const token = wordsOf(value) ?? "";
  return token.length <= MAX_TOKEN_LENGTH && /^[!-~]+$/.test(token) ? token : "";
}

function platformOf(value: unknown): Platform | null {
  const word = (wordsOf(value) ?? "").toLowerCase();
  if (word === "") return null;
  return word === "ios" || word === "android" ? word : "unknown";
}

function badgeOf(value: unknown): number | null {
  const badge = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof badge === "number" && badge >= 0 && badge <= MAX_BADGE ? Math.trunc(badge) : null;
}

function controlOf(data: JsonObject): ControlRequest {
  if (data.type === "version" || data.type === "monitors") return { type: data.type };
  if (data.type !== "filter") return { type: "unknown" };
  return {
    type: "filter",
    monlist: wordsOf(data.monlist, MAX_LIST_LENGTH),
    intlist: wordsOf(data.intlist, MAX_LIST_LENGTH),
  };
}

function escontrolOf(message: JsonObject, data: JsonObject | null): EscontrolRequest {
  return { message: isNestedTooDeeply(message) ? null : message, command: data && commandOf(data) };
}

function commandOf(data: JsonObject): EscontrolCommand {
  const { command } = data;
  switch (command) {
    case "get":
    case "restart":
    case "reset":
      return { name: command };
    case "mute":
    case "unmute":
      return { name: command, monitors: monitorsOf(data.monitors), minutes: minutesOf(data.minutes) };
    case "edit":
      return { name: command, key: wordsOf(data.key, MAX_LABEL_LENGTH) ?? "", value: settingOf(data.val) };
    default:
      return { name: "unknown" };
  }
}

/** wsclient.py sends numbers, other scripts the texts that alarms carry. */
function monitorsOf(value: unknown): readonly MonitorId[] | null | "wrong" {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return "wrong";
  const ids = value.map((each) => monitorId(numberOf(each)));
  return ids.includes(null) ? "wrong" : ids.filter((id) => id !== null);
}

function minutesOf(value: unknown): number | null | "wrong" {
  if (value === undefined || value === null) return null;
  const minutes = numberOf(value);
  return minutes > 0 && minutes <= MAX_MINUTES ? minutes : "wrong";
}

function numberOf(value: unknown): number {
  return Number(wordsOf(value)?.trim() || Number.NaN);
}

function settingOf(value: unknown): string | null {
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = Array.isArray(value) ? value.map((each) => wordsOf(each) ?? "").join(",") : wordsOf(value);
  return text !== null && text.length <= MAX_SETTING_LENGTH ? text : null;
}

/** JSON.stringify, unlike JSON.parse, runs out of stack on thousands of nested brackets. */
function isNestedTooDeeply(message: JsonObject): boolean {
  try {
    JSON.stringify(message);
    return false;
  } catch {
    return true;
  }
}

/** The original reads numbers as text; whatever else stands there is as good as nothing. */
function wordsOf(value: unknown, most = Number.POSITIVE_INFINITY): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value.slice(0, most) : null;
}

function objectOf(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function echoOf(event: unknown): Scalar {
  if (typeof event === "string") return event.slice(0, MAX_LABEL_LENGTH);
  return typeof event === "number" || typeof event === "boolean" ? event : null;
}
