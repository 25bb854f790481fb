// The part of an event that a moving picture shows: of its video, else of the frames ZoneMinder keeps as files.
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { EventSource } from "../../domain/detection-source.ts";
import { foldersOf, openVideo, positionOf } from "../frames/event-pictures.ts";

/** How ffmpeg is told of it. */
export interface Clip {
  readonly input: readonly string[];
}

/** Seconds before the picture in which something was found, and the whole length. */
export interface Span {
  readonly before: number;
  readonly length: number;
}

interface Wanted {
  readonly source: EventSource;
  readonly folder: string;
  readonly frame: string;
}

/** What `use` makes of it while its files are there; null when the event has neither video nor frames. */
export async function withClip<T>(
  { source, folder, frame }: Wanted,
  span: Span,
  framesPerSecond: number,
  use: (clip: Clip) => Promise<T>,
): Promise<T | null> {
  const place = { ...source, root: source.root ?? path.dirname(folder) };
  const number = frameNumber(source, frame);
  const video = source.root === null ? null : await openVideo(place);
  if (video === null) return ofFrames(place, number, span, framesPerSecond, use);
  try {
    const position = number === null ? { seconds: 0 } : positionOf(source, number);
    const begin = "seconds" in position ? Math.max(0, position.seconds - span.before) : 0;
    const only = ["-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,avi,mpegts,flv,mpeg"];
    const part = ["-ss", begin.toFixed(3), "-t", String(span.length)];
    // What was opened is what ffmpeg reads, whatever its name means by then.
    return await use({ input: [...only, ...part, "-i", `/proc/${process.pid}/fd/${video.fd}`] });
  } finally {
    await video.close().catch(() => undefined);
  }
}

function frameNumber({ alarmFrame, bestFrame }: EventSource, frame: string): number | null {
  if (frame === "alarm") return alarmFrame;
  if (frame === "snapshot") return bestFrame;
  return Number.isSafeInteger(Number(frame)) ? Number(frame) : null;
}

/** Those that are half a second and more apart, by the time they were written. */
async function ofFrames<T>(
  source: EventSource & { readonly root: string },
  number: number | null,
  span: Span,
  framesPerSecond: number,
  use: (clip: Clip) => Promise<T>,
): Promise<T | null> {
  const files = await frameFiles(source);
  const anchor = files.find((file) => file.number === number) ?? files[0];
  if (anchor === undefined) return null;
  const begin = anchor.at - span.before * 1000;
  const chosen: string[] = [];
  let due = begin;
  for (const { at, file } of files) {
    if (at < due || at > begin + span.length * 1000) continue;
    chosen.push(file);
    due = at + 1000 / framesPerSecond;
  }
  const scratch = await mkdtemp(path.join(tmpdir(), "zmes-clip-"));
  try {
    const list = path.join(scratch, "frames.txt");
    const lines = chosen.map(
      (file) => `file '${file.replaceAll("'", "'\\''")}'\nduration ${1 / framesPerSecond}\n`,
    );
    await writeFile(list, lines.join(""));
    return await use({ input: ["-f", "concat", "-safe", "0", "-i", list] });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface FrameFile {
  readonly number: number;
  readonly file: string;
  /** When it was written, in ms since 1970. */
  readonly at: number;
}

async function frameFiles(source: EventSource & { readonly root: string }): Promise<readonly FrameFile[]> {
  for (const folder of await foldersOf(source)) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => FRAME.test(name));
    const files = await Promise.all(
      names.map(async (name) => {
        const file = path.join(folder, name);
        const { mtimeMs, size } = await stat(file).catch(() => ({ mtimeMs: 0, size: 0 }));
        return size === 0 ? null : { number: Number.parseInt(name, 10), file, at: mtimeMs };
      }),
    );
    const there = files.filter((file) => file !== null).sort((one, other) => one.number - other.number);
    if (there.length > 0) return there;
  }
  return [];
}

const FRAME = /^\d+-capture\.jpg$/;
