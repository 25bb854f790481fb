// Tells which generation of the original a configuration file was written for: the same words meant other things.
import type { RawFile } from "./raw-file.ts";
import { type KeyPath, knownKeys } from "./schema.ts";

/**
 * - `ini-1.0`: 1.0 to 3.2. Only 0 and empty were false; a configured hook runs, and its exit code decides for all.
 * - `ini-3.3`: 3.3 to 4.x. yes and no were understood; hooks as before.
 * - `ini-5.0`: 5 and 6. `use_hooks` switches hooks on, and four lists say who is told.
 * - `yaml-7`: 7, and our own file.
 * - `none`: no file; only defaults.
 */
export type Dialect = "ini-1.0" | "ini-3.3" | "ini-5.0" | "yaml-7" | "none";

/** True where a configured hook runs, its exit code decides for everybody, and there are no lists. */
export function isOldDialect(dialect: Dialect): boolean {
  return dialect === "ini-1.0" || dialect === "ini-3.3";
}

/** The dialect of an INI file, by the keys it has. */
export function iniDialect(file: RawFile): Dialect {
  const paths = file.entries.map((entry) => `${entry.section}.${entry.key}`);
  if (paths.some((path) => path === "customize.use_hooks" || CHANNEL_LISTS.has(path))) return "ini-5.0";
  return paths.some(cameWithVersion33) ? "ini-3.3" : "ini-1.0";
}

/**
 * What the original of that age made of a word that means false here: null when it agreed, otherwise the
 * versions that read it as true (facts measured on the originals).
 */
export function readAsTrueBy(dialect: Dialect, word: string, quoted: boolean): string | null {
  const text = word.trim().toLowerCase();
  if (text === "" || text === "0") return null;
  switch (dialect) {
    case "ini-1.0":
      return "versions 1.0 to 3.2";
    case "ini-3.3":
    case "ini-5.0":
      return text === "no" ? null : "versions 3.3 to 6";
    case "yaml-7":
      return text === "off" || (text === "false" && quoted) ? "version 7" : null;
    case "none":
      return null;
  }
}

const OURS = 8;

const CHANNEL_LISTS: ReadonlySet<KeyPath> = new Set([
  "hook.event_start_notify_on_hook_success",
  "hook.event_start_notify_on_hook_fail",
  "hook.event_end_notify_on_hook_success",
  "hook.event_end_notify_on_hook_fail",
]);

/** Our own keys say nothing of the age of the file they were added to. */
function cameWithVersion33(path: KeyPath): boolean {
  const [major = 0, minor = 0] = (knownKeys.get(path)?.since ?? "").split(".").map(Number);
  return (major > 3 && major < OURS) || (major === 3 && minor >= 3);
}
