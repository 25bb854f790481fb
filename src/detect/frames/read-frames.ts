// The pictures of an event or a file, one after the other, each read when it is asked for, as patiently as the settings say.
import { setTimeout as sleep } from "node:timers/promises";
import type { FrameSettings } from "../../domain/detect-settings.ts";
import type { FrameId } from "../../domain/detection.ts";
import type { EventSource, FileSource } from "../../domain/detection-source.ts";
import type { Clock } from "../../lib/clock.ts";
import { reasonOf } from "../../lib/errors.ts";
import { type Frame, openFrame } from "../picture/frame.ts";
import { hasFolder, type LocalDeps, localPictures, type RawPicture } from "./event-pictures.ts";
import { filePictures } from "./file-pictures.ts";
import type { Portal, Portals } from "./portal.ts";

/** A picture that could not be had, in words for people. */
export interface FrameTrouble {
  readonly trouble: string;
}

export interface FrameDeps {
  /** The program, such as "ffmpeg". */
  readonly ffmpeg: string;
  readonly portals: Portals;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long what an open event does not have yet is waited for, in ms, at each attempt. */
  readonly patienceMs?: number;
}

/** Folder and files come within milliseconds, on slow disks and with slow encoders within seconds. */
const PATIENCE_MS = 3_000;

/**
 * Yields each picture of the frame set, in its order, and a word for each that could not be had. Pictures with the same
 * bytes as an earlier one are left out. While the event is open, a snapshot that ZoneMinder has replaced since is
 * yielded again at the end. Throws only when it is aborted.
 */
export async function* readFrames(
  source: EventSource | FileSource,
  settings: FrameSettings,
  deps: FrameDeps,
): AsyncGenerator<Frame | FrameTrouble> {
  await pause(settings.waitMs, deps);
  const steps =
    source.kind === "file" ? fileSteps(source, settings, deps) : eventSteps(source, settings, deps);
  const yielded: Frame[] = [];
  let errors = 0;
  for await (const step of steps) {
    if ("trouble" in step) {
      yield step;
      errors += 1;
      if (errors < Math.max(1, settings.contiguousErrors)) continue;
      if (errors > 1) yield { trouble: `${errors} pictures in a row could not be read: no more were tried` };
      return;
    }
    errors = 0;
    if (yielded.some((each) => each.file.equals(step.file))) continue;
    yielded.push(step);
    yield step;
    if (settings.maxFrames !== null && yielded.length >= settings.maxFrames) return;
  }
}

async function* fileSteps(
  source: FileSource,
  settings: FrameSettings,
  deps: FrameDeps,
): AsyncGenerator<Frame | FrameTrouble> {
  try {
    for await (const picture of filePictures(source, settings, deps))
      yield await opened(picture, picture.id, settings).catch(troubleOf);
  } catch (failure) {
    deps.signal.throwIfAborted();
    yield troubleOf(failure);
  }
}

async function* eventSteps(
  source: EventSource,
  settings: FrameSettings,
  deps: FrameDeps,
): AsyncGenerator<Frame | FrameTrouble> {
  const reader = await readerFor(source, settings, deps);
  if ("trouble" in reader) return yield reader;
  const looks = new Map<string, number>();
  let hasSnapshot = false;
  for (const [at, wanted] of settings.frameSet.entries()) {
    const before = looks.get(wanted) ?? 0;
    if (at > 0) await pause(settings.delayBetweenFramesMs, deps);
    if (before > 0) await pause(settings.delayBetweenSnapshotsMs, deps);
    looks.set(wanted, before + 1);
    const step = await attempts(reader, idsFor(wanted, source, settings), settings, deps);
    hasSnapshot ||= "id" in step && step.id === "snapshot";
    yield step;
  }
  if (!source.isOpen || !hasSnapshot || (looks.get("snapshot") ?? 0) > 1) return;
  await pause(settings.delayBetweenSnapshotsMs, deps);
  // It was seen once: that it cannot be read just now is no news.
  const again = await reader.read("snapshot").catch(() => null);
  deps.signal.throwIfAborted();
  if (again !== null) yield again;
}

