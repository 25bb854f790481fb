// Decides what is written of the settings that were read, and which of them go into the file of secrets.
import path from "node:path";
import type { KeyPath, KnownKey } from "../../config/schema.ts";
import { valueAt } from "../../config/schema.ts";
import { oldHookAdditions, oldHookChange } from "./old-hooks.ts";
import type { Row, Survey, UsedEntry } from "./survey.ts";

/** A value of the new file. */
export interface Setting {
  readonly path: KeyPath;
  /** Text beginning with "!" names a secret. */
  readonly value: unknown;
  readonly row: Row;
}

export interface Settings {
  readonly settings: readonly Setting[];
  /** Of our own file of secrets, by name; empty: there is none. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** Where the secrets stay, or are put. */
export type SecretsHome =
  | { readonly kind: "original"; readonly file: string }
  | { readonly kind: "own"; readonly file: string };

/** `adjusted`: values that differ from those read, each with its reason. */
export function decideSettings(
  survey: Survey,
  home: SecretsHome,
  adjusted: ReadonlyMap<KeyPath, { readonly value: unknown; readonly why: string }>,
): Settings {
  const secrets = new Map<string, string>();
  const settings: Setting[] = [];
  for (const used of survey.used) {
    const { known } = used;
    if (known.path === "general.secrets") continue;
    const change = adjusted.get(known.path);
    const value = change === undefined ? valueAt(survey.loaded.config, known.path) : change.value;
    const row = change === undefined ? rowOf(used, survey) : changed(used.row, change.why);
    settings.push({ path: known.path, value: written(used, value), row });
  }
  for (const [key, { value, why }] of adjusted) {
    if (settings.some((setting) => setting.path === key)) continue;
    settings.push({ path: key, value, row: added(survey, key, why) });
  }
  for (const { path: key, value, why } of oldHookAdditions(survey.loaded))
    settings.push({ path: key, value, row: added(survey, key, why) });
  const named = secretsSetting(survey, home, secrets.size > 0);
  return { settings: named === null ? settings : [named, ...settings], secrets };

  /** The name of a secret instead of its value. */
  function written({ known, entry }: UsedEntry, value: unknown): unknown {
    if (typeof value !== "string") return value;
    const name = entry.value.kind === "text" ? /^\s*!\s*(\S+)\s*$/.exec(entry.value.text)?.[1] : undefined;
    const isReference = name !== undefined && namesSecrets(survey);
    if (isReference && home.kind === "original") return `!${name}`;
    const isSecret = known.secret || (isReference && known.kind !== "file") || hasLogin(known, value);
    if (home.kind === "original" || !(isSecret || value.startsWith("!"))) return value;
    const own = isReference ? name : secretName(known);
    secrets.set(own, value);
    return `!${own}`;
  }
}

function namesSecrets(survey: Survey): boolean {
  return survey.used.some(({ known }) => known.path === "general.secrets");
}

function rowOf({ known, row }: UsedEntry, { loaded }: Survey): Row {
  if (known.path !== "hook.hook_script" && known.path !== "hook.event_start_hook") return row;
  const why = oldHookChange(loaded);
  return why === null ? row : changed(row, why);
}

function changed(row: Row, why: string): Row {
  return { ...row, outcome: "changed", why: row.why === "" ? why : `${row.why}; ${why}` };
}

function added(survey: Survey, key: KeyPath, why: string): Row {
  return { outcome: "changed", what: key, where: survey.path, why };
}

function secretsSetting(survey: Survey, home: SecretsHome, isNeeded: boolean): Setting | null {
  const used = survey.used.find(({ known }) => known.path === "general.secrets");
  if (home.kind === "own") {
    if (!isNeeded) return null;
    const why = `the secrets are in ${home.file}, a copy for zmes`;
    const row = used === undefined ? added(survey, "general.secrets", why) : changed(used.row, why);
    return { path: "general.secrets", value: home.file, row };
  }
  if (used === undefined) return null;
  const isAsWritten = used.entry.value.kind === "text" && path.isAbsolute(used.entry.value.text.trim());
  const row = isAsWritten ? used.row : changed(used.row, "it is written with its whole path");
  return { path: "general.secrets", value: home.file, row };
}

/** An address may carry a user and password. */
export function hasLogin({ kind }: KnownKey, value: string): boolean {
  return kind === "url" && /@|[?&;](?:username|password|user|pass|token|auth)=/i.test(value);
}

/** MQTT_PASSWORD, FCM_V1_KEY, PICTURE_URL */
export function secretName({ section, key }: KnownKey): string {
  return (key === "password" || key === "username" ? `${section}_${key}` : key).toUpperCase();
}
