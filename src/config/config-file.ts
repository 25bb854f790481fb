// Reads a file of settings from disk, as INI or YAML by its name or, failing that, its first line.
import { readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import { readIni } from "./ini-file.ts";
import type { RawFile } from "./raw-file.ts";
import { readYaml } from "./yaml-file.ts";

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly absent: boolean; readonly why: string };

/**
 * The text of a file, or why there is none in words. Never throws. A pipe (`--config <(...)`) is waited for: what is
 * read while cameras are watched must be none.
 */
export function readTextFile(path: string, { mayBePipe } = { mayBePipe: true }): FileText {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return { ok: false, absent: false, why: "it is a folder" };
    if (!stat.isFile() && !(mayBePipe && stat.isFIFO()))
      return { ok: false, absent: false, why: "it is not a file" };
    if (stat.size > MAX_BYTES)
      return { ok: false, absent: false, why: `it is larger than ${MAX_BYTES} bytes` };
    return { ok: true, text: readFileSync(path, "utf8") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return { ok: false, absent: code === "ENOENT" || code === "ENOTDIR", why: REASONS[code] ?? code };
  }
}

/** True for a file that is read as INI. */
export function isIni(path: string, text: string): boolean {
  const extension = extname(path).toLowerCase();
  if (extension === ".ini") return true;
  if (extension === ".yml" || extension === ".yaml") return false;
  const first = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .find((line) => !/^\s*([#;].*)?$/.test(line));
  return first !== undefined && /^\s*(\[.*\]\s*$|[^:]*=)/.test(first);
}

/** Reads the text in the form its file has. */
export function parseConfigFile(path: string, text: string): RawFile {
  return isIni(path, text) ? readIni(text) : readYaml(text);
}

// The fullest configuration known is under 50 KB; who names a video by mistake should learn so at once.
const MAX_BYTES = 4_194_304;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "it does not exist",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "its symbolic links go in a circle",
};
