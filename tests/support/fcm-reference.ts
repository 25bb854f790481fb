// Google's reference of the FCM v1 `Message`, as far as a sender to phones can offend against it.

/** What the real server would answer as INVALID_ARGUMENT; null for a message it would take. */
export function faultIn(body: unknown): string | null {
  try {
    only("", body, { message: checkMessage, validate_only: isBoolean });
    return null;
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

type Check = (path: string, value: unknown) => void;

function checkMessage(path: string, value: unknown): void {
  only(path, value, {
    name: isString,
    token: isString,
    topic: isString,
    condition: isString,
    data: isStringMap,
    notification: (at, notification) =>
      only(at, notification, { title: isString, body: isString, image: isString }),
    android: (at, android) => only(at, android, ANDROID),
    webpush: isObject,
    apns: (at, apns) =>
      only(at, apns, {
        headers: isStringMap,
        payload: isObject,
        live_activity_token: isString,
        fcm_options: (within, options) =>
          only(within, options, { analytics_label: isString, image: isString }),
      }),
    fcm_options: (at, options) => only(at, options, { analytics_label: isString }),
  });
  const targets = ["token", "topic", "condition"].filter((name) => name in Object(value));
  if (targets.length !== 1) throw new Error("Exactly one of token, topic or condition is required");
  if (Buffer.byteLength(JSON.stringify(value)) > 4096) throw new Error("Android message is too big");
  checkReservedData(value);
}

const ANDROID: Readonly<Record<string, Check>> = {
  collapse_key: isString,
  priority: isOneOf("NORMAL", "HIGH"),
  ttl: isDuration,
  restricted_package_name: isString,
  data: isStringMap,
  direct_boot_ok: isBoolean,
  fcm_options: isObject,
  notification: (path, value) =>
    only(path, value, {
      ...Object.fromEntries(
        [
          ["title", "body", "icon", "color", "sound", "tag", "click_action", "body_loc_key"],
          ["title_loc_key", "channel_id", "ticker", "event_time", "image"],
        ]
          .flat()
          .map((name) => [name, isString]),
      ),
      sticky: isBoolean,
      local_only: isBoolean,
      notification_priority: isString,
      default_sound: isBoolean,
      default_vibrate_timings: isBoolean,
      default_light_settings: isBoolean,
      visibility: isOneOf("PRIVATE", "PUBLIC", "SECRET"),
      notification_count: isInteger,
    }),
};

function only(path: string, value: unknown, fields: Readonly<Record<string, Check>>): void {
  isObject(path, value);
  for (const [name, inner] of Object.entries(Object(value))) {
    const check = fields[name];
    const at = path === "" ? name : `${path}.${name}`;
    if (!check) throw new Error(`Invalid JSON payload received. Unknown name "${name}" at '${path}'`);
    check(at, inner);
  }
}

/** Google keeps some names of `data` for itself. */
function checkReservedData(message: unknown): void {
  for (const name of Object.keys(Object(Object(message).data))) {
    if (name === "from" || name === "message_type" || /^(google|gcm)/.test(name)) {
      throw new Error(`Invalid data payload key: ${name}`);
    }
  }
}

function isObject(path: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(path, "object", value);
}

function isString(path: string, value: unknown): void {
  if (typeof value !== "string") fail(path, "TYPE_STRING", value);
}

function isBoolean(path: string, value: unknown): void {
  if (typeof value !== "boolean") fail(path, "TYPE_BOOL", value);
}

function isInteger(path: string, value: unknown): void {
  if (!Number.isInteger(value)) fail(path, "TYPE_INT32", value);
}

function isDuration(path: string, value: unknown): void {
  if (typeof value !== "string" || !/^\d+(\.\d{1,9})?s$/.test(value)) fail(path, "Duration", value);
}

function isOneOf(...words: readonly string[]): Check {
  return (path, value) => {
    if (!words.some((word) => word === value)) fail(path, words.join("|"), value);
  };
}

function isStringMap(path: string, value: unknown): void {
  isObject(path, value);
  for (const [name, inner] of Object.entries(Object(value))) isString(`${path}.${name}`, inner);
}

function fail(path: string, expected: string, value: unknown): never {
  throw new Error(`Invalid value at '${path}' (${expected}), ${JSON.stringify(value)}`);
}
