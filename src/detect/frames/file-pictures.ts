// Pictures of a file that somebody names: the picture it is, or those of a video.
import { constants, type FileHandle, open } from "node:fs/promises";
import type { FrameSettings } from "../../domain/detect-settings.ts";
import type { FrameId } from "../../domain/detection.ts";
import type { FileSource } from "../../domain/detection-source.ts";
import { systemCode } from "../../lib/errors.ts";
import { bytesAt } from "../../lib/steady-file.ts";
import { isPicture } from "../picture/frame.ts";
import type { RawPicture } from "./event-pictures.ts";
import { cutPicture } from "./video.ts";

export interface FilePicture extends RawPicture {
  readonly id: FrameId;
}

export interface FileDeps {
  readonly ffmpeg: string;
  readonly signal: AbortSignal;
}

type FileFrames = Pick<FrameSettings, "frameSet" | "maxFrames">;

/** A PNG of 50 megapixels is about this size. */
const LARGEST_BYTES = 256 * 1024 * 1024;
/** Of a video without a limit of its own: a minute, one picture a second. */
const MOST_PICTURES = 60;

/**
 * A picture is "single". Of a video, the frames whose numbers are in the frame set (counted from 1), or, when there are none,
 * one for each second, called "0s", "1s" and so on. Throws an Error that names the file and what is wrong with it.
 */
export async function* filePictures(
  { path: file }: FileSource,
  settings: FileFrames,
  deps: FileDeps,
): AsyncGenerator<FilePicture> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    if (size === 0) throw new Error(`${file} is empty (0 bytes)`);
    if (isPicture(await bytesAt(handle, 0, 12))) {
      if (size > LARGEST_BYTES) throw new Error(`${file} is larger than ${LARGEST_BYTES / 1024 / 1024} MiB`);
      yield { id: "single", bytes: await bytesAt(handle, 0, size), label: file };
    } else {
      yield* videoPictures(handle, file, settings, deps);
    }
  } finally {
    await handle.close().catch(() => undefined);
  }
}

async function* videoPictures(
  handle: FileHandle,
  file: string,
  { frameSet, maxFrames }: FileFrames,
  deps: FileDeps,
): AsyncGenerator<FilePicture> {
  const numbers = frameSet.filter((each) => /^[1-9]\d{0,9}$/.test(each));
  const seconds = Array.from({ length: maxFrames ?? MOST_PICTURES }, (_, at) => at);
  const isBySecond = numbers.length === 0;
  const wanted = isBySecond
    ? seconds.map((at) => ({ id: `${at}s`, position: { seconds: at } }))
    : numbers.map((id) => ({ id, position: { index: Number(id) - 1 } }));
  let count = 0;
  for (const { id, position } of wanted) {
    const bytes = await cutPicture(handle, position, { ...deps, stepsBack: false });
    // Beyond the end, there is nothing further on either; numbers may stand in any order.
    if (bytes === null && isBySecond) break;
    if (bytes === null) continue;
    count += 1;
    yield { id, bytes, label: `${file} (${id})` };
  }
  if (count === 0)
    throw new Error(`${file} is neither a picture nor a video with pictures where they were looked for`);
}

async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((failure: unknown) => {
    const code = systemCode(failure);
    const reason = code === "ENOENT" ? "it does not exist" : code === "EACCES" ? "it may not be read" : code;
    throw new Error(`${file} cannot be opened: ${reason ?? String(failure)}`, { cause: failure });
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${file} is no file`);
}
