// A data directory with a tiny model, a configuration, and pictures in which something is bright.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { stringify } from "yaml";
import { createSettingsFor } from "../../src/cli/detection/settings.ts";
import { createDetection, type Detection } from "../../src/cli/detection.ts";
import { configSchema } from "../../src/config/schema.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { temporaryFolder } from "./folders.ts";
import { blobModel, ultralyticsNotes } from "./onnx-models.ts";
import { recordingLogger } from "./server.ts";

export interface DetectSite {
  readonly folder: string;
  readonly data: string;
  readonly config: string;
  /** A white box from 200,150 to 280,270 in 640x480: a person, 95% certain. */
  readonly picture: string;
  /** Black. */
  readonly darkPicture: string;
  /** The detector of a server that runs here: its event 77 has the picture, 76 the dark one. Stop its parts. */
  serve(records?: Parameters<typeof createDetection>[0]["records"]): Promise<Detection>;
}

export async function detectSite(section: Record<string, unknown> = {}): Promise<DetectSite> {
  const folder = await temporaryFolder();
  const data = path.join(folder, "data");
  mkdirSync(path.join(data, "models"), { recursive: true });
  for (const event of ["76", "77"]) mkdirSync(path.join(folder, event));
  const notes = ultralyticsNotes(["person", "bicycle", "car"]);
  writeFileSync(path.join(data, "models/demo.onnx"), blobModel("yolov8", { metadata: notes, classes: 3 }));
  // Otherwise a command that is started as root would become the web server's user.
  const zoneminder = path.join(folder, "zm.conf");
  writeFileSync(zoneminder, "ZM_DB_HOST=localhost:/nowhere\nZM_WEB_USER=root\nZM_WEB_GROUP=root\n");
  const config = path.join(folder, "zmes.yml");
  const values = { general: { base_data_path: data }, detection: section };
  writeFileSync(config, stringify({ ...values, zoneminder: { config: zoneminder } }));
  const [picture, darkPicture] = [path.join(folder, "bright.jpg"), path.join(folder, "dark.jpg")];
  const background = { create: { width: 640, height: 480, channels: 3, background: "black" } } as const;
  const box = { create: { width: 80, height: 120, channels: 3, background: "white" } } as const;
  const bright = sharp(background).composite([
    { input: await sharp(box).png().toBuffer(), left: 200, top: 150 },
  ]);
  await bright.jpeg().toFile(picture);
  await bright.jpeg().toFile(path.join(folder, "77/snapshot.jpg"));
  await sharp(background).jpeg().toFile(darkPicture);
  await sharp(background).jpeg().toFile(path.join(folder, "76/snapshot.jpg"));
  return { folder, data, config, picture, darkPicture, serve };

  async function serve(records?: Parameters<typeof createDetection>[0]["records"]): Promise<Detection> {
    const parsed = configSchema.parse(values);
    const logger = recordingLogger([]);
    const event = {
      kind: "event",
      monitor: 1,
      root: folder,
      isOpen: false,
      video: "",
      digits: 5,
      bestFrame: null,
      alarmFrame: null,
      frameTimes: {},
    } as const;
    const detection = createDetection({
      config: parsed,
      facts: {
        event: async (number) =>
          number === 76 || number === 77 ? { ...event, event: number, folders: [String(number)] } : null,
        monitor: async () => null,
        folder: async (number) => path.join(folder, String(number)),
      },
      settingsFor: createSettingsFor(parsed, logger),
      ...(records !== undefined && { records }),
      environment: process.env,
      clock: systemClock,
      logger,
    });
    if (detection === null) throw new Error("the section detection has it switched off");
    for (const part of detection.parts) await part.start(new AbortController().signal);
    return detection;
  }
}
