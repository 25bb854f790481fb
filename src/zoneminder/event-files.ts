// Finds the picture of an event on the disk: what was asked for, after a short wait the best there is.
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventId } from "../domain/alarm.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { PictureKind } from "../domain/picture.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import { bytesAt, folderInside, isWholePicture, readSteadily } from "../lib/steady-file.ts";
import { DatabaseUnavailable, type Queries } from "./database.ts";
import { createEventFolders, type EventPlace } from "./event-folder.ts";
import type { SchemaSource } from "./schema.ts";

export interface EventFiles {
  /**
   * The folder of an event, as ZoneMinder names it. ZoneMinder makes it a moment after the alarm: waited for briefly,
   * and named all the same when it does not come. Null when nobody knows.
   */
  folder(event: EventId): Promise<string | null>;
  /**
   * A whole picture of the event, or null: no such event of this monitor, or no picture of it. "unknown": ZoneMinder's database
   * is away, and nobody else knows where the event is. Never throws.
   */
  find(wanted: WantedFile): Promise<EventPicture | "unknown" | null>;
}

interface WantedFile {
  readonly event: EventId;
  readonly monitor: MonitorId;
  readonly kind: PictureKind;
}

interface EventPicture {
  /** Changes whenever the file does. */
  readonly stamp: string;
  /** The bytes, JPEG or GIF; null when ZoneMinder is just writing them again. */
  read(): Promise<Buffer | null>;
}

export interface EventFilesDeps {
  readonly database: Queries;
  readonly schema: SchemaSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long what is not on the disk yet is waited for. */
  readonly waitMs?: number;
}

/** The first frame takes milliseconds on a fast disk, up to a second and more with slow ones and x264. */
const WAIT_MS = 3_000;
const LOOK_EVERY_MS = 60;
/** The row of a new event comes within milliseconds of its number (facts of 1.30 to 1.39). */
const ROW_WAIT_MS = 500;
/** Rows trail the files by a second, and storages change while an event is begun (from 1.36.15). */
const ASK_EVERY_MS = 500;
/** Larger than any frame of a camera. */
const LARGEST_BYTES = 32 * 1024 * 1024;

