import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelFacts, TensorFacts } from "../../../src/detect/onnx/layouts/layout.ts";
import { layoutKeys, layoutNamed, otherTask, recognize } from "../../../src/detect/onnx/layouts/recognize.ts";

type Dims = readonly (number | null)[];

const tensors = (given: Readonly<Record<string, Dims>>): TensorFacts[] =>
  Object.entries(given).map(([name, dims]) => ({ name, type: "float32", dims }));

function keysOf(
  outputs: Readonly<Record<string, Dims>>,
  {
    inputs = { images: [1, 3, 640, 640] },
    ...more
  }: Partial<Omit<ModelFacts, "inputs">> & {
    readonly inputs?: Readonly<Record<string, Dims>>;
  } = {},
): string[] {
  const facts = { labelCount: null, isEndToEnd: false, inputSize: { width: 640, height: 640 }, ...more };
  return recognize({ ...facts, inputs: tensors(inputs), outputs: tensors(outputs) }).map(({ key }) => key);
}

describe("published models are recognized by what their files say", () => {
  test.each([
    ["YOLOv8n of Ultralytics", { output0: [1, 84, 8400] }, { labelCount: 80 }, ["yolov8"]],
    ["YOLO11 without its notes", { output0: [1, 84, 8400] }, {}, ["yolov8"]],
    ["YOLOv8 with one class", { output0: [1, 5, 8400] }, { labelCount: 1 }, ["yolov8"]],
    ["YOLOv8 with two classes", { output0: [1, 6, 8400] }, { labelCount: 2 }, ["yolov8"]],
    ["YOLOv8 with 300 classes", { output0: [1, 304, 8400] }, { labelCount: 300 }, ["yolov8"]],
    ["YOLOv8 at 320x192", { output0: [1, 84, 1260] }, { inputSize: { width: 320, height: 192 } }, ["yolov8"]],
    ["YOLOv5s", { output0: [1, 25200, 85] }, { labelCount: 80 }, ["yolov5"]],
    [
      "YOLOv7-tiny at 416",
      { output: [1, 10647, 85] },
      { inputSize: { width: 416, height: 416 } },
      ["yolov5"],
    ],
    ["YOLOv5 with one class", { output0: [1, 25200, 6] }, { labelCount: 1 }, ["yolov5"]],
    ["YOLOv10 and YOLO26", { output0: [1, 300, 6] }, { isEndToEnd: true, labelCount: 80 }, ["end2end"]],
    ["YOLO26 with two classes", { output0: [1, 300, 6] }, { isEndToEnd: true, labelCount: 2 }, ["end2end"]],
    ["YOLOv10 of its authors", { output0: [1, 300, 6] }, {}, ["end2end"]],
    ["RT-DETR of Ultralytics", { output0: [1, 300, 84] }, { labelCount: 80 }, ["rtdetr-ultralytics"]],
    ["RT-DETR with two classes", { output0: [1, 300, 6] }, { labelCount: 2 }, ["rtdetr-ultralytics"]],
    ["YOLOv6 or YOLOX", { output: [1, 8400, 85] }, {}, ["yolov6", "yolox"]],
    ["YOLOX with one class", { output: [1, 8400, 6] }, { labelCount: 1 }, ["yolov6", "yolox"]],
    ["flat exports", { output: [null, 7] }, {}, ["yolov7-flat", "yolonas-flat"]],
    ["RF-DETR", { dets: [1, 300, 4], labels: [1, 300, 91] }, {}, ["rfdetr"]],
    [
      "D-FINE",
      { labels: [null, 300], boxes: [null, 300, 4], scores: [null, 300] },
      { inputs: { images: [null, 3, 640, 640], orig_target_sizes: [null, 2] } },
      ["dfine"],
    ],
    [
      "DETR of Hugging Face",
      { logits: [1, 100, 92], pred_boxes: [1, 100, 4] },
      { inputs: { pixel_values: [1, 3, 800, 800], pixel_mask: [1, 64, 64] } },
      ["detr"],
    ],
    [
      "RT-DETR of Hugging Face, with outputs besides",
      { logits: [1, 300, 80], pred_boxes: [1, 300, 4], last_hidden_state: [1, 300, 256] },
      { inputs: { pixel_values: [1, 3, 640, 640] } },
      ["rtdetr-hf"],
    ],
    [
      "EfficientNMS",
      { num_dets: [1, 1], det_boxes: [1, 100, 4], det_scores: [1, 100], det_classes: [1, 100] },
      {},
      ["efficient-nms"],
    ],
    ["Darknet, converted", { boxes: [1, 2535, 1, 4], confs: [1, 2535, 80] }, {}, ["darknet"]],
    [
      "YOLOv4 of the model zoo",
      {
        "Identity:0": [1, 52, 52, 3, 85],
        "Identity_1:0": [1, 26, 26, 3, 85],
        "Identity_2:0": [1, 13, 13, 3, 85],
      },
      { inputs: { "input_1:0": [1, 416, 416, 3] } },
      ["yolov4-heads"],
    ],
    [
      "SSD",
      {
        "detection_boxes:0": [null, null, null],
        "detection_classes:0": [null, null],
        "detection_scores:0": [null, null],
        "num_detections:0": [null],
      },
      { inputs: { "image_tensor:0": [null, null, null, 3] } },
      ["ssd"],
    ],
    ["a classifier", { output: [1, 1000] }, {}, []],
    ["something with two outputs of its own", { a: [1, 10], b: [1, 20] }, {}, []],
  ] as const)("%s", (_, outputs, more, expected) => {
    expect(keysOf(outputs as Readonly<Record<string, Dims>>, more)).toEqual(expected);
  });

  test("a wrong number of labels does not hide the layout", () => {
    expect(keysOf({ output0: [1, 84, 8400] }, { labelCount: 79 })).toEqual(["yolov8"]);
  });
});

