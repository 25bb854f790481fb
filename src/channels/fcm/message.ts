// What a phone is sent: an alarm as the body of Google's HTTP v1 interface, or as that of the push proxy.
import { createHash } from "node:crypto";
import type { Alarm } from "../../domain/alarm.ts";
import type { Device } from "../../domain/device.ts";
import { strftime } from "../strftime.ts";

/** The section `fcm` of the configuration, as far as it shapes messages, and one key of `customize`. */
export interface FcmMessageOptions {
  readonly date_format: string;
  readonly replace_push_messages: boolean;
  readonly fcm_android_priority: "high" | "normal";
  /** Seconds; null leaves it to Google (four weeks). */
  readonly fcm_android_ttl: number | null;
  readonly fcm_log_raw_message: boolean;
  readonly fcm_log_message_id: string;
  readonly include_profile_in_push: boolean;
  readonly tag_alarm_event_id: boolean;
}

/** What a message needs of the phone it is for. A platform that is neither gets no block of its own. */
type FcmAddressee = Pick<Device, "token" | "platform" | "app" | "appVersion" | "profile">;

/** One message: who is told what, and with which picture and number on the app's icon. */
export interface FcmContent {
  readonly alarm: Alarm;
  readonly device: FcmAddressee;
  /** The number to show, the new alarm included. */
  readonly badge: number;
  /** Must hold no password: it goes through Google, and stays on the phone. */
  readonly picture: string | null;
}

/** The body of POST /v1/projects/PROJECT/messages:send; fields as in Google's reference of `Message`. */
export function toFcmMessage(content: FcmContent, options: FcmMessageOptions): FcmMessage {
  const { alarm, device, picture } = content;
  const words = wordsFor(content, options);
  const notification = { title: words.title, body: words.body, ...(picture !== null && { image: picture }) };
  const { platform } = device;
  return {
    message: {
      token: device.token,
      notification,
      data: dataFor(content, options),
      ...(platform === "android" && { android: androidBlock(alarm, device, options) }),
      ...(platform === "ios" && { apns: apnsBlock(content, words, options) }),
    },
  };
}

/** The body for a push proxy (the original's examples/send_push.py is one): flat, with a block per platform. */
export function toRelayMessage(content: FcmContent, options: FcmMessageOptions): RelayMessage {
  const { alarm, device, badge, picture } = content;
  const words = wordsFor(content, options);
  const { platform } = device;
  return {
    token: device.token,
    title: words.title,
    body: words.body,
    sound: SOUND,
    badge,
    log_message_id: options.fcm_log_message_id,
    ...(options.fcm_log_raw_message && { log_raw_message: "yes" }),
    data: dataFor(content, options),
    ...(picture !== null && { image_url: picture }),
    ...(platform === "android" && { android: relayAndroid(alarm, device, options) }),
    ...(platform === "ios" && {
      ios: {
        thread_id: THREAD,
        headers: apnsHeaders(alarm, options),
        ...(alarm.critical && { interruption_level: "time-sensitive" }),
        ...(words.subtitle !== null && { subtitle: words.subtitle }),
      },
    }),
  };
}

export interface FcmMessage {
  readonly message: Readonly<Record<string, unknown>> & { readonly token: string };
}

export type RelayMessage = Readonly<Record<string, unknown>> & { readonly token: string };

// Where the apps must agree: the icon lies in both Android apps, `zmninjapush` and the thread are the original's.
const ICON = "ic_stat_notification";
const SOUND = "default";
const THREAD = "zmninja_alarm";
const REPLACED = "zmninjapush";
/** Android shows a message only in a channel its app has made: these are what the two apps make. */
const CHANNEL_NG = "zmninja-ng";
const CHANNEL_OLD = "zmninja";
/** FCM takes 4096 bytes in all; causes list zones, and the text stands in a message three times. */
const MAX_CAUSE = 300;
const MAX_NAME = 100;
/** Apple's limit for apns-collapse-id, in bytes. */
const MAX_COLLAPSE = 64;

interface Words {
  readonly title: string;
  readonly body: string;
  /** Second line of the title, on iOS only. */
  readonly subtitle: string | null;
}

