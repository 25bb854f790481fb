// Leaves what was found in the event's folder, where ZoneMinder's web pages and the apps look for it.
import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { DetectionResult } from "../../domain/detection.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { DetectionJob } from "../job.ts";
import type { Frame } from "../picture/frame.ts";
import { drawnJpeg } from "./draw.ts";
import { objectsJson } from "./text.ts";
import { writeWhole } from "./whole-file.ts";

/**
 * Writes `objdetect.jpg` and `objects.json`, the picture for finding faults, and the one that was asked for. Gives what could
 * not be written, in words: a full disk costs the picture, not the answer.
 * @param now ms since 1970.
 * @param frame the picture the result speaks of; null: there was none, and nothing is written.
 */
export async function writeEventFiles(
  job: DetectionJob,
  result: DetectionResult,
  frame: Frame | null,
  now: number,
): Promise<readonly string[]> {
  if (frame === null) return [];
  const { output } = job.settings;
  const troubles: string[] = [];
  const attempt = async (file: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (failure) {
      troubles.push(`${file} could not be written: ${reasonOf(failure)}`);
    }
  };
  const draw = async (showsRejected: boolean) =>
    drawnJpeg(await frame.pixels(), frame.size, result, output, showsRejected);

  const folder = job.outputFolder;
  const isFound = result.detections.length > 0;
  if (folder !== null && isFound && output.writeImageToZm) {
    const picture = path.join(folder, "objdetect.jpg");
    await attempt(picture, async () => {
      await checkFolder(folder);
      await writeWhole(picture, await draw(false), now);
      await removeScaledCopies(folder);
    });
    const objects = path.join(folder, "objects.json");
    await attempt(objects, async () => {
      await checkFolder(folder);
      await writeWhole(objects, `${objectsJson(result)}\n`, now);
    });
  }
  if (output.debugFolder !== null && job.source.kind === "event") {
    const { debugFolder } = output;
    const file = path.join(debugFolder, `${job.source.event}-${frame.id}-debug.jpg`);
    await attempt(file, async () => {
      await mkdir(debugFolder, { recursive: true, mode: 0o750 });
      await writeWhole(file, await draw(true), now);
    });
  }
  const { drawTo } = job;
  if (drawTo !== null) await attempt(drawTo, async () => writeWhole(drawTo, await draw(false), now));
  return troubles;
}

/** A link could lead anywhere; ZoneMinder's folders of events are none. */
async function checkFolder(folder: string): Promise<void> {
  if (!(await lstat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
}

/** ZoneMinder shows smaller pictures from copies it made of the one before (web/views/image.php of 1.30 to 1.39). */
async function removeScaledCopies(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (SCALED_COPY.test(name)) await rm(path.join(folder, name), { force: true });
}

const SCALED_COPY = /^objdetect-\d*x\d*\.jpg$/;