test("a segmentation model without notes is known by its masks", () => {
  expect(
    otherTask(null, { outputs: tensors({ output0: [1, 116, 8400], output1: [1, 32, 160, 160] }) }),
  ).toContain("segmentation");
  expect(otherTask(null, { outputs: tensors({ output0: [1, 84, 8400] }) })).toBeNull();
  expect(otherTask("depth", { outputs: [] })).toBe('a model for the task "depth"');
});

test("no facts make it throw", () => {
  const dims = fc.array(fc.option(fc.nat(10_000)), { maxLength: 6 });
  const some = fc.array(
    fc.record({
      name: fc.constantFrom(
        "output0",
        "boxes",
        "confs",
        "logits",
        "pred_boxes",
        "dets",
        "labels",
        "pixel_values",
      ),
      type: fc.constantFrom("float32", "int64"),
      dims,
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(
      some,
      some,
      fc.option(fc.nat(100)),
      fc.boolean(),
      (inputs, outputs, labelCount, isEndToEnd) => {
        recognize({ inputs, outputs, labelCount, isEndToEnd, inputSize: { width: 64, height: 64 } });
      },
    ),
  );
});

test("whatever numbers an output holds, decoding ends with candidates or an Error", () => {
  const output = fc.record({
    data: fc.array(fc.oneof(fc.double(), fc.nat(300)), { maxLength: 200 }),
    dims: fc.array(fc.nat(20), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...layoutKeys), output, (key, any) => {
      const outputs = { at: () => any, named: () => any, has: () => true, count: 1 };
      const context = { inputSize: { width: 64, height: 64 }, minScore: 0.2 };
      try {
        expect(layoutNamed(key)?.decode(outputs, context)).toBeInstanceOf(Array);
      } catch (failure) {
        expect((failure as Error).message).toMatch(/cells is none of YOLOv4's/);
      }
    }),
    { numRuns: 500 },
  );
});
