// Reads and replaces one precious text file: whole or not at all, with one copy of what was there before.
import type { BigIntStats } from "node:fs";
import {
  constants,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../lib/errors.ts";

/** What was read, and by what a later change of the file is recognised. */
export interface FileContent {
  readonly text: string;
  readonly stamp: string;
  /** When it was last changed, in ms since 1970. */
  readonly changedAt: number;
}

export interface ReplaceOptions {
  /**
   * Where the new content is put first when the file can only be written in place (a single mounted file, a folder
   * of somebody else): a write that was cut short is completed from there.
   */
  readonly safety: string;
  /** Rights the file gets each time; absent: those it has. */
  readonly mode?: number;
}

/** Rights of a file made anew: the web server's user and group. An existing file keeps the ones it has. */
const NEW_FILE_MODE = 0o640;
const NEW_FOLDER_MODE = 0o750;
/** What the system says where the folder is not ours or the file is a mount of its own. A full disk is not among them. */
const ONLY_IN_PLACE = new Set(["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV"]);

/** The content, or null when there is no such file. Throws what the system says when it cannot be read. */
export async function readText(file: string): Promise<FileContent | null> {
  try {
    const before = await stampOf(file);
    const text = await readFile(file, "utf8");
    return before === null ? null : { text, ...before };
  } catch (failure) {
    if (systemCode(failure) === "ENOENT") return null;
    throw failure;
  }
}

/** The stamp of the file as it is now, without reading it; null when there is none. */
export async function stampOf(file: string): Promise<Pick<FileContent, "stamp" | "changedAt"> | null> {
  try {
    const found = await stat(file, { bigint: true });
    return { stamp: stampFrom(found), changedAt: Number(found.mtimeMs) };
  } catch (failure) {
    if (systemCode(failure) === "ENOENT") return null;
    throw failure;
  }
}

/** A new name does not change it: it can be taken before a file gets its name, when nobody else has it yet. */
function stampFrom({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino}:${size}:${mtimeNs}`;
}

/**
 * Replaces the file: a new one beside it, on the disk before it takes the name, and the old one kept as `.bak`.
 * Rights stay as they are. Returns the stamp of what was written, whatever became of the file since; throws what the
 * system says, and then the old content is there.
 */
export async function replaceFile(file: string, text: string, options: ReplaceOptions): Promise<string> {
  const target = await resolved(file);
  await mkdir(path.dirname(target), { recursive: true, mode: NEW_FOLDER_MODE });
  try {
    return await replaceWhole(target, text, options.mode);
  } catch (failure) {
    if (!ONLY_IN_PLACE.has(systemCode(failure) ?? "") || !(await isWritable(target))) throw failure;
    await rm(`${target}.tmp`, { force: true }).catch(() => undefined);
    await mkdir(path.dirname(options.safety), { recursive: true, mode: NEW_FOLDER_MODE });
    await replaceWhole(options.safety, text, options.mode);
    return await overwrite(target, text);
  }
}

/** Copies the file under a free name beside it, or in the directory given; returns that name. */
export async function setAside(file: string, suffix: string, directory?: string): Promise<string> {
  const target = await resolved(file);
  for (let number = 1; ; number++) {
    const name = `${path.basename(target)}.${suffix}${number === 1 ? "" : `-${number}`}`;
    const aside = path.join(directory ?? path.dirname(target), name);
    if (await exists(aside)) continue;
    if (await copyTo(target, aside)) return aside;
  }
}

/** A copy, not a second name: a file that is later written in place would take it along. False: the name is taken. */
async function copyTo(from: string, to: string): Promise<boolean> {
  const [bytes, { mode }] = await Promise.all([readFile(from), stat(from)]);
  try {
    const handle = await open(to, "wx", 0o600);
    await writeAndSync(handle, bytes, mode).catch(async (failure: unknown) => {
      // On a full disk an empty copy would pass for what was there before.
      await rm(to, { force: true });
      throw failure;
    });
    return true;
  } catch (failure) {
    if (systemCode(failure) === "EEXIST") return false;
    throw failure;
  }
}

async function replaceWhole(target: string, text: string, mode?: number): Promise<string> {
  const temporary = `${target}.tmp`;
  const old = await stat(target).catch(() => null);
  await rm(temporary, { force: true });
  const handle = await open(temporary, "wx", 0o600);
  let stamp: string;
  try {
    stamp = await writeAndSync(handle, Buffer.from(text), mode ?? old?.mode ?? NEW_FILE_MODE, old);
    if (old !== null) await keepOld(target);
    await rename(temporary, target);
  } catch (failure) {
    // On a full disk above all it must not stay.
    await rm(temporary, { force: true });
    throw failure;
  }
  await syncFolder(path.dirname(target));
  return stamp;
}

async function writeAndSync(
  handle: FileHandle,
  bytes: Buffer,
  mode: number,
  owner: { readonly gid: number } | null = null,
): Promise<string> {
  try {
    await handle.writeFile(bytes);
    // The group first: chown takes away some bits of the mode. Who may not give the file away keeps it.
    if (owner !== null) await handle.chown(-1, owner.gid).catch(() => undefined);
    await handle.chmod(mode & 0o777);
    await handle.sync();
    return stampFrom(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/** The file as it is becomes `.bak`: at each moment one of the two names holds whole content. */
async function keepOld(target: string): Promise<void> {
  const next = `${target}.bak.tmp`;
  try {
    await rm(next, { force: true });
    // A second name costs no space; where the file system knows none, a copy is made.
    await link(target, next).catch(() => copyTo(target, next));
    await rename(next, `${target}.bak`);
  } catch {
    // No copy is no reason to lose what is new: the old content stands until the rename.
  }
}

/** Never empties the file first: an empty one would mean that there is nothing. */
async function overwrite(target: string, text: string): Promise<string> {
  const bytes = Buffer.from(text);
  const handle = await open(target, constants.O_WRONLY);
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
    await handle.sync();
    return stampFrom(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/** So that the new name survives a power cut; not every file system can (then nothing more can be done). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}

/** Behind a symbolic link the file it leads to is replaced, not the link. */
async function resolved(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

async function exists(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => null)) !== null;
}

async function isWritable(file: string): Promise<boolean> {
  const handle = await open(file, constants.O_WRONLY).catch(() => null);
  await handle?.close();
  return handle !== null;
}
