// The settings as version 6 or 7 of the original reads them, and which of ours it has nothing for.
import { type Broker, type Login, loginOf, parseBroker } from "../../channels/mqtt/options.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { type KeyPath, type KnownKey, knownKeys, valueAt } from "../../config/schema.ts";
import { oldHookAdditions } from "../import/old-hooks.ts";
import { hasLogin, secretName } from "../import/settings.ts";

export type Target = 6 | 7;

/** A value as the original wants it written: lists with commas, truth as yes and no. */
export interface ExportedSetting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** What is to be quoted in YAML. */
  readonly isText: boolean;
}

export interface Lost {
  readonly what: string;
  readonly why: string;
}

export interface ExportedSettings {
  readonly settings: readonly ExportedSetting[];
  readonly secrets: ReadonlyMap<string, string>;
  readonly lost: readonly Lost[];
}

/** `replaced`: values that name the exported files instead of ours; null leaves the key out. */
export function exportSettings(
  loaded: LoadedConfig,
  target: Target,
  replaced: ReadonlyMap<KeyPath, string | null>,
): ExportedSettings {
  const secrets = new Map<string, string>();
  const lost: Lost[] = [];
  const additions = new Map<KeyPath, unknown>(
    oldHookAdditions(loaded).map(({ path, value }) => [path, value]),
  );
  const broker = parseBroker(loaded.config.mqtt);
  const login = broker === null ? null : loginOf(loaded.config.mqtt, broker);
  // It knows no address with a login in it.
  if (login !== null) additions.set("mqtt.username", login.username).set("mqtt.password", login.password);
  const settings = [...knownKeys.values()].flatMap((known): readonly ExportedSetting[] => {
    const { path } = known;
    const isSet =
      loaded.origins.has(path) || additions.has(path) || replaced.has(path) || path in WANTED || path === AGE;
    const value = replaced.has(path) ? replaced.get(path) : (additions.get(path) ?? valueNow(known));
    if (!isSet || isNothing(value) || isNeedless(known, value, target)) return [];
    const why = whyLost(known, value, target);
    if (why !== null) lost.push({ what: path, why });
    return why === null ? [written(known, value)] : [];
  });
  if (losesTls(loaded.config, broker, login)) lost.push({ what: "mqtt.server", why: NO_TLS });
  return { settings, secrets, lost };

  function valueNow({ path }: KnownKey): unknown {
    return loaded.origins.has(path) || WANTED[path] === undefined
      ? valueAt(loaded.config, path)
      : WANTED[path];
  }

  function written(known: KnownKey, value: unknown): ExportedSetting {
    const { section, key, path, kind } = known;
    const plain = path === "mqtt.server" ? addressOf(broker, String(value)) : textOf(value);
    const isFromSecrets = loaded.origins.get(path)?.secret === true && kind !== "file";
    const isSecret = known.secret || isFromSecrets || hasLogin(known, plain) || plain.startsWith("!");
    if (!isSecret)
      return { section, key, value: plain, isText: typeof value === "string" || Array.isArray(value) };
    const name = secretName(known);
    secrets.set(name, plain);
    return { section, key, value: `!${name}`, isText: true };
  }
}

/** What we always do, and the original only when it is told to. */
const WANTED: Readonly<Record<KeyPath, unknown>> = { "customize.read_alarm_cause": true };

/** Without it a hook in an INI file would be taken for one of versions 1.5 to 4, which ran because it was there. */
const AGE: KeyPath = "customize.use_hooks";

/** First version without it. */
const REMOVED: Readonly<Record<KeyPath, { readonly before: Target; readonly why: string }>> = {
  "fcm.api_key": { before: 6, why: "versions 6 and 7 have no legacy interface" },
  "customize.verbose": { before: 6, why: "it has been called console_logs since 3.7" },
  "hook.keep_frame_match_type": { before: 7, why: "version 7 keeps the mark in the detector's own settings" },
};

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** A default of ours that the version does not know is no loss. */
function isNeedless({ path, since, fallback }: KnownKey, value: unknown, target: Target): boolean {
  const isUnknown = isNewer(since, target) || (REMOVED[path] !== undefined && target >= REMOVED[path].before);
  return isUnknown && JSON.stringify(value) === JSON.stringify(fallback);
}

/** Null for what that version knows. */
function whyLost(known: KnownKey, value: unknown, target: Target): string | null {
  const { path, since } = known;
  const removed = REMOVED[path];
  if (removed !== undefined && target >= removed.before) return removed.why;
  if (path === "mqtt.server" && /^wss?:/i.test(String(value)))
    return `version ${target} knows no WebSocket to the broker`;
  if (isNewer(since, target)) return OUR_REASONS[path] ?? `version ${target} has nothing like it`;
  return typeof value === "string" ? whyMisread(value, target) : null;
}

/** Texts that the version would take for something else, wherever they stand (6.1.29, 7.0.19); null for the others. */
function whyMisread(text: string, target: Target): string | null {
  if (/^(?:yes|no)$/i.test(text)) return `version ${target} makes ${/^y/i.test(text) ? 1 : 0} of this word`;
  if (target === 7)
    return /\$\{\w+\}/.test(text) ? "version 7 takes a word in $ and braces for the name of a key" : null;
  if (/[\r\n]/.test(text)) return "an INI file has no values of several lines";
  if (text.startsWith("<<"))
    return "an INI file takes a value that begins with << for the beginning of several lines";
  return /\{\{\s*\w+\s*\}\}/.test(text)
    ? "version 6 takes a word in double braces for the name of a key"
    : null;
}

/** Our own keys are of "8". */
function isNewer(since: string, target: Target): boolean {
  return Number(since.split(".")[0]) > target;
}

const OUR_REASONS: Readonly<Record<KeyPath, string>> = {
  "pictures.public_url": "it puts customize.picture_url with user and password into its messages instead",
  "fcm.fcm_service_account_file": "version 6 reaches phones through the push proxy only",
  "fcm.monthly_cap": "it stops at 8000 messages a month and phone",
  "zoneminder.scan_interval_ms": "it looks every event_check_interval seconds",
  "hook.timeout": "it waits for a hook for ever",
};

function textOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** It speaks TLS with an authority's file and a login only, and without a word in the clear otherwise (6.1.29, 7.0.19). */
function losesTls({ mqtt }: LoadedConfig["config"], broker: Broker | null, login: Login | null): boolean {
  const isTls = broker?.scheme === "mqtts" || broker?.scheme === "wss";
  return mqtt.enable && isTls && (mqtt.tls_ca === null || login === null);
}

const NO_TLS = "it speaks TLS only with mqtt.tls_ca and a login: everything would cross the network readable";

/** It knows host and port. */
function addressOf(broker: Broker | null, server: string): string {
  return broker === null || !/:\/\/|@/.test(server) ? server : broker.label;
}
