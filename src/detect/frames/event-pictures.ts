// Pictures of an event that lies on this machine: the files ZoneMinder writes, else cut from the event's video.
import { type FileHandle, readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FrameId } from "../../domain/detection.ts";
import type { EventSource } from "../../domain/detection-source.ts";
import type { Clock } from "../../lib/clock.ts";
import { reasonOf } from "../../lib/errors.ts";
import { bytesAt, folderInside, isWholePicture, openRegular, readSteadily } from "../../lib/steady-file.ts";
import { type CutPosition, cutPicture } from "./video.ts";

export interface LocalDeps {
  readonly ffmpeg: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long what an open event does not have yet is waited for, in ms. */
  readonly patienceMs: number;
}

/** An event on this machine: `root` is known. */
export type LocalSource = EventSource & { readonly root: string };

export interface RawPicture {
  readonly bytes: Buffer;
  /** For messages: "snapshot.jpg of event 5". */
  readonly label: string;
}

/** Files come within milliseconds of the event on fast disks, a second and more on slow ones. */
const LOOK_EVERY_MS = 60;
/** Larger than any frame of a camera. */
const LARGEST_BYTES = 32 * 1024 * 1024;

/** True as soon as one of the folders is there; waits for it while the event is open. */
export async function hasFolder(source: LocalSource, deps: LocalDeps): Promise<boolean> {
  const until = deps.clock.monotonic() + deps.patienceMs;
  for (;;) {
    if ((await foldersOf(source)).length > 0) return true;
    if (!source.isOpen || deps.clock.monotonic() >= until) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal: deps.signal });
  }
}

/**
 * The pictures that may be used for this frame, best first, each read only when it is asked for: the file, once it is
 * whole; a file that never got its end (the decoder may know better); a picture cut from the video. Throws an Error that
 * says what is missing when there is nothing more.
 */
export async function* localPictures(
  source: LocalSource,
  id: FrameId,
  deps: LocalDeps,
): AsyncGenerator<RawPicture> {
  const wanted = namesOf(source, id);
  const found = await patientLook(source, wanted, deps);
  if (found !== null) yield found;
  let why = `${wanted.names[0]} of event ${source.event} is ${found === null ? "not there" : "not whole"}`;
  if (wanted.frame !== null) {
    const cut = await fromVideo(source, wanted.frame, deps).catch((failure: unknown) => {
      deps.signal.throwIfAborted();
      why += `, and frame ${wanted.frame} cannot be cut from its video: ${reasonOf(failure)}`;
      return null;
    });
    if (cut !== null) yield cut;
  }
  throw new Error(why);
}

interface Wanted {
  /** Files, best first. */
  readonly names: readonly string[];
  /** The frame that could be cut from the video instead; null: not known. */
  readonly frame: number | null;
}

function namesOf(source: EventSource, id: FrameId): Wanted {
  const { alarmFrame, bestFrame } = source;
  const capture = (frame: number | null): readonly string[] =>
    frame === null ? [] : [frameFile(source, frame)];
  if (id === "alarm") return { names: ["alarm.jpg", ...capture(alarmFrame)], frame: alarmFrame };
  if (id === "snapshot") return { names: ["snapshot.jpg", ...capture(bestFrame)], frame: bestFrame };
  const frame = Number(id);
  return { names: [frameFile(source, frame), frameFile(source, frame, "analyse")], frame };
}

function frameFile({ digits }: EventSource, frame: number, kind = "capture"): string {
  return `${String(frame).padStart(digits, "0")}-${kind}.jpg`;
}

/** The first whole file; at the end of all patience one that has no end, or null. */
async function patientLook(source: LocalSource, wanted: Wanted, deps: LocalDeps): Promise<RawPicture | null> {
  const until = deps.clock.monotonic() + deps.patienceMs;
  for (;;) {
    const look = await lookOnce(source, wanted.names);
    if (look.whole !== null) return look.whole;
    const isLast = !source.isOpen || deps.clock.monotonic() >= until;
    if (isLast || (look.torn === null && !(await mayCome(source, wanted)))) return look.torn;
    await sleep(LOOK_EVERY_MS, undefined, { signal: deps.signal });
  }
}