/** Builds it; nothing is read before the first question. */
export function createEventFiles(deps: EventFilesDeps): EventFiles {
  const { database, schema, clock, logger, waitMs = WAIT_MS } = deps;
  const folders = createEventFolders(deps);

  return {
    async folder(event) {
      const begun = clock.monotonic();
      for (;;) {
        const place = await locate(event, begun);
        if (place === null || place === "unknown") return null;
        for (const folder of place.folders)
          if ((await folderInside(place.root, folder)) !== null) return path.join(place.root, folder);
        if (!place.isOpen || clock.monotonic() - begun >= waitMs)
          return path.join(place.root, place.folders[0] ?? "");
        await sleep(LOOK_EVERY_MS);
      }
    },
    async find(wanted) {
      try {
        return await search(wanted);
      } catch (error) {
        logger.warn({ err: error }, `The picture of event ${wanted.event} could not be looked for`);
        return null;
      }
    },
  };

  async function search({ event, monitor, kind }: WantedFile): Promise<EventPicture | "unknown" | null> {
    const begun = clock.monotonic();
    const { first, instead } = candidates(kind);
    const located = await locate(event, begun);
    if (located === "unknown") return located;
    let place = located;
    let askedAt = Number.NEGATIVE_INFINITY;
    while (place !== null && place.monitor === monitor) {
      const now = clock.monotonic();
      const isLast = !place.isOpen || now - begun >= waitMs;
      const asks = isLast || now - askedAt >= ASK_EVERY_MS;
      const found = await firstOf(place, isLast ? [...first, ...instead] : first, asks);
      if (found !== null || isLast) return found;
      if (asks) {
        askedAt = now;
        const again = await folders.locate(event);
        if (again !== null && again !== "unknown") place = again;
      }
      await sleep(LOOK_EVERY_MS);
    }
    return null;
  }

  async function locate(event: EventId, begun: number): Promise<EventPlace | "unknown" | null> {
    for (;;) {
      const place = await folders.locate(event);
      const isFound = place !== null && place !== "unknown";
      if (isFound || clock.monotonic() - begun >= ROW_WAIT_MS) return place;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The first of them that is there and whole. Frames that only the database can name are looked up if `asks`. */
  async function firstOf(
    place: EventPlace,
    names: readonly Candidate[],
    asks: boolean,
  ): Promise<EventPicture | null> {
    for (const folder of place.folders) {
      const inside = await folderInside(place.root, folder);
      if (inside === null) continue;
      for (const candidate of names) {
        const name =
          typeof candidate === "string"
            ? candidate
            : await frameName(place, candidate, asks).catch(unlessAway);
        const picture = name === null ? null : await wholePicture(path.join(inside, name));
        if (picture !== null) return picture;
      }
    }
    return null;
  }

  async function frameName(place: EventPlace, { frame }: Frame, asks: boolean): Promise<string | null> {
    if (typeof frame === "string" && !asks) return null;
    const known = await schema();
    const number = typeof frame === "number" ? frame : await askFrame(place.event, frame);
    if (number === null) return null;
    const digits = Number(known.setting("ZM_EVENT_IMAGE_DIGITS"));
    const width = Number.isInteger(digits) && digits >= 1 && digits <= 10 ? digits : USUAL_DIGITS;
    return `${String(number).padStart(width, "0")}-capture.jpg`;
  }

  async function askFrame(event: EventId, which: "alarm" | "score"): Promise<number | null> {
    const rows = await database.query<{ FrameId: number }>(
      `SELECT FrameId FROM Frames WHERE EventId = ? ${ORDERS[which]} LIMIT 1`,
      [event],
    );
    return rows[0]?.FrameId ?? null;
  }
}

/** What only the database can name is not there while it is away; something else may be. */
function unlessAway(failure: unknown): null {
  if (failure instanceof DatabaseUnavailable) return null;
  throw failure;
}

const USUAL_DIGITS = 5;
const ORDERS = { alarm: "AND Type = 'Alarm' ORDER BY FrameId", score: "ORDER BY Score DESC, FrameId" };

/** A frame's own file: by its number, the first of the alarm, or the one with the highest score. */
interface Frame {
  readonly frame: number | "alarm" | "score";
}

type Candidate = string | Frame;

// ZoneMinder 1.32 and older have neither alarm.jpg nor, where they keep all frames, snapshot.jpg.
const ALARM: readonly Candidate[] = ["alarm.jpg", { frame: "alarm" }];
const SNAPSHOT: readonly Candidate[] = ["snapshot.jpg", { frame: "score" }];
const ANY: readonly Candidate[] = [{ frame: 1 }];

/** What is waited for, and what is better than nothing. */
function candidates(kind: PictureKind): {
  readonly first: readonly Candidate[];
  readonly instead: readonly Candidate[];
} {
  switch (kind) {
    case "best":
      return { first: ["objdetect.jpg", ...ALARM], instead: [...SNAPSHOT, ...ANY] };
    case "alarm":
      return { first: ALARM, instead: [...SNAPSHOT, ...ANY] };
    case "snapshot":
      return { first: SNAPSHOT, instead: [...ALARM, ...ANY] };
    case "objdetect":
    case "objdetect_gif":
      return { first: ["objdetect.gif", "objdetect.jpg"], instead: [...SNAPSHOT, ...ALARM, ...ANY] };
    // A moving picture cannot be shown in a notification: the still one of the same hook stands in for it.
    case "objdetect_mp4":
    case "objdetect_jpg":
      return { first: ["objdetect.jpg", "objdetect.gif"], instead: [...SNAPSHOT, ...ALARM, ...ANY] };
    default:
      return { first: [{ frame: kind }], instead: [...ALARM, ...SNAPSHOT, ...ANY] };
  }
}

/** Null unless the file is there and its end is as it should be: zmc writes in place, and readers see halves. */
async function wholePicture(file: string): Promise<EventPicture | null> {
  const found = await readSteadily(file, LARGEST_BYTES, async (handle, size) => {
    const head = await bytesAt(handle, 0, 4);
    const tail = await bytesAt(handle, Math.max(0, size - 2), 2);
    return isWholePicture(head, tail) || null;
  });
  if (found === null) return null;
  return {
    stamp: found.stamp,
    async read() {
      const read = await readSteadily(file, LARGEST_BYTES, async (handle, size) => {
        const bytes = await bytesAt(handle, 0, size);
        return isWholePicture(bytes, bytes) ? bytes : null;
      });
      return read?.value ?? null;
    },
  };
}
