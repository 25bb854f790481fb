import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Engine, Finding } from "../../../src/detect/engines/engine.ts";
import { createOnnxEngine } from "../../../src/detect/engines/onnx.ts";
import type { RuntimeLoaders } from "../../../src/detect/onnx/runtime.ts";
import { type Frame, openFrame } from "../../../src/detect/picture/frame.ts";
import type { OnnxSettings } from "../../../src/domain/detect-settings.ts";
import { createLogger } from "../../../src/lib/log.ts";
import { type BlobLayout, type BlobOptions, blobModel, ultralyticsNotes } from "../../support/onnx-models.ts";

const NAMES = Array.from({ length: 80 }, (_, index) => `thing ${index}`);
const CUSTOM = ["human", "bike", "van"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-onnx-engine-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

let count = 0;
function save(bytes: Buffer | string, name = `model-${count++}.onnx`): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const messages: string[] = [];
afterEach(() => {
  messages.length = 0;
});
const { logger } = createLogger([
  {
    name: "test",
    level: "trace",
    write: ({ message }) => messages.push(message),
    close: () => Promise.resolve(),
  },
]);

async function engineFor(
  weights: string,
  settings: Partial<OnnxSettings> = {},
  loaders?: RuntimeLoaders,
): Promise<Awaited<ReturnType<typeof createOnnxEngine>>> {
  const engine = await createOnnxEngine(
    { kind: "onnx", weights, labels: null, layout: null, inputSize: null, processor: "cpu", ...settings },
    { threads: 1, cacheFolder: folder, logger },
    loaders,
  );
  engines.push(engine);
  return engine;
}

/** 400x240 and dark, with a rectangle from (220, 60) to (300, 160), or nothing. */
async function picture(color: string | null = "#ffffff"): Promise<Frame> {
  const dark = sharp({ create: { width: 400, height: 240, channels: 3, background: "#101010" } });
  const input = {
    create: { width: 80, height: 100, channels: 3, background: color ?? "#101010" },
  } as const;
  const file = await dark
    .composite([{ input, left: 220, top: 60 }])
    .png()
    .toBuffer();
  return openFrame(file, "snapshot", { resizeWidth: null, label: "picture" });
}

function detect(engine: Engine, frame: Frame, minConfidence = 0.5): Promise<readonly Finding[]> {
  const { signal } = new AbortController();
  return engine.detect(frame, { minConfidence, monitor: null, event: null, signal });
}

/** One pixel of the model's input is about three of the picture. */
function expectBox(found: readonly Finding[], label: string): void {
  expect(found.map((finding) => finding.label)).toEqual([label]);
  const [{ box, confidence } = { box: [], confidence: 0 }] = found;
  for (const [index, edge] of [220, 60, 300, 160].entries()) {
    expect(Math.abs((box[index] ?? 0) - edge), `edge ${index} of ${box.join(",")}`).toBeLessThanOrEqual(4);
  }
  expect(confidence).toBeGreaterThan(0.85);
  expect(confidence).toBeLessThanOrEqual(1);
}

interface Case {
  readonly layout: BlobLayout;
  readonly family: string;
  readonly options?: BlobOptions;
  readonly settings?: Partial<OnnxSettings>;
  readonly labels?: readonly [person: string, car: string];
}

const notes = ultralyticsNotes(CUSTOM);
const cases: readonly Case[] = [
  { layout: "yolov8", family: "YOLOv8/9/11/12" },
  {
    layout: "yolov8",
    family: "YOLOv8/9/11/12",
    options: { classes: 3, metadata: notes },
    labels: ["human", "van"],
  },
  { layout: "yolov5", family: "YOLOv5/7" },
  { layout: "yolov5", family: "YOLOv5/7", options: { width: 320, height: 256 } },
  { layout: "yolov6", family: "YOLOv6", settings: { layout: "yolov6" } },
  { layout: "yolox", family: "YOLOX", settings: { layout: "YOLOX" } },
  { layout: "end2end", family: "end to end" },
  {
    layout: "end2end",
    family: "end to end",
    options: { metadata: ultralyticsNotes(CUSTOM, { end2end: "True" }) },
    labels: ["human", "van"],
  },
  { layout: "rtdetr-ultralytics", family: "RT-DETR (Ultralytics)" },
  { layout: "dfine", family: "D-FINE" },
  { layout: "rtdetr-hf", family: "RT-DETR (Hugging Face)" },
  { layout: "detr", family: "DETR" },
  { layout: "rfdetr", family: "RF-DETR" },
  { layout: "efficient-nms", family: "EfficientNMS" },
  { layout: "yolov7-flat", family: "YOLOv7", settings: { layout: "yolov7_flat" } },
  { layout: "yolonas-flat", family: "YOLO-NAS", settings: { layout: "yolonas-flat" } },
  { layout: "darknet", family: "Darknet" },
  { layout: "yolov4-heads", family: "model zoo" },
  { layout: "ssd", family: "SSD" },
];

describe.each(cases)(
  "$layout, $options",
  ({ layout, family, options, settings, labels = ["person", "car"] }) => {
    test("a bright rectangle is a person, a red one a car, in the pixels of the picture", async () => {
      const engine = await engineFor(save(blobModel(layout, options)), settings);
      expect(engine.description).toContain(family);
      expectBox(await detect(engine, await picture()), labels[0]);
      expectBox(await detect(engine, await picture("#ff0000")), labels[1]);
      expect(await detect(engine, await picture(null))).toEqual([]);
    });
  },
);

describe("what a file leaves open", () => {
  test.each([
    ["what the operator says", { width: 192, height: 160 }, { imgsz: "[64, 96]" }, "192x160"],
    ["what the exporter noted", null, { imgsz: "[160, 192]" }, "192x160"],
  ])("a model of any size is used with %s", async (_, inputSize, imgsz, expected) => {
    const metadata = ultralyticsNotes(NAMES, imgsz);
    const weights = save(blobModel("end2end", { width: 192, height: 160, isDynamic: true, metadata }));
    const engine = await engineFor(weights, { inputSize });
    expect(engine.description).toContain(expected);
    expectBox(await detect(engine, await picture()), "thing 0");
  });

  test("a graph that takes another size than it is given says which keys to set", async () => {
    const weights = save(blobModel("yolov8", { isDynamic: true }));
    await expect(engineFor(weights)).rejects.toThrow(
      new RegExp(
        `^${weights}: it cannot analyze a picture of 640x640: .*set model_width and model_height`,
        "s",
      ),
    );
  });
});

describe("labels", () => {
  test("a file of labels is used before those of the model", async () => {
    const labels = save("\uFEFFMensch\r\nRad\r\nAuto\r\n", "labels.txt");
    const weights = save(blobModel("yolov8", { classes: 3, metadata: notes }));
    const engine = await engineFor(weights, { labels });
    expect(engine.labels).toEqual(["Mensch", "Rad", "Auto"]);
    expectBox(await detect(engine, await picture("#ff0000")), "Auto");
  });

  test("too few labels are said; the others have numbers", async () => {
    const engine = await engineFor(save(blobModel("yolov8")), { labels: save("one\ntwo\n", "two.txt") });
    expect(messages.join()).toContain("knows 80 labels, but only 2 are named");
    expectBox(await detect(engine, await picture("#ff0000")), "class 2");
  });

  test("a model with 5 classes and no names says so", async () => {
    const engine = await engineFor(save(blobModel("yolov8", { classes: 5 })));
    expect(messages.join()).toContain("does not name its 5 labels");
    expect(engine.labels).toBeNull();
    expectBox(await detect(engine, await picture()), "class 0");
  });

  test.each([
    ["missing", null, "cannot be read: ENOENT"],
    ["empty", "\n\n", "is empty"],
    ["binary", "a\0b", "is not a file of labels"],
  ])("a file of labels that is %s is named", async (name, text, message) => {
    const labels = text === null ? join(folder, "none.txt") : save(text, `${name}.txt`);
    const weights = save(blobModel("yolov8"));
    await expect(engineFor(weights, { labels })).rejects.toThrow(message);
    await expect(engineFor(weights, { labels })).rejects.toThrow(labels);
  });
});

describe("models that cannot be used", () => {
  test.each(["segment", "pose", "obb", "classify"])(
    "a model for the task %s is refused by name",
    async (task) => {
      const weights = save(blobModel("yolov8", { metadata: ultralyticsNotes(NAMES, { task }) }));
      await expect(engineFor(weights)).rejects.toThrow(`task ${task}); only detectors`);
    },
  );

  test.each([
    ["yolov6", "yolov6 (YOLOv6) or yolox (YOLOX)"],
    ["yolox", "yolov6 (YOLOv6) or yolox (YOLOX)"],
    ["yolov7-flat", "yolov7-flat (YOLOv7 end to end) or yolonas-flat (YOLO-NAS)"],
  ] as const)("%s needs model_layout, and is told the values", async (layout, values) => {
    const weights = save(blobModel(layout));
    await expect(engineFor(weights)).rejects.toThrow(`${weights} could be of two layouts that look alike. `);
    await expect(engineFor(weights)).rejects.toThrow(`model_layout: ${values}.`);
  });

  test("a model_layout that does not exist is answered with all that do", async () => {
    const weights = save(blobModel("yolov8"));
    await expect(engineFor(weights, { layout: "yolo" })).rejects.toThrow(/"yolo" is not known.*ssd.*yolov8/);
  });

  test("a model_layout that is not the model's says how to get out", async () => {
    const weights = save(blobModel("yolov8"));
    await expect(engineFor(weights, { layout: "rfdetr" })).rejects.toThrow(
      `${weights} is not of the layout rfdetr (model_layout): output labels is missing`,
    );
  });

  test("a cut model and a web page are refused with the file's name", async () => {
    const cut = save(blobModel("yolov8").subarray(0, 3000));
    await expect(engineFor(cut)).rejects.toThrow(
      `${cut} is not an ONNX model that can be read: it is cut short`,
    );
    const page = save("<html>Not found</html>");
    await expect(engineFor(page)).rejects.toThrow(`${page} is not an ONNX model`);
  });

  test("a graph that makes no sense is refused with the file's name and what to do", async () => {
    const weights = save(
      Buffer.from(blobModel("yolov8").toString("latin1").replaceAll("ReduceMax", "ReduceMux"), "latin1"),
    );
    await expect(engineFor(weights)).rejects.toThrow(
      /model-\d+\.onnx cannot be loaded.*ReduceMux.*zmes models check/s,
    );
  });

  test("weights in a second file that did not come along are refused with how to make one of both", async () => {
    await expect(engineFor(save(modelInTwoFiles()))).rejects.toThrow(/onnx\.save\(onnx\.load\("FILE"\)/);
  });

  test("a size that the model does not take is refused with the one it takes", async () => {
    const weights = save(blobModel("yolov8"));
    await expect(engineFor(weights, { inputSize: { width: 640, height: 640 } })).rejects.toThrow(
      "it takes pictures of 128x96 only, not of 640x640: take model_width and model_height out",
    );
  });
});

describe("runs", () => {
  test("overlapping runs do not mix their pictures", async () => {
    const engine = await engineFor(save(blobModel("yolov8")));
    const frames = await Promise.all(["#ffffff", "#ff0000", null].map(picture));
    const jobs = Array.from({ length: 30 }, (_, index) => frames[index % 3]);
    const found = await Promise.all(jobs.map((frame) => frame && detect(engine, frame)));
    expect(found.map((findings) => findings?.[0]?.label)).toEqual(
      jobs.map((_, index) => ["person", "car", undefined][index % 3]),
    );
  });

  test("what is below the confidence is left out", async () => {
    const engine = await engineFor(save(blobModel("yolov8")));
    expect(await detect(engine, await picture("#c8c8c8"), 0.92)).toEqual([]);
    expect(await detect(engine, await picture("#c8c8c8"), 0.7)).toHaveLength(1);
  });

  test("a run that is no longer wanted does not begin", async () => {
    const engine = await engineFor(save(blobModel("yolov8")));
    const signal = AbortSignal.abort(new Error("too late"));
    const context = { minConfidence: 0.5, monitor: null, event: null, signal };
    await expect(engine.detect(await picture(), context)).rejects.toThrow("too late");
  });
});

describe("where models run", () => {
  const broken = { native: () => Promise.reject(new Error("libonnxruntime.so.1: no such file")) };

  test("a GPU that is not there is said once for all models, and the CPU is used", async () => {
    for (const name of ["a.onnx", "b.onnx"]) {
      const engine = await engineFor(save(blobModel("yolov8"), name), { processor: "gpu" });
      expect(engine.description).toMatch(/ CPU$/);
      expectBox(await detect(engine, await picture()), "person");
    }
    expect(messages.filter((message) => message.startsWith("The GPU cannot be used"))).toHaveLength(1);
  });

  test("without a build for this machine, WebAssembly gives the same answer", async () => {
    const web = async () => {
      const module = await import("onnxruntime-web");
      return module;
    };
    const engine = await engineFor(save(blobModel("yolov8")), {}, { ...broken, web });
    expect(engine.description).toMatch(/CPU \(WebAssembly\)$/);
    expectBox(await detect(engine, await picture()), "person");
  });

  test("without either, the message says what to install", async () => {
    const web = () => Promise.reject(new Error("Cannot find package"));
    await expect(engineFor(save(blobModel("yolov8")), {}, { ...broken, web })).rejects.toThrow(
      /libonnxruntime.so.1: no such file.*npm ci.*onnxruntime-web@1\.30\.0/,
    );
  });
});

/** Gives its only weights, which are in weights.data, as its answer. */
function modelInTwoFiles(): Buffer {
  const writer = new BinaryWriter();
  const message = (field: number, write: () => void): void => {
    writer.tag(field, WireType.LengthDelimited).fork();
    write();
    writer.join();
  };
  const text = (field: number, value: string) => writer.tag(field, WireType.LengthDelimited).string(value);
  const number = (field: number, value: number) => writer.tag(field, WireType.Varint).int64(value);
  const value = (field: number, name: string, dims: readonly number[]) =>
    message(field, () => {
      text(1, name);
      message(2, () =>
        message(1, () => {
          number(1, 1);
          message(2, () => {
            for (const size of dims) message(1, () => number(1, size));
          });
        }),
      );
    });
  number(1, 8);
  message(8, () => number(2, 13));
  message(7, () => {
    message(1, () => {
      text(1, "weights");
      text(2, "output0");
      text(4, "Identity");
    });
    message(5, () => {
      for (const size of [1, 84, 252]) number(1, size);
      number(2, 1);
      text(8, "weights");
      message(13, () => {
        text(1, "location");
        text(2, "weights.data");
      });
      number(14, 1);
    });
    value(11, "images", [1, 3, 96, 128]);
    value(12, "output0", [1, 84, 252]);
  });
  return Buffer.from(writer.finish());
}
