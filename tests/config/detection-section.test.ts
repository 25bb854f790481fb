import { describe, expect, it } from "vitest";
import { sectionSettings } from "../../src/config/detection-section.ts";
import { configSchema } from "../../src/config/schema.ts";

const FOLDER = "/var/lib/zmeventnotification/models";
const read = (section: Record<string, unknown>, present: readonly string[] = []) =>
  sectionSettings(configSchema.parse({ detection: section }).detection, FOLDER, present);
const engineOf = (section: Record<string, unknown>, present: readonly string[] = []) => {
  const read_ = read(section, present);
  return "failed" in read_ ? read_ : read_.settings.sequence[0]?.models[0]?.engine;
};

describe("the section detection alone", () => {
  it("looks for people with OpenCV where there is no model", () => {
    expect(engineOf({})).toMatchObject({ kind: "hog", stride: [4, 4], minWeight: 0.7 });
  });

  it("is refused with a pattern that cannot be used", () => {
    expect(read({ pattern: "((person" })).toEqual({
      failed: expect.stringMatching(/^detection.pattern "\(\(person" is no pattern that can be used: /),
    });
  });

  it("takes the one model in the folder, of either kind", () => {
    expect(engineOf({}, ["a.onnx", "models.json"])).toMatchObject({
      kind: "onnx",
      weights: `${FOLDER}/a.onnx`,
    });
    expect(engineOf({}, ["y.weights", "y.cfg"])).toMatchObject({
      kind: "darknet",
      weights: `${FOLDER}/y.weights`,
      config: `${FOLDER}/y.cfg`,
    });
  });

  it("says which models there are where it cannot choose", () => {
    expect(read({}, ["a.onnx", "b.onnx"])).toMatchObject({
      warnings: [expect.stringMatching(/several models \(a.onnx, b.onnx\).*hog looks for people/)],
    });
    expect(read({ engine: "onnx" }, ["a.onnx", "b.onnx"])).toEqual({
      failed: expect.stringMatching(/name one/),
    });
  });

  it("takes a name in the folder or a path, and whatever engine was named", () => {
    expect(engineOf({ model: "b.onnx" }, ["a.onnx", "b.onnx"])).toMatchObject({
      weights: `${FOLDER}/b.onnx`,
    });
    expect(engineOf({ model: "/x/y.weights", model_config: "/x/z.cfg" })).toMatchObject({
      config: "/x/z.cfg",
    });
    expect(engineOf({ engine: "hog", model: "b.onnx" })).toMatchObject({ kind: "hog" });
  });

  it("says the way out where there is no such model", () => {
    expect(engineOf({ engine: "darknet" }, ["a.onnx"])).toEqual({
      failed: expect.stringMatching(/zmes models add/),
    });
    expect(engineOf({ model: "a.pt" })).toEqual({
      failed: expect.stringMatching(/neither .onnx nor .weights/),
    });
  });

  it("means percent where it says percent, and nothing by 100 and 0", () => {
    const section = { min_confidence: 45, max_detection_size: 90, resize: 640, zone_min_overlap: 10 };
    expect(read(section)).toMatchObject({
      settings: {
        frames: { frameSet: ["snapshot", "alarm"], resizeWidth: 640 },
        sequence: [{ maxDetectionSize: { unit: "percent", value: 90 }, models: [{ minConfidence: 0.45 }] }],
        zones: { minOverlapPercent: 10 },
      },
    });
    expect(read({}, ["a.onnx"])).toMatchObject({
      settings: { frames: { resizeWidth: null }, sequence: [{ maxDetectionSize: null }] },
    });
  });
});
