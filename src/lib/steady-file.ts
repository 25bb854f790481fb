// Reads files that another program may be writing: regular ones only, of bounded size, and unchanged meanwhile.
import { constants, type FileHandle, open, realpath } from "node:fs/promises";
import path from "node:path";

export interface SteadyRead<T> {
  readonly value: T;
  /** Changes whenever the file does. */
  readonly stamp: string;
}

/**
 * What `look` makes of the open file; null when there is no such regular file, when it is larger than `mostBytes`, when it
 * changed meanwhile, or when `look` says null or fails. Never throws.
 */
export async function readSteadily<T>(
  file: string,
  mostBytes: number,
  look: (handle: FileHandle, size: number) => Promise<T | null>,
): Promise<SteadyRead<T> | null> {
  const handle = await openRegular(file);
  if (handle === null) return null;
  try {
    const before = await handle.stat({ bigint: true });
    if (before.size > BigInt(mostBytes)) return null;
    const value = await look(handle, Number(before.size));
    const after = await handle.stat({ bigint: true });
    const stamp = `${before.ino}:${before.size}:${before.mtimeNs}`;
    if (value === null || `${after.ino}:${after.size}:${after.mtimeNs}` !== stamp) return null;
    return { value, stamp: `${file}:${stamp}` };
  } catch {
    return null;
  } finally {
    await handle.close().catch(() => undefined);
  }
}

/** Opens a regular file for reading and nothing else; null when it is none. */
export async function openRegular(file: string): Promise<FileHandle | null> {
  // No link, so that nothing outside its folder is read; without waiting, because a pipe would wait for ever.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => null);
  if (handle === null) return null;
  if ((await handle.stat().catch(() => null))?.isFile() === true) return handle;
  await handle.close().catch(() => undefined);
  return null;
}

/** The real path of a folder below `root`, or null when it is not there or leads out of it. */
export async function folderInside(root: string, folder: string): Promise<string | null> {
  try {
    const [top, inside] = await Promise.all([realpath(root), realpath(path.join(root, folder))]);
    return inside.startsWith(top === "/" ? top : `${top}/`) ? inside : null;
  } catch {
    return null;
  }
}

/** Up to `length` bytes from there. */
export async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** A JPEG from its first to its last marker (ITU T.81), or a GIF with its trailer: nothing is missing at the end. */
export function isWholePicture(head: Buffer, tail: Buffer): boolean {
  if (head[0] === 0xff && head[1] === 0xd8) return tail.at(-2) === 0xff && tail.at(-1) === 0xd9;
  return head.toString("latin1", 0, 4) === "GIF8" && tail.at(-1) === 0x3b;
}
