// By which way phones are reached, as far as the configuration says, and what to do when it says none.

/** The keys of the section `fcm` that decide it. */
export interface FcmWayOptions {
  readonly fcm_service_account_file: string | null;
  readonly fcm_v1_url: string | null;
  readonly fcm_v1_key: string | null;
  /** Key of the legacy interface; only recognised. */
  readonly api_key: string | null;
}

export type FcmWay =
  /** Straight to Google, with a service account of the operator's own Firebase project. */
  | { readonly kind: "direct"; readonly file: string }
  /** Through a push proxy; the only way to the apps from the stores. */
  | { readonly kind: "relay"; readonly url: URL; readonly key: string }
  /** `key`: what is at fault; `why` and `wayOut`: a sentence each, the first without its full stop. */
  | { readonly kind: "none"; readonly key: FaultyKey; readonly why: string; readonly wayOut: string };

type FaultyKey = "enable" | "api_key" | "fcm_v1_url" | "fcm_v1_key";

/** With both, the service account is used, as in version 7 of the original. No key is built in. */
export function fcmWay(options: FcmWayOptions): FcmWay {
  const { fcm_service_account_file: file, fcm_v1_url: url, fcm_v1_key: key, api_key: legacy } = options;
  if (file) return { kind: "direct", file };
  if (url && key) return relay(url, key);
  if (key)
    return none("fcm_v1_key", "fcm.fcm_v1_key is set, but fcm.fcm_v1_url, the address it belongs to, is not");
  if (url) return none("fcm_v1_url", "fcm.fcm_v1_url is set, but fcm.fcm_v1_key, the key for it, is not");
  if (legacy)
    return none("api_key", "fcm.api_key is a key of the legacy interface, which Google ended in 2024");
  return none("enable", "there is no key for push");
}

const WAY_OUT =
  "Copy the key and address of the push proxy from zmeventnotification into fcm.fcm_v1_key and fcm.fcm_v1_url " +
  "(docs/push.md shows where they stand), or name the key file of your own Firebase project in " +
  "fcm.fcm_service_account_file.";

function relay(address: string, key: string): FcmWay {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    return none("fcm_v1_url", "fcm.fcm_v1_url is not an http or https address");
  }
  // A header of HTTP holds neither line ends nor characters beyond Latin-1 (RFC 9110, 5.5).
  if (!/^[\x20-\x7e]+$/.test(key.trim()))
    return none("fcm_v1_key", "fcm.fcm_v1_key holds characters no key has");
  return { kind: "relay", url, key: key.trim() };
}

function none(key: FaultyKey, why: string): FcmWay {
  return { kind: "none", key, why, wayOut: WAY_OUT };
}
