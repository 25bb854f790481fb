// Cuts single pictures out of a video with ffmpeg, also out of one that is still growing.
import { type ChildProcess, spawn } from "node:child_process";
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { systemCode } from "../../lib/errors.ts";

/** Seconds from the beginning, or the place of the picture counted from 0, which takes longer to find. */
export type CutPosition = { readonly seconds: number } | { readonly index: number };

export interface CutOptions {
  /** The program, such as "ffmpeg". */
  readonly ffmpeg: string;
  readonly signal: AbortSignal;
  /** True: when nothing is there (past the end, or not written yet), one 1, 2, 4 ... s before. */
  readonly stepsBack: boolean;
}

/** One cut takes 0.1 to 1 s; a file on a dead disk must not hold everything up. */
const CUT_MS = 10_000;
/** All steps back together. */
const CUTS_MS = 20_000;
/** Larger than any frame of a camera. */
const LARGEST_BYTES = 32 * 1024 * 1024;
/** Of what ffmpeg complains about; the last line says most. */
const COMPLAINT_BYTES = 8_192;

/**
 * A JPEG, upright, or null when the video has no picture there. Rejects with an Error that says what to do when ffmpeg is
 * missing, cannot read the file, or takes too long.
 * @param file open for reading: what was checked is what ffmpeg reads, whatever its name means meanwhile.
 */
export async function cutPicture(
  file: FileHandle,
  position: CutPosition,
  options: CutOptions,
): Promise<Buffer | null> {
  const begun = performance.now();
  let complaint = "";
  for (const at of options.stepsBack ? stepsBack(position) : [position]) {
    options.signal.throwIfAborted();
    const cut = await cutOnce(file, at, options);
    if (cut.picture.length > 0) return cut.picture;
    complaint = cut.complaint;
    if (performance.now() - begun > CUTS_MS) break;
  }
  // A seek past the end is no error to ffmpeg, or one without a word about the file.
  if (/invalid (?:data|argument)|moov atom|not on whitelist|permission denied/i.test(complaint))
    throw new Error(`ffmpeg cannot read it: ${complaint}`);
  return null;
}

/** The place itself, then 1, 2, 4 ... seconds before it, at last the beginning. */
function* stepsBack(position: CutPosition): Generator<CutPosition> {
  yield position;
  if ("index" in position) return;
  for (let step = 1; step < position.seconds; step *= 2) yield { seconds: position.seconds - step };
  if (position.seconds > 0) yield { seconds: 0 };
}

interface Cut {
  /** Empty when there was none. */
  readonly picture: Buffer;
  readonly complaint: string;
}

async function cutOnce(
  file: FileHandle,
  position: CutPosition,
  { ffmpeg, signal }: CutOptions,
): Promise<Cut> {
  const child = spawn(ffmpeg, ffmpegArguments(position), { stdio: ["ignore", "pipe", "pipe", file.fd] });
  const ended = Promise.withResolvers<void>();
  const stop = (why: Error): void => {
    child.kill("SIGKILL");
    ended.reject(why);
  };
  const timer = setTimeout(
    stop,
    CUT_MS,
    new Error(`ffmpeg took longer than ${CUT_MS / 1000} s and was ended`),
  );
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const picture = collected(child.stdout, LARGEST_BYTES, () =>
    stop(new Error("ffmpeg wrote more than a picture")),
  );
  const complaint = collected(child.stderr, COMPLAINT_BYTES, () => undefined);
  child.once("error", (failure) => ended.reject(notStarted(failure, ffmpeg)));
  child.once("close", () => ended.resolve());
  try {
    await ended.promise;
    return { picture: picture(), complaint: lastLine(complaint().toString("utf8")) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    release(child);
  }
}

function ffmpegArguments(position: CutPosition): readonly string[] {
  const seek = "seconds" in position ? ["-ss", position.seconds.toFixed(3)] : [];
  const select = "index" in position ? ["-vf", `select=eq(n\\,${position.index})`] : [];
  return [
    ..."-nostdin -hide_banner -v error".split(" "),
    // A playlist could name any other file or address: containers only, and nothing but this file.
    ...["-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,avi,mpegts,flv,mpeg"],
    ...seek,
    ...["-i", "/proc/self/fd/3"],
    ...select,
    ..."-an -sn -dn -frames:v 1 -f image2pipe -c:v mjpeg -pix_fmt yuvj420p -q:v 2 pipe:1".split(" "),
  ];
}

/** Returns what came so far; calls `onFull` once and keeps no more when it is too much. */
function collected(stream: Readable | null, mostBytes: number, onFull: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on("data", (chunk: Buffer) => {
    if (size > mostBytes) return;
    size += chunk.length;
    if (size > mostBytes) onFull();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

function notStarted(failure: Error, ffmpeg: string): Error {
  const isMissing = systemCode(failure) === "ENOENT";
  const reason = isMissing ? `${ffmpeg} is not installed (Debian: apt install ffmpeg)` : failure.message;
  return new Error(`pictures cannot be cut from videos: ${reason}`, { cause: failure });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
}

/** A process that cannot die must not keep ours from ending. */
function release(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
