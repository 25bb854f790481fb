// Pictures and videos for these tests, made on the spot: each has one color, so that one can tell which was read.
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { createPortals } from "../../../src/detect/frames/portal.ts";
import type { FrameDeps, FrameTrouble } from "../../../src/detect/frames/read-frames.ts";
import type { Frame } from "../../../src/detect/picture/frame.ts";
import type { FrameSettings } from "../../../src/domain/detect-settings.ts";
import type { EventSource } from "../../../src/domain/detection-source.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { someSettings } from "../jobs.ts";

const COLORS = { red: "#ff0000", green: "#00ff00", blue: "#0000ff", white: "#ffffff" } as const;
export type Color = keyof typeof COLORS;

export function jpeg(color: Color, width = 64, height = 48): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: COLORS[color] } })
    .jpeg()
    .toBuffer();
}

/** What color the middle of the picture has, or its brightness where it has none of them. */
export async function colorOf(frame: Frame): Promise<Color | number> {
  const pixels = await frame.pixels();
  const at = (Math.floor(frame.size.height / 2) * frame.size.width + Math.floor(frame.size.width / 2)) * 3;
  const [red = 0, green = 0, blue = 0] = pixels.subarray(at, at + 3);
  const is = (value: number, wanted: boolean): boolean => (wanted ? value > 200 : value < 55);
  for (const [name, code] of Object.entries(COLORS)) {
    const parts = [code.slice(1, 3), code.slice(3, 5), code.slice(5, 7)].map((part) => part === "ff");
    if (is(red, parts[0] === true) && is(green, parts[1] === true) && is(blue, parts[2] === true))
      return name as Color;
  }
  return red;
}

/** A storage with the folder of event 5 in it. */
export async function aStorage(): Promise<{ readonly root: string; readonly folder: string }> {
  const root = await temporaryFolder();
  const folder = path.join(root, "1/2026-01-02/5");
  await mkdir(folder, { recursive: true });
  return { root, folder };
}

export async function put(folder: string, files: Readonly<Record<string, Color | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files))
    await writeFile(path.join(folder, name), typeof content === "string" ? await jpeg(content) : content);
}

export function anEvent(root: string | null, change: Partial<EventSource> = {}): EventSource {
  return {
    kind: "event",
    event: 5,
    root,
    folders: ["1/5", "1/2026-01-02/5"],
    isOpen: false,
    video: "",
    digits: 5,
    bestFrame: null,
    alarmFrame: null,
    frameTimes: {},
    ...change,
  };
}

export function frameSettings(change: Partial<FrameSettings> = {}): FrameSettings {
  return { ...someSettings().frames, frameSet: ["snapshot", "alarm"], ...change };
}

export function frameDeps(change: Partial<FrameDeps> = {}): FrameDeps {
  return {
    ffmpeg: "ffmpeg",
    portals: createPortals(),
    clock: systemClock,
    signal: new AbortController().signal,
    patienceMs: 300,
    ...change,
  };
}

/** "snapshot red", or the trouble. */
export async function told(frames: AsyncIterable<Frame | FrameTrouble>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const frame of frames)
    all.push("trouble" in frame ? frame.trouble : `${frame.id} ${await colorOf(frame)}`);
  return all;
}

/** Ten seconds at ten frames a second, fragmented as ZoneMinder's; second n has brightness 20 * n + 20. */
export function grayVideo(file: string, more: readonly string[] = []): void {
  execFileSync("ffmpeg", [
    ..."-nostdin -v error -y -f lavfi".split(" "),
    ...["-i", "color=black:s=64x48:r=10:d=10,format=gray,geq=lum='20*floor(N/10)+20'"],
    ..."-c:v libx264 -g 20 -pix_fmt yuv420p".split(" "),
    ...["-movflags", "frag_keyframe+empty_moov+default_base_moof"],
    ...more,
    file,
  ]);
}
