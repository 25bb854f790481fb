// How this program is typed: the commands that messages name are to be copied as they are.
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { shellWord } from "../lib/command-line.ts";

/**
 * "zmes" where that is found on the PATH and is this program; else its path, from `current` when that is the program's own
 * folder. Without a PATH nothing can be said, and "zmes" is what the documents say.
 */
export function typedName(
  env: Readonly<Record<string, string | undefined>>,
  current = process.cwd(),
  root = PROGRAM_FOLDER,
): string {
  const own = path.join(root, "bin/zmes");
  if (env.PATH === undefined || !existsSync(own) || isOnPath(own, env.PATH)) return "zmes";
  return shellWord(root === current ? "bin/zmes" : own);
}

/** Commands after `sudo` or a backquote: anywhere else "zmes" is the program of which a sentence speaks. */
export function asTyped(text: string, name: string): string {
  return text.replace(/(?<=`|\bsudo )zmes (?=[a-z-])/g, () => `${name} `);
}

/** This file lies two folders below the program's, in src/cli and in dist/cli. */
const PROGRAM_FOLDER = path.join(import.meta.dirname, "../..");

/** The first `zmes` there is what a shell takes. */
function isOnPath(own: string, folders: string): boolean {
  const candidates = folders.split(path.delimiter).map((folder) => path.join(folder, "zmes"));
  const first = candidates.find((file) => existsSync(file));
  return first !== undefined && realpathSync(first) === realpathSync(own);
}
