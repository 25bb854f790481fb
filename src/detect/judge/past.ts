// What stood in the same place at the last event too, such as a parked car: compared between events, never within one.
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { PastSettings } from "../../domain/detect-settings.ts";
import type { Box, Detection, Rejected, Size } from "../../domain/detection.ts";
import { bytesAt, readSteadily } from "../../lib/steady-file.ts";
import { areaOf, boxesMeet, intersectionOf } from "./geometry.ts";
import { byLabel, includesLabel, meanTheSame } from "./labels.ts";

/** What was seen at one event, before this filter. */
export interface PastRun {
  readonly event: number;
  /** Of the analyzed picture: the boxes are in its pixels. */
  readonly size: Size;
  readonly seen: readonly PastDetection[];
}

interface PastDetection {
  readonly label: string;
  readonly box: Box;
}

/** Nobody's picture holds more; what a detector gone wild says must not fill the disk. */
const MOST_SAVED = 200;
/** Two runs of that many, with names of any length a model has. */
const LARGEST_BYTES = 384 * 1024;

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const runs = z.array(
  z.object({
    event: z.int(),
    size: z.object({ width: z.number().positive(), height: z.number().positive() }),
    seen: z.array(z.object({ label: z.string(), box })).max(MOST_SAVED),
  }),
);

/** What the monitor's last runs saw, newest first: at most two, of different events. A damaged file counts as none. */
export async function readPast(folder: string, monitor: number): Promise<readonly PastRun[]> {
  const read = await readSteadily(fileOf(folder, monitor), LARGEST_BYTES, async (handle, size) =>
    runs.parse(JSON.parse((await bytesAt(handle, 0, size)).toString("utf8"))),
  );
  return read?.value.slice(0, 2) ?? [];
}

/**
 * Remembers this run: in place of an earlier one of the same event, before those of other events. Throws what the system
 * says when it cannot be written; then the old file is there.
 */
export async function savePast(folder: string, monitor: number, run: PastRun): Promise<void> {
  // Read again: another event of the monitor may have been through meanwhile.
  const kept = (await readPast(folder, monitor)).filter(({ event }) => event !== run.event).slice(0, 1);
  const newest = { ...run, seen: run.seen.slice(0, MOST_SAVED).map(({ label, box }) => ({ label, box })) };
  const file = fileOf(folder, monitor);
  const temporary = `${file}.${randomUUID()}.tmp`;
  await mkdir(folder, { recursive: true, mode: 0o750 });
  try {
    const handle = await open(temporary, "w", 0o640);
    try {
      await handle.writeFile(JSON.stringify([newest, ...kept]));
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (failure) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure;
  }
}

/** The run to compare with: the newest of another event. Null when there is none. */
export function lastOther(known: readonly PastRun[], event: number): PastRun | null {
  return known.find((run) => run.event !== event) ?? null;
}

/** Null when it is new; else what it was at the event before, with the figures. `size`: of the analyzed picture. */
export function pastRefusal(
  detection: Detection,
  past: PastRun,
  settings: PastSettings,
  aliases: readonly (readonly string[])[],
  size: Size,
): Rejected | null {
  if (includesLabel(settings.ignoredLabels, detection.label)) return null;
  const limit = byLabel(settings.maxDifferences, detection.label) ?? settings.maxDifference;
  for (const before of past.seen) {
    if (!meanTheSame(aliases, detection.label, before.label)) continue;
    const { pixels, percent } = difference(detection.box, rescaled(before.box, past.size, size));
    const value = limit.unit === "percent" ? percent : pixels;
    if (value > limit.value) continue;
    const unit = limit.unit === "percent" ? "%" : " square pixels";
    const detail =
      `${before.label} was there at event ${past.event} too: they differ by ${Number(value.toFixed(1))}${unit}, ` +
      `at most ${limit.value}${unit} counts as the same (past_det_max_diff_area)`;
    return { detection, reason: "past-detection", detail };
  }
  return null;
}

/**
 * How far the new box is from the old one: what only the new one covers when it contains the old one, else what only the
 * old one covers, in square pixels and in percent of that box. Infinite when they do not meet.
 */
function difference(now: Box, before: Box): { readonly pixels: number; readonly percent: number } {
  if (!boxesMeet(now, before)) return { pixels: Number.POSITIVE_INFINITY, percent: Number.POSITIVE_INFINITY };
  const whole = contains(now, before) ? now : before;
  const pixels = areaOf(whole) - areaOf(intersectionOf(now, before));
  const area = areaOf(whole);
  return { pixels, percent: area === 0 ? 0 : (pixels / area) * 100 };
}

function contains(outer: Box, inner: Box): boolean {
  return outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];
}

/** The width that pictures are made smaller to may have been changed between two events. */
function rescaled([x1, y1, x2, y2]: Box, from: Size, to: Size): Box {
  const across = to.width / from.width;
  const down = to.height / from.height;
  return [x1 * across, y1 * down, x2 * across, y2 * down];
}

function fileOf(folder: string, monitor: number): string {
  return path.join(folder, `past-${monitor}.json`);
}
