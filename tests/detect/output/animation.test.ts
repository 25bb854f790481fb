// Moving pictures, made by the real ffmpeg from real videos and frames.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { appendFile, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Animations, createAnimations } from "../../../src/detect/output/animation.ts";
import type { AnimationSettings } from "../../../src/domain/detect-settings.ts";
import type { EventSource } from "../../../src/domain/detection-source.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { recordingLogger } from "../../support/server.ts";
import { anEvent, aStorage, grayVideo, jpeg } from "../frames/pictures.ts";
import { aJob, someSettings } from "../jobs.ts";

let folder: string;
let root: string;
let animations: Animations;
const log: Record<string, unknown>[] = [];
beforeEach(async () => {
  ({ root, folder } = await aStorage());
  log.length = 0;
  begin();
});
afterEach(() => animations.stop());

function begin(ffmpeg = "ffmpeg"): void {
  animations = createAnimations({ ffmpeg, clock: systemClock, logger: recordingLogger(log) });
}

const MP4: AnimationSettings = { types: ["mp4"], width: 64, isFastGif: false, maxTries: 3, retryMs: 20 };

async function make(animation: AnimationSettings, change: Partial<EventSource> = {}): Promise<void> {
  const settings = someSettings();
  const job = {
    ...aJob({ outputFolder: folder }),
    source: anEvent(root, change),
    settings: { ...settings, output: { ...settings.output, animation } },
  };
  animations.add(job, { frame: "alarm", analyzed: { width: 64, height: 48 } });
}

/** Seconds, width and height, as ffprobe sees them. */
function probe(name: string): { readonly seconds: number; readonly size: string } {
  const file = path.join(folder, name);
  const show = "stream=width,height:format=duration";
  const words = execFileSync("ffprobe", ["-v", "error", "-show_entries", show, "-of", "csv=p=0:s=x", file])
    .toString()
    .trim()
    .split("\n");
  return { seconds: Number(words[1]), size: words[0] ?? "" };
}

describe("moving pictures of what was found", () => {
  it("show ten seconds around it after the picture with the boxes, in the asked width", async () => {
    grayVideo(path.join(folder, "5-video.mp4"));
    await writeFile(path.join(folder, "objdetect.jpg"), await jpeg("red"));
    await make(MP4, { alarmFrame: 60, frameTimes: { 60: 6 } });
    await animations.idle();
    const { seconds, size } = probe("objdetect.mp4");
    expect(size).toBe("64x48");
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThanOrEqual(12);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("can be GIFs, also fast ones, which show the same in half the time", async () => {
    grayVideo(path.join(folder, "5-video.mp4"));
    await make({ ...MP4, types: ["gif"] }, { alarmFrame: 60, frameTimes: { 60: 6 } });
    await animations.idle();
    const usual = probe("objdetect.gif").seconds;
    await make({ ...MP4, types: ["gif"], isFastGif: true }, { alarmFrame: 60, frameTimes: { 60: 6 } });
    await animations.idle();
    expect(probe("objdetect.gif").seconds).toBeCloseTo(usual / 2, 0);
    expect((await sharp(path.join(folder, "objdetect.gif")).metadata()).format).toBe("gif");
  });

  it("are made of the frames where there is no video", async () => {
    for (let number = 1; number <= 6; number++) {
      const file = path.join(folder, `0000${number}-capture.jpg`);
      await writeFile(file, await jpeg("green"));
      await utimes(file, 1_000_000 + number, 1_000_000 + number);
    }
    await make(MP4, { alarmFrame: 1 });
    await animations.idle();
    expect(probe("objdetect.mp4").size).toBe("64x48");
    expect(probe("objdetect.mp4").seconds).toBeGreaterThan(2);
  });

  it("wait for the video of an event that is still recorded", async () => {
    const finished = path.join(await aStorage().then((place) => place.folder), "v.mp4");
    grayVideo(finished);
    await make({ ...MP4, maxTries: 50 }, { isOpen: true, alarmFrame: 60, frameTimes: { 60: 6 } });
    await eventually(() => expect(existsSync(path.join(folder, "objdetect.mp4"))).toBe(false));
    await appendFile(path.join(folder, "incomplete.mp4"), await readFile(finished));
    await animations.idle();
    expect(probe("objdetect.mp4").seconds).toBeGreaterThan(5);
  });

  it("are given up, with a word, when there is nothing to make them of", async () => {
    await make({ ...MP4, types: ["mp4", "gif"] });
    await animations.idle();
    expect(readdirSync(folder)).toEqual([]);
    expect(JSON.stringify(log)).toContain("gets no objdetect.mp4");
  });

  it("are left out, with the way out, when ffmpeg is not there", async () => {
    begin("/nowhere/ffmpeg");
    grayVideo(path.join(folder, "5-video.mp4"));
    await make(MP4);
    await animations.idle();
    expect(JSON.stringify(log)).toContain("apt install ffmpeg");
  });

  it("end with the program, and leave no half file", async () => {
    grayVideo(path.join(folder, "5-video.mp4"));
    await make({ ...MP4, retryMs: 600_000 }, { isOpen: true });
    animations.stop();
    await animations.idle();
    expect(readdirSync(folder)).toEqual(["5-video.mp4"]);
  });
});
