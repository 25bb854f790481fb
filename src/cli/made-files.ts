// The list of what zmes itself put on the machine outside its package: removing the package removes this, and nothing else.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { systemCode } from "../lib/errors.ts";

/**
 * What kind of thing it is decides how it goes: a `daemon` gives its place back to the original, a `file` is deleted,
 * a `dir` is deleted when it is empty.
 */
export type MadeKind = "daemon" | "file" | "dir";

/** Belongs to root, unlike the data directory: whoever can write here decides what root deletes. */
export const MADE_FILES = "/var/lib/zmes/made-files";

/** Adds a line to the list, once. Only for absolute paths. Throws the system's error where it cannot be written. */
export function noteMade(kind: MadeKind, file: string, list: string = MADE_FILES): void {
  const line = `${kind} ${file}`;
  const lines = read(list);
  if (!lines.includes(line)) write(list, [...lines, line]);
}

/** Takes a line off the list: the thing is gone, or belongs to somebody else again. */
export function forgetMade(kind: MadeKind, file: string, list: string = MADE_FILES): void {
  const lines = read(list);
  const left = lines.filter((line) => line !== `${kind} ${file}`);
  if (left.length < lines.length) write(list, left);
}

function read(list: string): readonly string[] {
  try {
    return readFileSync(list, "utf8").split("\n").slice(0, -1);
  } catch (failure) {
    if (systemCode(failure) === "ENOENT") return [];
    throw failure;
  }
}

function write(list: string, lines: readonly string[]): void {
  mkdirSync(path.dirname(list), { recursive: true, mode: 0o755 });
  const temporary = `${list}.new`;
  writeFileSync(temporary, lines.map((line) => `${line}\n`).join(""), { mode: 0o644 });
  renameSync(temporary, list);
}
