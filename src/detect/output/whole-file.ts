// Writes files that others may read at any moment: they see the old one or the new one, never a part of it.
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

/** As ZoneMinder's own files: its web pages may run as another user. */
const MODE = 0o644;
/** Nobody writes one file for so long: what is older was left by a process that was killed. */
const ABANDONED_MS = 600_000;

/** Writes beside the file and renames. A link of that name is replaced, not followed. Rejects with the system's error. */
export async function writeWhole(file: string, content: Buffer | string, now: number): Promise<void> {
  const temporary = await temporaryFor(file, now);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(temporary, flags, MODE);
  try {
    await handle.writeFile(content);
    await handle.chmod(MODE); // whatever the umask is
    await handle.close();
    await rename(temporary, file);
  } catch (failure) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure;
  }
}

/** A name in the same folder that nobody else uses, also not for the same file; removes what was abandoned there. */
export async function temporaryFor(file: string, now: number): Promise<string> {
  const { dir, base } = path.parse(file);
  const prefix = `.zmes-${base}.`;
  for (const name of await readdir(dir).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const left = path.join(dir, name);
    const { mtimeMs } = await stat(left).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs > ABANDONED_MS) await rm(left, { force: true }).catch(() => undefined);
  }
  return path.join(dir, `${prefix}${randomBytes(6).toString("hex")}`);
}
