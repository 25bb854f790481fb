// Makes the JPEG that is shown: finds the picture, makes it smaller, and remembers a few of them.
import type { EventId } from "../domain/alarm.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { PictureKind, WantedPicture } from "../domain/picture.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";

/** Where the pictures of events come from. */
export interface PictureSource {
  /** A whole picture; null when there is none, "unknown" when nobody can say now. Never throws. */
  find(wanted: {
    readonly event: EventId;
    readonly monitor: MonitorId;
    readonly kind: PictureKind;
  }): Promise<FoundPicture | "unknown" | null>;
}

interface FoundPicture {
  /** Changes whenever the picture does. */
  readonly stamp: string;
  /** JPEG or GIF; null when it is just being written again. */
  read(): Promise<Buffer | null>;
}

interface PictureOf extends WantedPicture {
  readonly event: EventId;
  readonly monitor: MonitorId;
}

export interface PictureMaker {
  /** A JPEG, or null when there is none. Throws `NotNow` when too many are being made, or when nobody can say. */
  make(wanted: PictureOf): Promise<Buffer | null>;
}

/** Worth another try in a moment; the message says why, in words for whoever asks. */
export class NotNow extends Error {}

const TOO_BUSY = "Too many pictures are asked for at once.";
const DATABASE_AWAY = "ZoneMinder's database does not answer, so it is not known where the picture is.";
/** Two cores are usual, and the cameras need one of them. */
const CONCURRENCY = 2;
/** As many wait their turn; a picture takes about 30 ms, so nobody waits for more than a second or two. */
const WAITING = 64;
/** Where it is looked for costs next to nothing, but takes up to three seconds. */
const SEARCHING = 256;
/** About 150 pictures for phones. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** 8K is 33 million; more would be a bomb. */
const INPUT_PIXELS = 50_000_000;
/** What is just being written again is whole a moment later. */
const ATTEMPTS = 3;
const QUALITY = 80;

export function createPictureMaker({
  source,
  logger,
}: {
  readonly source: PictureSource;
  readonly logger: Logger;
}): PictureMaker {
  const cache = createByteCache(CACHE_BYTES);
  const making = new Map<string, Promise<Buffer | null>>();
  const turns: (() => void)[] = [];
  let searching = 0;
  let running = 0;

  return {
    async make(wanted) {
      if (searching >= SEARCHING) throw new NotNow(TOO_BUSY);
      searching += 1;
      try {
        return await attempts(wanted);
      } finally {
        searching -= 1;
      }
    },
  };

  async function attempts(wanted: PictureOf): Promise<Buffer | null> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const found = await source.find(wanted);
      if (found === "unknown") throw new NotNow(DATABASE_AWAY);
      if (found === null) return null;
      // The file's stamp is part of it: a snapshot that got better is another picture.
      const key = `${found.stamp}:${wanted.width}`;
      const made = cache.get(key) ?? (await shared(key, () => inTurn(() => convert(found, wanted.width))));
      if (made !== null) {
        cache.put(key, made);
        return made;
      }
    }
    return null;
  }

  /** Twenty phones that ask for the same picture at once cost one. */
  async function shared(key: string, work: () => Promise<Buffer | null>): Promise<Buffer | null> {
    const pending = making.get(key) ?? work();
    making.set(key, pending);
    try {
      return await pending;
    } finally {
      making.delete(key);
    }
  }

  async function inTurn(work: () => Promise<Buffer | null>): Promise<Buffer | null> {
    if (turns.length >= WAITING) throw new NotNow(TOO_BUSY);
    if (running >= CONCURRENCY) await new Promise<void>((resolve) => turns.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = turns.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  async function convert(found: FoundPicture, width: number): Promise<Buffer | null> {
    const bytes = await found.read();
    if (bytes === null) return null;
    try {
      return await smaller(bytes, width);
    } catch (failure) {
      logger.debug(`A picture cannot be used: ${reasonOf(failure)}`);
      return null;
    }
  }
}

/** The library is loaded with the first picture: many installations never make one, and it takes 20 MB. */
async function smaller(bytes: Buffer, width: number): Promise<Buffer> {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp(bytes, { limitInputPixels: INPUT_PIXELS, failOn: "truncated", pages: 1 })
    .resize({ width, withoutEnlargement: true })
    .flatten({ background: "#000000" })
    .jpeg({ quality: QUALITY })
    .toBuffer();
}

/** Keeps what was used last, up to so many bytes. */
function createByteCache(limit: number) {
  const kept = new Map<string, Buffer>();
  let bytes = 0;
  return {
    get(key: string): Buffer | null {
      const found = kept.get(key);
      if (found === undefined) return null;
      kept.delete(key);
      kept.set(key, found);
      return found;
    },
    put(key: string, value: Buffer): void {
      if (kept.has(key) || value.length > limit) return;
      kept.set(key, value);
      bytes += value.length;
      for (const [oldest, its] of kept) {
        if (bytes <= limit) break;
        kept.delete(oldest);
        bytes -= its.length;
      }
    },
  };
}