interface Reader {
  /** Reads one frame; rejects with an Error that says why it could not. */
  read(id: FrameId): Promise<Frame>;
  /** What is not there now will not come: no second attempts. */
  readonly isFinal: boolean;
}

async function readerFor(
  source: EventSource,
  settings: FrameSettings,
  deps: FrameDeps,
): Promise<Reader | FrameTrouble> {
  const { event, root, isOpen } = source;
  if (root !== null) {
    const local = { ...source, root };
    const patient: LocalDeps = { ...deps, patienceMs: deps.patienceMs ?? PATIENCE_MS };
    if (settings.portal === null || (await hasFolder(local, patient))) {
      const read = (id: FrameId) => firstThatOpens(localPictures(local, id, patient), id, settings);
      return { isFinal: !isOpen, read };
    }
  }
  if (settings.portal === null)
    return {
      trouble: `The pictures of event ${event} are not on this machine, and no portal is configured to ask for them`,
    };
  let pages: Portal;
  try {
    pages = deps.portals(settings.portal);
  } catch (failure) {
    return { trouble: `The portal cannot be asked for pictures: ${reasonOf(failure)}` };
  }
  return {
    isFinal: false,
    async read(id) {
      const bytes = await pages.picture(event, id, deps.signal);
      return opened({ bytes, label: `${id} of event ${event}` }, id, settings);
    },
  };
}

/** What one word of the frame set means, best first. */
function idsFor(wanted: string, source: EventSource, settings: FrameSettings): readonly FrameId[] {
  if (wanted !== "snapshot" || !settings.convertSnapshotToFrame || source.bestFrame === null) return [wanted];
  // That frame is often not on the disk yet: the snapshot shows it, or one nearly as good.
  return [String(source.bestFrame), "snapshot"];
}

async function attempts(
  reader: Reader,
  ids: readonly FrameId[],
  settings: FrameSettings,
  deps: FrameDeps,
): Promise<Frame | FrameTrouble> {
  const bad = ids.find((id) => id !== "alarm" && id !== "snapshot" && !/^[1-9]\d{0,9}$/.test(id));
  if (bad !== undefined)
    return { trouble: `"${bad}" in frame_set is no picture: use snapshot, alarm, or the number of a frame` };
  const most = reader.isFinal ? 1 : Math.max(1, settings.maxAttempts);
  let why = "";
  for (let attempt = 1; attempt <= most; attempt += 1) {
    if (attempt > 1) await pause(settings.sleepBetweenAttemptsMs, deps);
    for (const id of ids) {
      try {
        return await reader.read(id);
      } catch (failure) {
        deps.signal.throwIfAborted();
        why = reasonOf(failure);
      }
    }
  }
  return { trouble: most > 1 ? `${why} (after ${most} attempts)` : why };
}

async function firstThatOpens(
  pictures: AsyncGenerator<RawPicture>,
  id: FrameId,
  settings: FrameSettings,
): Promise<Frame> {
  let broken: unknown = null;
  try {
    for await (const picture of pictures) {
      try {
        return await opened(picture, id, settings);
      } catch (failure) {
        broken ??= failure;
      }
    }
  } catch (failure) {
    // Why a file is broken says more than that there is no other.
    throw broken ?? failure;
  }
  throw broken ?? new Error(`there is no picture ${id}`);
}

function opened({ bytes, label }: RawPicture, id: FrameId, { resizeWidth }: FrameSettings): Promise<Frame> {
  return openFrame(bytes, id, { resizeWidth, label });
}

function troubleOf(failure: unknown): FrameTrouble {
  return { trouble: reasonOf(failure) };
}

async function pause(ms: number, { signal }: FrameDeps): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal });
  signal.throwIfAborted();
}
