// What is left in an event's folder: seen whole or not at all, and never outside it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { beforeEach, describe, expect, it } from "vitest";
import type { DetectionJob } from "../../../src/detect/job.ts";
import { writeEventFiles } from "../../../src/detect/output/files.ts";
import { writeWhole } from "../../../src/detect/output/whole-file.ts";
import { type Frame, openFrame } from "../../../src/detect/picture/frame.ts";
import type { OutputSettings } from "../../../src/domain/detect-settings.ts";
import type { DetectionResult } from "../../../src/domain/detection.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { aJob, someSettings } from "../jobs.ts";

let folder: string;
let frame: Frame;
beforeEach(async () => {
  folder = await temporaryFolder();
  const picture = sharp({ create: { width: 320, height: 240, channels: 3, background: "#335577" } });
  frame = await openFrame(await picture.jpeg().toBuffer(), "snapshot", {
    resizeWidth: null,
    label: "snapshot.jpg",
  });
});

const RESULT: DetectionResult = {
  frame: "snapshot",
  detections: [
    { label: "person", confidence: 0.9, box: [10.7, 60, 100, 200], type: "object", model: "yolo" },
  ],
  rejected: [],
  original: { width: 320, height: 240 },
  analyzed: { width: 320, height: 240 },
  zones: [],
  timings: [],
  troubles: [],
};
const NOTHING: DetectionResult = { ...RESULT, frame: null, detections: [] };

function job(change: Partial<DetectionJob> = {}, output: Partial<OutputSettings> = {}): DetectionJob {
  const settings = someSettings();
  return {
    ...aJob({ event: 7, outputFolder: folder }),
    settings: { ...settings, output: { ...settings.output, writeImageToZm: true, ...output } },
    ...change,
  };
}

describe("the files of a detection", () => {
  it("are objdetect.jpg with the boxes and objects.json, which everybody may read", async () => {
    expect(await writeEventFiles(job(), RESULT, frame, Date.now())).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(["objdetect.jpg", "objects.json"]);
    expect((await sharp(path.join(folder, "objdetect.jpg")).metadata()).width).toBe(320);
    expect(statSync(path.join(folder, "objdetect.jpg")).mode & 0o777).toBe(0o644);
    const objects = JSON.parse(readFileSync(path.join(folder, "objects.json"), "utf8"));
    expect(objects).toMatchObject({
      labels: ["person"],
      boxes: [[10, 60, 100, 200]],
      detections: [{ label: "person", confidence: 0.9, bbox: [10, 60, 100, 200] }],
    });
  });

  it("replace those before, with the smaller copies ZoneMinder made of them, and nothing else", async () => {
    for (const name of ["objdetect-640x480.jpg", "objdetect-300x.jpg", "objdetect-x.gif", "snapshot-1x1.jpg"])
      await writeFile(path.join(folder, name), "old");
    await writeEventFiles(job(), RESULT, frame, Date.now());
    expect(readdirSync(folder).sort()).toEqual([
      "objdetect-x.gif",
      "objdetect.jpg",
      "objects.json",
      "snapshot-1x1.jpg",
    ]);
  });

  it("are not written when nothing was found, when nobody wants them, or when there was no picture", async () => {
    await writeEventFiles(job(), NOTHING, frame, Date.now());
    await writeEventFiles(job({}, { writeImageToZm: false }), RESULT, frame, Date.now());
    await writeEventFiles(job({ outputFolder: null }), RESULT, frame, Date.now());
    await writeEventFiles(job(), RESULT, null, Date.now());
    expect(readdirSync(folder)).toEqual([]);
  });

  it("replace a link of their name instead of following it", async () => {
    const elsewhere = path.join(await temporaryFolder(), "victim");
    await writeFile(elsewhere, "precious");
    await symlink(elsewhere, path.join(folder, "objdetect.jpg"));
    await symlink(elsewhere, path.join(folder, "objects.json"));
    expect(await writeEventFiles(job(), RESULT, frame, Date.now())).toEqual([]);
    expect(await readFile(elsewhere, "utf8")).toBe("precious");
  });

  it("are not written through a folder that is a link", async () => {
    const real = await temporaryFolder();
    const link = path.join(folder, "event");
    await symlink(real, link);
    const troubles = await writeEventFiles(job({ outputFolder: link }), RESULT, frame, Date.now());
    expect(troubles).toEqual([
      expect.stringContaining("objdetect.jpg could not be written"),
      expect.stringContaining("objects.json could not be written"),
    ]);
    expect(readdirSync(real)).toEqual([]);
  });

  it("that cannot be written are said, and the others are written all the same", async () => {
    const drawTo = path.join(folder, "boxes.jpg");
    const troubles = await writeEventFiles(
      job({ outputFolder: "/nowhere/at/all", drawTo }),
      RESULT,
      frame,
      Date.now(),
    );
    expect(troubles).toHaveLength(2);
    expect(troubles[0]).toMatch(/^\/nowhere\/at\/all\/objdetect.jpg could not be written: /);
    expect(existsSync(drawTo)).toBe(true);
  });

  it("include a picture of what does not count, named by event and frame, also when nothing was found", async () => {
    const debugFolder = path.join(folder, "images");
    await writeEventFiles(job({}, { debugFolder }), NOTHING, frame, Date.now());
    expect(readdirSync(debugFolder)).toEqual(["7-snapshot-debug.jpg"]);
  });

  it("are never half there, although two processes write them at once", async () => {
    const file = path.join(folder, "objdetect.jpg");
    const sizes = new Set<number>();
    const contents = [Buffer.alloc(3_000_000, 1), Buffer.alloc(4_000_000, 2)];
    let isOver = false;
    const looking = (async () => {
      while (!isOver) sizes.add((await stat(file).catch(() => null))?.size ?? 0);
    })();
    for (let round = 0; round < 10; round++)
      await Promise.all(contents.map((content) => writeWhole(file, content, Date.now())));
    isOver = true;
    await looking;
    expect([...sizes].sort().every((size) => [0, 3_000_000, 4_000_000].includes(size))).toBe(true);
    expect(readdirSync(folder)).toEqual(["objdetect.jpg"]);
  });

  it("may be read by everybody, however closed this process is", async () => {
    const before = process.umask(0o077);
    try {
      await writeWhole(path.join(folder, "objects.json"), "{}", Date.now());
    } finally {
      process.umask(before);
    }
    expect(statSync(path.join(folder, "objects.json")).mode & 0o777).toBe(0o644);
  });

  it("take with them what a killed process left half done, not what another one is writing", async () => {
    await mkdir(path.join(folder, "sub"));
    const [old, fresh] = [".zmes-objdetect.jpg.0a", ".zmes-objdetect.jpg.0b"];
    for (const name of [old, fresh]) await writeFile(path.join(folder, name), "half");
    await utimes(path.join(folder, old), 1_000_000, 1_000_000);
    await writeEventFiles(job(), RESULT, frame, Date.now());
    expect(readdirSync(folder).sort()).toEqual([fresh, "objdetect.jpg", "objects.json", "sub"]);
  });
});