/** Titles begin with the monitor's name and " Alarm": zmNinjaNg reads the name out of it where it must. */
function wordsFor({ alarm, device }: FcmContent, options: FcmMessageOptions): Words {
  const ended = alarm.phase === "ended";
  const tag = options.tag_alarm_event_id && alarm.eventId !== null ? ` (${alarm.eventId})` : "";
  const time = strftime(options.date_format, alarm.seenAt);
  const body = `${causeOf(alarm) || "Alarm"}${ended ? " ended" : ""} at ${time}${alarm.late ? " (late)" : ""}`;
  const profile = profileOf(device, options);
  const isIos = device.platform === "ios";
  return {
    title: `${ended ? "Ended:" : ""}${nameOf(alarm)} Alarm${tag}`,
    body: profile !== null && !isIos ? `${body} — ${profile}` : body,
    subtitle: isIos ? profile : null,
  };
}

/** Google refuses values that are no strings, and zmNinja searches `mid` for commas. */
function dataFor({ alarm, device, picture }: FcmContent, options: FcmMessageOptions): FcmData {
  const profile = profileOf(device, options);
  return {
    mid: String(alarm.monitor.id),
    eid: String(alarm.eventId ?? 0),
    monitorName: nameOf(alarm),
    cause: causeOf(alarm),
    notification_foreground: "true",
    ...(alarm.critical && { notification_type: "critical" }),
    ...(profile !== null && { profile }),
    // The iOS extension of zmNinja reads the picture from here and nowhere else.
    ...(device.platform === "ios" && picture !== null && { image_url_jpg: picture }),
  };
}

type FcmData = Readonly<Record<string, string>>;

function androidBlock(alarm: Alarm, device: FcmAddressee, options: FcmMessageOptions) {
  const channel = androidChannel(device);
  return {
    priority: alarm.critical || options.fcm_android_priority === "high" ? "HIGH" : "NORMAL",
    ...(options.fcm_android_ttl !== null && { ttl: `${options.fcm_android_ttl}s` }),
    notification: {
      icon: ICON,
      sound: SOUND,
      tag: collapseId(alarm, options),
      ...(channel !== null && { channel_id: channel }),
    },
  };
}

/** The proxy ignores the block without an icon. */
function relayAndroid(alarm: Alarm, device: FcmAddressee, options: FcmMessageOptions) {
  const channel = androidChannel(device);
  return {
    icon: ICON,
    priority: alarm.critical ? "high" : options.fcm_android_priority,
    ...(options.fcm_android_ttl !== null && { ttl: options.fcm_android_ttl }),
    tag: collapseId(alarm, options),
    ...(channel !== null && { channel }),
  };
}

/** The extension that loads the picture runs only with mutable-content. */
function apnsBlock({ alarm, badge, picture }: FcmContent, words: Words, options: FcmMessageOptions) {
  const { title, body, subtitle } = words;
  return {
    headers: apnsHeaders(alarm, options),
    payload: {
      aps: {
        alert: { title, body, ...(subtitle !== null && { subtitle }) },
        badge,
        sound: SOUND,
        "thread-id": THREAD,
        // "critical" needs a permission of Apple's that the apps do not have; this one breaks through a focus.
        ...(alarm.critical && { "interruption-level": "time-sensitive" }),
        ...(picture !== null && { "mutable-content": 1 }),
      },
    },
    ...(picture !== null && { fcm_options: { image: picture } }),
  };
}

function apnsHeaders(alarm: Alarm, options: FcmMessageOptions) {
  return {
    "apns-priority": "10",
    "apns-push-type": "alert",
    "apns-collapse-id": collapseId(alarm, options),
  };
}

/** null: nothing is known of the app, and Android's own fallback is better than a channel that is not there. */
function androidChannel({ app, appVersion }: FcmAddressee): string | null {
  if (app !== "unknown") return app === "zmninja-ng" ? CHANNEL_NG : CHANNEL_OLD;
  return appVersion === "" || appVersion === "unknown" ? null : CHANNEL_OLD;
}

/** Null unless it is to be shown. */
function profileOf({ profile }: FcmAddressee, options: FcmMessageOptions): string | null {
  return options.include_profile_in_push && profile !== "" ? profile : null;
}

/** What replaces what on the phone: repeats of one alarm, or every message the one before it. */
function collapseId(alarm: Alarm, options: FcmMessageOptions): string {
  if (options.replace_push_messages) return REPLACED;
  if (Buffer.byteLength(alarm.id) <= MAX_COLLAPSE) return alarm.id;
  return createHash("sha256").update(alarm.id).digest("hex");
}

function nameOf(alarm: Alarm): string {
  return cut(alarm.monitor.name, MAX_NAME);
}

function causeOf(alarm: Alarm): string {
  return cut(alarm.cause, MAX_CAUSE);
}

/** Counts whole characters, so that none is cut in two. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${[...text].slice(0, length - 1).join("")}…`;
}
