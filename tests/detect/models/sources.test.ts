import { expect, test } from "vitest";
import { planSources } from "../../../src/detect/models/sources.ts";

const roles = (...names: string[]) => {
  const plan = planSources(names);
  return typeof plan === "string" ? plan : plan.files.map(({ role, name }) => `${role} ${name}`);
};

test("an ONNX file is a model of its own", () => {
  expect(planSources(["yolo11n.onnx"])).toEqual({
    kind: "onnx",
    name: "yolo11n.onnx",
    files: [{ role: "weights", source: 0, name: "yolo11n.onnx" }],
  });
});

test("files of Darknet are kept under one name, in whatever order they are named", () => {
  const plan = planSources(["coco.names", "tiny.cfg", "yolov4-tiny.WEIGHTS"]);
  expect(plan).toMatchObject({ kind: "darknet", name: "yolov4-tiny.WEIGHTS" });
  expect(roles("coco.names", "tiny.cfg", "yolov4-tiny.weights")).toEqual([
    "weights yolov4-tiny.weights",
    "config yolov4-tiny.cfg",
    "labels yolov4-tiny.names",
  ]);
});

test.each([
  [["a.weights"], "the .cfg that belongs to the .weights is missing"],
  [["a.cfg"], "it takes an .onnx file"],
  [["a.onnx", "b.onnx"], "one model at a time"],
  [["a.onnx", "b.cfg"], "needs no .cfg"],
  [["a.pt"], "yolo export model=FILE.pt format=onnx"],
  [["a.tflite"], "cannot be used"],
  [["a.zip"], "a.zip is neither"],
  [["-rf.onnx"], "not a name for a model"],
  [["..onnx"], "not a name for a model"],
  [["a b.onnx"], "not a name for a model"],
  [[""], " is neither"],
])("%j is answered with what is wrong", (names, message) => {
  expect(planSources(names)).toContain(message);
});