async function lookOnce(
  source: LocalSource,
  names: readonly string[],
): Promise<{ readonly whole: RawPicture | null; readonly torn: RawPicture | null }> {
  const folders = await foldersOf(source);
  let torn: RawPicture | null = null;
  for (const name of names) {
    for (const folder of folders) {
      const read = await readSteadily(path.join(folder, name), LARGEST_BYTES, (handle, size) =>
        bytesAt(handle, 0, size),
      );
      if (read === null || read.value.length === 0) continue;
      const picture = { bytes: read.value, label: `${name} of event ${source.event}` };
      if (isWholePicture(read.value, read.value)) return { whole: picture, torn };
      torn ??= picture;
    }
  }
  return { whole: null, torn };
}

/** Frames of an event that is kept as video alone never come as files: its first one is not there, but others are. */
async function mayCome(source: LocalSource, { names }: Wanted): Promise<boolean> {
  if (names[0] === "alarm.jpg" || names[0] === "snapshot.jpg") return true;
  const first = await lookOnce(source, [frameFile(source, 1)]);
  if (first.whole !== null || first.torn !== null) return true;
  return (await lookOnce(source, ["snapshot.jpg", "alarm.jpg"])).whole === null;
}

/** The folders of the event that are there. */
export async function foldersOf({ root, folders }: LocalSource): Promise<readonly string[]> {
  const inside = await Promise.all(folders.map((folder) => folderInside(root, folder)));
  return inside.filter((folder) => folder !== null);
}

/** Null when there is no video. */
async function fromVideo(source: LocalSource, frame: number, deps: LocalDeps): Promise<RawPicture | null> {
  const video = await openVideo(source);
  if (video === null) return null;
  try {
    const position = positionOf(source, frame);
    const bytes = await cutPicture(video, position, { ...deps, stepsBack: true });
    if (bytes === null) throw new Error("there is no picture there");
    return { bytes, label: `frame ${frame} in the video of event ${source.event}` };
  } finally {
    await video.close().catch(() => undefined);
  }
}

/**
 * `DefaultVideo` is empty, stale or a playlist while ZoneMinder records (it differs between 1.34, 1.36, 1.38 and 1.39), and
 * the file is renamed when the event is closed: what it names if it is there, else what looks like the video.
 */
export async function openVideo(source: LocalSource): Promise<FileHandle | null> {
  for (const folder of await foldersOf(source)) {
    const files = (await readdir(folder).catch(() => [])).filter((name) => VIDEO.test(name)).sort();
    const named = files.filter((name) => name === source.video);
    const final = files.filter((name) => name.startsWith(`${source.event}-video.`));
    const growing = files.filter((name) => name.startsWith("incomplete."));
    for (const name of [...named, ...final, ...growing]) {
      const handle = await openRegular(path.join(folder, name));
      if (handle !== null) return handle;
    }
  }
  return null;
}

const VIDEO = /\.(?:mp4|m4v|mov|mkv|webm|avi|ts)$/i;

/** Where the frame is in the video: by its time if that is known or lies between known ones, else by its number. */
export function positionOf({ frameTimes }: EventSource, frame: number): CutPosition {
  const own = frameTimes[frame];
  if (own !== undefined) return { seconds: Math.max(0, own) };
  // ZoneMinder keeps rows of frames without alarm only now and then ("Bulk"): the time between is even.
  const known = Object.entries(frameTimes)
    .map(([number, seconds]) => ({ number: Number(number), seconds }))
    .sort((one, other) => one.number - other.number);
  const before = known.findLast(({ number }) => number < frame);
  const after = known.find(({ number }) => number > frame);
  if (before === undefined || after === undefined) return { index: Math.max(0, frame - 1) };
  const share = (frame - before.number) / (after.number - before.number);
  return { seconds: Math.max(0, before.seconds + share * (after.seconds - before.seconds)) };
}
