// The key that signs picture links: one file for our user alone, made on the first start, exchanged on request.
import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { reasonOf, systemCode } from "../lib/errors.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";

export interface KeyFile extends Part {
  /** The key as it was when last looked at; what signs does not wait for the disk. */
  current(): Buffer;
  /** Looks whether the file was exchanged meanwhile. Never throws: what is known then stays. */
  refresh(): Promise<Buffer>;
}

export interface KeyFileOptions {
  readonly directory: string;
  readonly logger: Logger;
}

/** As long as the hash that uses it (RFC 2104, 3). */
const KEY_BYTES = 32;
const MODE = 0o600;
const NAME = "picture-links.key";
/** Links signed with the old key meanwhile are void; it is asked again at every request besides. */
const LOOK_EVERY_MS = 5_000;

/** Builds it; until `start` it signs with a key of its own that nobody will ever know. */
export function createKeyFile({ directory, logger }: KeyFileOptions): KeyFile {
  const file = path.join(directory, NAME);
  let key: Buffer = randomBytes(KEY_BYTES);
  let stamp = "";
  let timer: NodeJS.Timeout | null = null;

  return {
    name: "picture key",
    async start() {
      try {
        if ((await read()) === null) key = await writeKey(file);
        await read();
      } catch (failure) {
        logger.warn(
          `The key of picture links cannot be kept in ${file}: ${reasonOf(failure)}. Links are void after a restart.`,
        );
      }
      timer = setInterval(() => void refresh(), LOOK_EVERY_MS).unref();
    },
    async stop() {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
    current: () => key,
    refresh,
  };

  async function refresh(): Promise<Buffer> {
    await read().catch(() => null);
    return key;
  }

  /** Null when there is no key in the file. */
  async function read(): Promise<Buffer | null> {
    const now = await stampOf(file);
    if (now === null) return null;
    if (now === stamp) return key;
    stamp = now;
    const found = Buffer.from((await readFile(file, "utf8")).trim(), "base64url");
    if (found.length !== KEY_BYTES) {
      logger.warn(`${file} holds no key: a new one is made, and older picture links are void`);
      return null;
    }
    key = found;
    return key;
  }
}

/** Makes a new key: every link signed with the old one is void at once, also in the running server. */
export async function rotateKey(directory: string): Promise<void> {
  await writeKey(path.join(directory, NAME));
}

async function writeKey(file: string): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  const temporary = `${file}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, "wx", MODE);
  try {
    await handle.writeFile(`${key.toString("base64url")}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return key;
}

async function stampOf(file: string): Promise<string | null> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch (failure) {
    if (systemCode(failure) === "ENOENT") return null;
    throw failure;
  }
}
