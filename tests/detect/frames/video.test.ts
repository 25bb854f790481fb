// Pictures cut out of videos: finished, still growing, given by time or by number, and whatever is no video.
import { open, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readFrames } from "../../../src/detect/frames/read-frames.ts";
import { cutPicture } from "../../../src/detect/frames/video.ts";
import { anEvent, aStorage, colorOf, frameDeps, frameSettings, grayVideo, told } from "./pictures.ts";

let whole: Buffer;
/** The first 60% of its bytes: it ends within a fragment. */
let growing: Buffer;

beforeAll(async () => {
  const { folder } = await aStorage();
  const file = path.join(folder, "gray.mp4");
  grayVideo(file);
  whole = await readFile(file);
  growing = whole.subarray(0, Math.floor(whole.length * 0.6));
});

async function anEventWith(name: string, video: Buffer, change: Parameters<typeof anEvent>[1] = {}) {
  const { root, folder } = await aStorage();
  await writeFile(path.join(folder, name), video);
  return anEvent(root, change);
}

/** Second n of the video has this brightness, give or take what the encoder does to it. */
async function brightness(source: ReturnType<typeof anEvent>, id: string): Promise<number> {
  for await (const frame of readFrames(source, frameSettings({ frameSet: [id] }), frameDeps()))
    if ("trouble" in frame) throw new Error(frame.trouble);
    else return Number(await colorOf(frame));
  throw new Error("nothing");
}

const near = (second: number, value: number): boolean => Math.abs(value - (20 * second + 20)) < 12;

describe("frames of an event that is kept as video", () => {
  it.each([
    ["names in DefaultVideo", "5-video.h264.mp4", "5-video.h264.mp4"],
    ["a name that DefaultVideo does not know yet", "5-video.h264.mp4", ""],
    ["a stale DefaultVideo", "5-video.mp4", "incomplete.mp4"],
    ["a playlist in DefaultVideo", "incomplete.h264.mp4", "index.m3u8"],
    ["a way out of the folder in DefaultVideo", "incomplete.mp4", "../5/other.mp4"],
  ])("are found with %s", async (_, name, video) => {
    const source = await anEventWith(name, whole, { video, frameTimes: { 45: 4.5 } });
    expect(near(4, await brightness(source, "45"))).toBe(true);
  });

  it("are found by their time, between known times, and by their number", async () => {
    const change = { frameTimes: { 1: 0, 45: 4.5, 100: 9.9 } };
    const source = await anEventWith("5-video.mp4", whole, change);
    expect(near(4, await brightness(source, "45"))).toBe(true);
    expect(near(2, await brightness(source, "25"))).toBe(true);
    expect(near(7, await brightness({ ...source, frameTimes: {} }, "75"))).toBe(true);
  });

  it("stand in for alarm.jpg and snapshot.jpg", async () => {
    const change = { alarmFrame: 35, bestFrame: 85, frameTimes: { 35: 3.5, 85: 8.5 } };
    const source = await anEventWith("5-video.mp4", whole, change);
    expect(near(3, await brightness(source, "alarm"))).toBe(true);
    expect(near(8, await brightness(source, "snapshot"))).toBe(true);
  });

  it("are earlier ones when the video does not reach that far yet", async () => {
    const source = await anEventWith("incomplete.mp4", growing, { frameTimes: { 95: 9.5 } });
    const value = await brightness(source, "95");
    expect(value).toBeGreaterThan(25);
    expect(value).toBeLessThan(180);
  });

  it("are named when the video is none", async () => {
    const source = await anEventWith("5-video.mp4", Buffer.from("no video ".repeat(500)), {
      frameTimes: { 3: 1 },
    });
    const lines = await told(readFrames(source, frameSettings({ frameSet: ["3"] }), frameDeps()));
    expect(lines.join()).toMatch(/00003-capture\.jpg of event 5 is not there, and frame 3 cannot be cut/);
  });

  it("say how to get ffmpeg when it is missing", async () => {
    const source = await anEventWith("5-video.mp4", whole, { frameTimes: { 3: 1 } });
    const deps = frameDeps({ ffmpeg: "/nowhere/ffmpeg" });
    expect((await told(readFrames(source, frameSettings({ frameSet: ["3"] }), deps))).join()).toContain(
      "apt install ffmpeg",
    );
  });
});

