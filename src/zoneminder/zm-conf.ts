// Reads ZoneMinder's own configuration files, zm.conf and conf.d/*.conf, by the rules ZoneMinder itself applies.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

export interface ZmConf {
  /** Every file that was read, in order; a later one wins. */
  readonly files: readonly string[];
  /** Keys in capitals (ZM_DB_HOST and so on). */
  readonly values: ReadonlyMap<string, string>;
}

export type ZmConfResult =
  | { readonly ok: true; readonly conf: ZmConf }
  | { readonly ok: false; readonly problem: string };

/** A configuration file is a few kilobytes; more than this is some other file named by mistake. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads `path` and then every `conf.d/*.conf` beside it in byte order, as ZoneMinder does from 1.32 on (1.30 has no
 * conf.d, so the folder is simply not there). Never throws: the problem names the file, the reason and the way out.
 */
export function readZmConf(path: string): ZmConfResult {
  const values = new Map<string, string>();
  const files: string[] = [];
  try {
    for (const file of [path, ...confDirFiles(path)]) {
      const text = readText(file);
      if (!text.ok) return text;
      for (const [key, value] of parseZmConf(text.text)) values.set(key, value);
      files.push(file);
    }
  } catch (error) {
    return { ok: false, problem: describe(path, error) };
  }
  return { ok: true, conf: { files, values } };
}

/**
 * The lines of one file. Split at the first `=`, blanks around key and value stripped, then any run of quotes at
 * either end of the value, paired or not; no inline comments and no escapes (Config.pm.in and zm_config.cpp).
 */
export function parseZmConf(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of joinContinuedLines(text.replace(/^\uFEFF/, "").split(/\n/))) {
    const match = /^[ \t\r\f\v]*([^=\s#][^=\s]*)[ \t\r\f\v]*=(.*)$/s.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    values.set(match[1].toUpperCase(), stripQuotes(stripBlanks(match[2])));
  }
  return values;
}

/**
 * From 1.39.16 a trailing backslash joins the next line; before, it belonged to the value (a password may end in
 * one). The version is in the database, which cannot be asked before this file is read, so the next line decides:
 * a blank line, a comment or another `ZM_...=` is never a continuation anybody wrote on purpose.
 */
function joinContinuedLines(lines: readonly string[]): string[] {
  const joined: string[] = [];
  let open: string | null = null;
  for (const line of lines) {
    const blankless = stripBlanks(line);
    const startsAnew = /^(#.*|ZM_\w*\s*=.*)?$/is.test(blankless);
    if (open !== null && !startsAnew) open = open.slice(0, -1) + blankless;
    else {
      if (open !== null) joined.push(open);
      open = stripBlanks(line);
    }
    if (!open.endsWith("\\") || open.startsWith("#")) {
      joined.push(open);
      open = null;
    }
  }
  if (open !== null) joined.push(open);
  return joined;
}

// Only ASCII blanks: trim() would also take a no-break space, which may be part of a password.
function stripBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function stripQuotes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isQuote(text[start])) start++;
  while (end > start && isQuote(text[end - 1])) end--;
  return text.slice(start, end);
}

function isQuote(character: string | undefined): boolean {
  return character === '"' || character === "'";
}

function confDirFiles(path: string): string[] {
  const folder = join(dirname(path), "conf.d");
  let names: Buffer[];
  try {
    names = readdirSync(folder, { encoding: "buffer" });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
  return names
    .sort(Buffer.compare)
    .map((name) => name.toString("utf8"))
    .filter((name) => name.endsWith(".conf") && !name.startsWith("."))
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function readText(file: string): { ok: true; text: string } | { ok: false; problem: string } {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) {
      return {
        ok: false,
        problem: `${file} is larger than 1 MB: this is not a configuration of ZoneMinder.`,
      };
    }
    return { ok: true, text: readFileSync(file, "utf8") };
  } catch (error) {
    return { ok: false, problem: describe(file, error) };
  }
}

function describe(path: string, error: unknown): string {
  const { code, message, path: where } = error as NodeJS.ErrnoException;
  const file = where ?? path;
  switch (code) {
    case "EACCES":
    case "EPERM":
      return (
        `Cannot read ${file}: permission denied. ZoneMinder gives it to the group www-data (apache on Fedora): ` +
        "run zmes as that user, or add its user to that group (usermod -aG www-data USER) and log in again."
      );
    case "ENOENT":
      return (
        `Cannot read ${file}: there is no such file. Name the right one in zoneminder.config; ` +
        "usual places are /etc/zm/zm.conf, /etc/zm.conf and /usr/local/etc/zm.conf."
      );
    case "EISDIR":
      return `Cannot read ${file}: it is a folder. Name the file, such as ${join(file, "zm.conf")}.`;
    default:
      return `Cannot read ${file}: ${message}.`;
  }
}
