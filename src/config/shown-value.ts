// Writes a value for people to read, without ever showing a secret.
import type { Origin } from "./load.ts";
import type { Config, KeyPath } from "./schema.ts";
import { knownKeys, valueAt } from "./schema.ts";

/** What is needed to show a value. */
export interface Shown {
  readonly config: Config;
  readonly origins: ReadonlyMap<KeyPath, Origin>;
}

/** The value of a key, "(undefined)" when it is not set, "(defined)" when it is nobody's business. */
export function showValue({ config, origins }: Shown, path: KeyPath): string {
  const known = knownKeys.get(path);
  const value = valueAt(config, path);
  if (!known || value === null || value === undefined) return "(undefined)";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value) && value.length === 0) return "(undefined)";
  if (known.secret) return "(defined)";
  const text = Array.isArray(value) ? value.join(",") : String(value);
  if (known.kind === "url") return withoutCredentials(text);
  // The samples of the original keep the names of the certificate files among the secrets. A file name gives
  // nothing away, and the operator must see which file is meant.
  if (origins.get(path)?.secret && known.kind !== "file") return "(defined)";
  return oneLine(text);
}

/**
 * An address without user, password and fragment, and with only those parameters that are known to be harmless:
 * a password with an unescaped "&" would otherwise go on in the next one. Where it is not certain what belongs to
 * the password, nothing is shown.
 */
export function withoutCredentials(address: string): string {
  const parts = /^([a-z][\w+.-]*:\/\/)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(oneLine(address));
  const [, scheme = "", authority = "", path = "", query, fragment = ""] = parts ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  // "https://user:pa/ss@host" ends its host too early, and what follows is the rest of a password.
  const isCertain = /^(\[[\da-f:.]*\]|[\w.-]*)(:\d*)?$/i.test(host) && !`${path}${fragment}`.includes("@");
  if (!parts || !isCertain) return "(defined)";
  if (query === undefined) return `${scheme}${host}${path}`;
  const parameters = query.slice(1).split(/[?&;]/);
  const harmless = /^(view|eid|fid|width|height|scale|show)=[\w.-]*$/i;
  const kept = parameters.filter((parameter) => harmless.test(parameter));
  if (kept.length < parameters.length) kept.push("...");
  return `${scheme}${host}${path}?${kept.join("&")}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}
