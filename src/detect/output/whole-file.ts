// Writes files that others may read at any moment: they see the old one or the new one, never a part of it.
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";

/** As ZoneMinder's own files: its web pages may run as another user. */
const MODE = 0o644;

/**
 * Writes beside the file and renames. A link of that name is replaced, not followed; what an earlier run left half done is
 * removed. Rejects with the system's error.
 */
export async function writeWhole(file: string, content: Buffer | string): Promise<void> {
  const temporary = temporaryFor(file);
  await rm(temporary, { force: true });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(temporary, flags, MODE);
  try {
    await handle.writeFile(content);
    await handle.close();
    await rename(temporary, file);
  } catch (failure) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure;
  }
}

/** Always the same name, so that what a killed process left does not pile up; its ending tells programs what it becomes. */
export function temporaryFor(file: string): string {
  const { dir, base } = path.parse(file);
  return path.join(dir, `.zmes-${base}`);
}