describe("a video file", () => {
  const file = async (): Promise<{ readonly kind: "file"; readonly path: string }> => {
    const { folder } = await aStorage();
    await writeFile(path.join(folder, "a.mp4"), whole);
    return { kind: "file", path: path.join(folder, "a.mp4") };
  };

  it("is read once a second, to its end", async () => {
    const lines = await told(readFrames(await file(), frameSettings(), frameDeps()));
    expect(lines.map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 10 }, (_, at) => `${at}s`));
    expect(lines.every((line, at) => near(at, Number(line.split(" ")[1])))).toBe(true);
  });

  it("is read at the numbers of the frame set", async () => {
    const settings = frameSettings({ frameSet: ["1", "55", "5000", "95"] });
    const lines = await told(readFrames(await file(), settings, frameDeps()));
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["1", "55", "95"]);
    expect(near(5, Number(lines[1]?.split(" ")[1]))).toBe(true);
  });

  it("is read as far as max_frames says", async () => {
    expect(await told(readFrames(await file(), frameSettings({ maxFrames: 2 }), frameDeps()))).toHaveLength(
      2,
    );
  });
});

describe("ffmpeg", () => {
  it("follows no playlist or manifest to other files", async () => {
    const { folder } = await aStorage();
    const secret = path.join(folder, "secret.mp4");
    await writeFile(secret, whole);
    const list = path.join(folder, "list.mp4");
    for (const text of [
      `ffconcat version 1.0\nfile '${secret}'\n`,
      `#EXTM3U\n#EXTINF:10,\n${secret}\n#EXT-X-ENDLIST\n`,
      // The only one of them that ffmpeg follows by itself.
      '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S">' +
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" width="64" height="48">' +
        `<BaseURL>${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ]) {
      await writeFile(list, text);
      const handle = await open(list);
      const cut = cutPicture(handle, { seconds: 0 }, { ...frameDeps(), stepsBack: false });
      await expect(cut.then((picture) => picture?.length ?? 0)).rejects.toThrow("ffmpeg cannot read it");
      await handle.close();
    }
  });

  it("is ended when nobody waits any more", async () => {
    const { folder } = await aStorage();
    const slow = path.join(folder, "slow");
    const started = path.join(folder, "pid");
    await writeFile(slow, `#!/bin/sh\necho $$ > ${started}\nexec sleep 600\n`, { mode: 0o755 });
    const handle = await open(slow);
    const abort = new AbortController();
    const cut = cutPicture(handle, { seconds: 0 }, { ffmpeg: slow, signal: abort.signal, stepsBack: false });
    await expect
      .poll(() =>
        stat(started).then(
          ({ size }) => size,
          () => 0,
        ),
      )
      .toBeGreaterThan(0);
    const pid = Number(await readFile(started, "utf8"));
    abort.abort(new Error("enough"));
    await expect(cut).rejects.toThrow("enough");
    await expect
      .poll(() =>
        stat(`/proc/${pid}`).then(
          () => true,
          () => false,
        ),
      )
      .toBe(false);
    await handle.close();
  });

  it("that writes for ever is ended", async () => {
    const { folder } = await aStorage();
    const endless = path.join(folder, "endless");
    await writeFile(endless, "#!/bin/sh\nexec cat /dev/zero\n", { mode: 0o755 });
    const handle = await open(endless);
    const cut = cutPicture(handle, { seconds: 0 }, { ...frameDeps(), ffmpeg: endless, stepsBack: false });
    await expect(cut).rejects.toThrow("more than a picture");
    await handle.close();
  });
});
