// Says how the data directory is made, where a command needs it before the server has been started once.
import { existsSync } from "node:fs";
import { shellWord } from "../lib/command-line.ts";
import { usualUser } from "../lib/privileges.ts";

/** Null where the folder is there: something else is wrong then. */
export function absentDataFolder(folder: string, webUser: string | undefined): string | null {
  if (existsSync(folder)) return null;
  const owner = webUser || usualUser();
  return `${folder} does not exist yet. Make it: sudo zmes setup, or sudo install -d -o ${owner} -g ${owner} -m 750 ${shellWord(folder)}`;
}
