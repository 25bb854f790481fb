// From an objectconfig file to what is told: whole runs over made pictures, with engines that say what they are told to.
import { pino } from "pino";
import { expect, it } from "vitest";
import type { Engine, Finding } from "../../../src/detect/engines/engine.ts";
import { printedAnswer } from "../../../src/detect/output/text.ts";
import { runSequence } from "../../../src/detect/sequence.ts";
import type { DetectSettings } from "../../../src/domain/detect-settings.ts";
import { anEvent, aStorage, frameDeps, jpeg, put } from "../../detect/frames/pictures.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { sample } from "./reading-files.ts";

/** By model, in every picture; in the order of the calls, "kind of engine, name, width of the picture". */
async function look(settings: DetectSettings, says: Readonly<Record<string, readonly Finding[]>>) {
  const { root, folder } = await aStorage();
  await put(folder, {
    "snapshot.jpg": await jpeg("red", 1280, 720),
    "alarm.jpg": await jpeg("green", 1280, 720),
  });
  const asked: string[] = [];
  const { result } = await runSequence(
    {
      source: anEvent(root),
      monitor: { id: 3, name: "Porch", width: 1280, height: 720, zones: [] },
      cause: "Motion",
      settings,
      outputFolder: null,
      drawTo: null,
    },
    {
      ...frameDeps(),
      async engineFor({ name, engine }): Promise<Engine> {
        return {
          description: name,
          labels: null,
          async detect(frame) {
            asked.push(`${engine.kind} ${name} ${frame.size.width}`);
            return says[name] ?? [];
          },
          async close() {},
        };
      },
      pastFolder: await temporaryFolder(),
      logger: pino({ level: "silent" }),
    },
  );
  const reasons = result.rejected.map(({ detection, reason }) => `${detection.label} ${reason}`);
  return { printed: printedAnswer(result, settings.output, settings.frames.isBestMatch), asked, reasons };
}

const at = (label: string, x: number, y: number, confidence = 0.9): Finding => ({
  label,
  confidence,
  box: [x, y, x + 40, y + 60],
});

it("a file of version 3.2 looks at the alarm first, and only for what its pattern and polygons say", async () => {
  const { printed, asked, reasons } = await look(sample("v3.2.ini").settingsFor(4), {
    yolo: [at("person", 10, 10), at("dog", 15, 15), at("car", 500, 300), at("car", 12, 12, 0.45)],
  });
  expect(asked).toEqual(["darknet yolo 600"]);
  expect(printed).toMatch(/^\[a\] detected:person:90% --SPLIT--/);
  expect(reasons.toSorted()).toEqual(["car confidence", "car zone", "dog pattern"]);
});

it("a file of version 6 tries its models in turn, and a zone's pattern replaces that of all", async () => {
  const settings = sample("v6.ini").settingsFor(3, { overrides: ["wait=0"] });
  const { printed, asked, reasons } = await look(settings, {
    Darknet: [at("dog", 300, 250), at("cat", 300, 250), at("person", 600, 5)],
  });
  expect(asked).toEqual([
    "onnx YOLO v11 640",
    "darknet Darknet 640",
    "onnx YOLO v11 640",
    "darknet Darknet 640",
  ]);
  expect(printed).toMatch(/^\[a\] detected:dog:90% --SPLIT--/);
  expect(reasons).toEqual(["cat zone-pattern", "person zone"]);
});

it("a file of version 7 stops at the first picture with something, and a zone's pattern can only narrow", async () => {
  const settings = sample("v7.yml").settingsFor(3, { overrides: ["general.wait=0"] });
  const { printed, asked, reasons } = await look(settings, {
    ONNX: [at("person", 300, 300), at("dog", 300, 300), at("person", 400, 300, 0.34)],
  });
  expect(asked).toEqual(["onnx ONNX 800"]);
  expect(printed).toMatch(/^detected:person:90% --SPLIT--/);
  expect(reasons.toSorted()).toEqual(["dog pattern", "person confidence"]);
});
