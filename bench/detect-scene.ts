// A model, a picture and settings for the bench `detect`, and jobs made of them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { DetectionJob } from "../src/detect/job.ts";
import type { DetectSettings } from "../src/domain/detect-settings.ts";
import { looking } from "../tests/detect/jobs.ts";
import { writeYoloGraph } from "./yolo-graph.ts";

export interface DetectScene {
  readonly folder: string;
  readonly model: string;
  readonly picture: string;
  readonly settings: DetectSettings;
  job(event: number): DetectionJob;
  remove(): void;
}

/** All events are in one folder: what is measured is not the disk. */
export async function createDetectScene(): Promise<DetectScene> {
  const folder = mkdtempSync(join(tmpdir(), "zmes-bench-detect-"));
  const model = join(folder, "model.onnx");
  writeYoloGraph(model);
  mkdirSync(join(folder, "event"));
  const picture = join(folder, "event", "snapshot.jpg");
  writeFileSync(picture, await aYard());
  const settings = settingsFor(model);
  return {
    folder,
    model,
    picture,
    settings,
    job: (event) => ({
      source: eventSource(folder, event),
      monitor: null,
      cause: "Motion",
      settings,
      outputFolder: null,
      drawTo: null,
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function eventSource(root: string, event: number) {
  return {
    kind: "event",
    event,
    root,
    folders: ["event"],
    isOpen: false,
    video: "",
    digits: 5,
    bestFrame: 1,
    alarmFrame: 1,
    frameTimes: {},
  } as const;
}

/** 1920x1080 with edges and grain: about as many bytes as a camera's picture. */
async function aYard(): Promise<Buffer> {
  const drawing = `<svg width="1920" height="1080"><rect width="1920" height="1080" fill="#7a8a6a"/>
    <rect y="0" width="1920" height="400" fill="#9db4c8"/><rect x="300" y="250" width="700" height="500" fill="#8a5a44"/>
    <rect x="1200" y="600" width="420" height="220" fill="#333"/><circle cx="1700" cy="500" r="160" fill="#35582f"/></svg>`;
  const noise = { type: "gaussian", mean: 128, sigma: 12 } as const;
  const size = { width: 1920, height: 1080 };
  const grain = await sharp({ create: { ...size, channels: 3, background: "#000", noise } })
    .png()
    .toBuffer();
  return sharp(Buffer.from(drawing))
    .composite([{ input: grain, blend: "soft-light" }])
    .jpeg({ quality: 75 })
    .toBuffer();
}

export function settingsFor(weights: string): DetectSettings {
  return looking({ kind: "onnx", weights, labels: null, layout: null, inputSize: null, processor: "cpu" });
}
