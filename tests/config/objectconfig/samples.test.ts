import { describe, expect, it } from "vitest";
import { noted, sample } from "./reading-files.ts";

describe("objectconfig.ini of version 3.2", () => {
  it("looks with Darknet at both pictures, one after the other", () => {
    expect(sample("v3.2.ini").settingsFor(null)).toMatchObject({
      frames: {
        frameSet: ["alarm", "snapshot"],
        isBestMatch: true,
        resizeWidth: 600,
        portal: {
          url: "https://zm.example.org/zm",
          user: "guard",
          password: "hunter2#still",
          allowSelfSigned: false,
        },
      },
      frameStrategy: "first",
      sequence: [
        {
          pattern: "(person|car)",
          models: [
            {
              name: "yolo",
              minConfidence: 0.5,
              engine: {
                kind: "darknet",
                config: "/models/yolov3-tiny.cfg",
                weights: "/models/yolov3-tiny.weights",
                labels: "/models/coco.names",
              },
            },
          ],
        },
      ],
      zones: { own: [], useZoneMinder: false, patternReplaces: true },
      output: { showPercent: true, writeImageToZm: false, polygonColor: [30, 20, 10] },
    });
  });

  it("has a pattern and polygons for single monitors", () => {
    const { sequence, zones } = sample("v3.2.ini").settingsFor(2);
    expect(sequence[0]?.pattern).toBe("^(?!car)");
    expect(zones.own).toEqual([
      {
        name: "drive",
        points: [
          [0, 0],
          [32, 0],
          [32, 48],
          [0, 48],
        ],
        unit: "pixels",
        pattern: null,
        ignorePattern: null,
      },
    ]);
  });

  it("looks for people as [hog] says when detect_hog.py asks", () => {
    expect(sample("v3.2.ini").settingsFor(2, { engine: "hog" }).sequence).toMatchObject([
      {
        pattern: "^(?!car)",
        models: [
          {
            minConfidence: 0,
            engine: {
              kind: "hog",
              stride: [8, 8],
              padding: [16, 16],
              scale: 1.1,
              useMeanShift: false,
              minWeight: 0.5,
            },
          },
        ],
      },
    ]);
  });

  it("says what has no effect any more, and what has one that version 3.2 only promised", () => {
    const { problems, notes } = sample("v3.2.ini").review();
    expect(problems).toEqual([]);
    expect(notes.map(({ line, key, why }) => `${line} ${key}: ${why}`)).toEqual([
      expect.stringMatching(/^6 general.image_path: .*nothing is downloaded/),
      expect.stringMatching(/^10 general.delete_after_analyze: .*nothing is downloaded/),
      expect.stringMatching(/^12 general.log_level: .*section logging/),
      expect.stringMatching(/^24 yolo.weights: .*3.2 itself did not read it/),
      expect.stringMatching(/^26 yolo.write_bounding_boxes: .*in \[general\] only/),
    ]);
  });
});

describe("objectconfig.ini of version 6", () => {
  const config = sample("v6.ini");
  const settings = config.settingsFor(null);

  it("has pictures and patience as stream_sequence says", () => {
    expect(settings.frames).toEqual({
      frameSet: ["alarm", "snapshot"],
      isBestMatch: true,
      waitMs: 2000,
      maxAttempts: 2,
      sleepBetweenAttemptsMs: 500,
      delayBetweenFramesMs: 0,
      delayBetweenSnapshotsMs: 0,
      contiguousErrors: 3,
      maxFrames: null,
      convertSnapshotToFrame: false,
      resizeWidth: 640,
      portal: {
        url: "https://zm.example.org/zm",
        apiUrl: null,
        user: "guard",
        password: "hunter2",
        allowSelfSigned: true,
      },
    });
    expect(settings.frameStrategy).toBe("most_models");
  });

  it("has the models that can be used, with templates and secrets put in", () => {
    expect(settings.sequence).toEqual([
      {
        type: "object",
        pattern: "(person|car|motorbike)",
        preExistingLabels: [],
        strategy: "first",
        maxDetectionSize: { unit: "percent", value: 80 },
        maxDetectionSizes: { person: { unit: "percent", value: 60 } },
        models: [
          {
            name: "YOLO v11",
            engine: {
              kind: "onnx",
              weights: "/srv/zmes/models/yolo11n.onnx",
              labels: null,
              layout: null,
              inputSize: { width: 640, height: 384 },
              processor: "gpu",
            },
            minConfidence: 0.6,
            maxDetectionSize: null,
            preExistingLabels: [],
          },
          {
            name: "Darknet",
            engine: {
              kind: "darknet",
              config: "/srv/zmes/models/yolov4.cfg",
              weights: "/srv/zmes/models/yolov4.weights",
              labels: "/srv/zmes/models/coco.names",
              processor: "cpu",
            },
            minConfidence: 0.3,
            maxDetectionSize: null,
            preExistingLabels: [],
          },
        ],
      },
      expect.objectContaining({
        type: "alpr",
        preExistingLabels: ["car", "truck"],
        models: [
          {
            name: "Plates",
            engine: {
              kind: "plates",
              url: "https://api.platerecognizer.com/v1",
              key: "abc123",
              regions: ["de", "at"],
              payload: null,
              config: { region: "strict", threshold_d: 0.1 },
              minDetectionScore: 0.1,
              minScore: 0.2,
              timeoutMs: 15_000,
            },
            minConfidence: 0,
            maxDetectionSize: null,
            preExistingLabels: [],
          },
        ],
      }),
    ]);
  });

  it("has what comes after: past detections, aliases, texts, pictures, animations", () => {
    expect(settings).toMatchObject({
      past: {
        isOn: true,
        maxDifference: { unit: "percent", value: 10 },
        maxDifferences: { car: { unit: "pixels", value: 4000 } },
        ignoredLabels: ["dog", "cat"],
      },
      aliases: [
        ["bus", "truck"],
        ["dog", "cat"],
      ],
      output: {
        showPercent: true,
        writeImageToZm: true,
        debugFolder: null,
        polygonColor: [0, 0, 255],
        animation: { types: ["mp4", "gif"], width: 320, isFastGif: false, maxTries: 3, retryMs: 15_000 },
      },
    });
  });

  it("has for a monitor its polygons with their patterns, and what templates make of its keys", () => {
    const { sequence, zones, frames } = config.settingsFor(3);
    expect(sequence[0]?.pattern).toBe("(person)");
    expect(frames.waitMs).toBe(5000);
    expect(zones).toMatchObject({
      patternReplaces: true,
      own: [
        {
          name: "porch",
          points: [
            [306, 356],
            [1003, 341],
            [1074, 683],
            [154, 715],
          ],
          pattern: "(person|dog)",
        },
        { name: "street", points: [], pattern: "(car)" },
      ],
    });
  });

  it("lists every key that has no effect, each with its line", () => {
    expect(config.review().problems).toEqual([]);
    expect(noted(config)).toEqual([
      "3 general.version",
      "9 general.cpu_max_processes",
      "10 general.cpu_max_lock_wait",
      "11 general.pyzm_overrides",
      "32 remote.ml_fallback_local",
      "33 remote.ml_user",
      "34 remote.ml_password",
      "42 ml.ml_sequence.general.disable_locks",
      "65 ml.ml_sequence.object.sequence[2]",
      "78 ml.ml_sequence.face.sequence[0]",
      "94 ml.ml_sequence.alpr.sequence[0].platerec_stats",
      "107 ml.stream_sequence.download",
      "109 ml.disable_locks",
      "121 monitor-3.wiat",
    ]);
  });

  it("shows no secret in what it says, and the way out of what it cannot do", () => {
    const { notes } = config.review();
    expect(JSON.stringify(notes)).not.toMatch(/hunter2|abc123|ml-word|log_level_debug/);
    expect(notes.find(({ key }) => key === "monitor-3.wiat")).toMatchObject({
      value: "7",
      why: "it is not known; did you mean wait?",
    });
    expect(notes.find(({ line }) => line === 65)?.why).toMatch(/Coral.*set the framework to command/);
    expect(notes.find(({ key }) => key === "remote.ml_user")).toMatchObject({ value: "(defined)" });
  });
});

describe("objectconfig.ini of version 6 with use_sequence = no", () => {
  it("means the single keys", () => {
    expect(sample("v6-old-keys.ini").settingsFor(null)).toMatchObject({
      frames: { frameSet: ["snapshot", "alarm"], resizeWidth: null, portal: null },
      frameStrategy: "first",
      sequence: [
        {
          type: "object",
          pattern: "(person)",
          models: [{ minConfidence: 0.35, engine: { kind: "darknet", weights: "/models/yolov4.weights" } }],
        },
        {
          type: "alpr",
          preExistingLabels: ["car", "motorbike", "bus", "truck", "boat"],
          models: [{ engine: { kind: "plates", url: "http://192.0.2.9:8080/v1", key: null } }],
        },
      ],
    });
  });

  it("lists what it cannot do", () => {
    expect(noted(sample("v6-old-keys.ini"))).toEqual([
      "7 general.detection_mode",
      "21 face.face_detection_framework",
      "22 face.known_images_path",
    ]);
  });
});

describe("objectconfig.yml of version 7", () => {
  const config = sample("v7.yml", { rule: "bottom_center", minOverlapPercent: 20, layout: "yolox" });
  const settings = config.settingsFor(null);

  it("is read with its sections, secrets and the template base_data_path", () => {
    expect(settings).toMatchObject({
      frames: {
        frameSet: ["snapshot", "alarm", "21"],
        waitMs: 1000,
        resizeWidth: 800,
        portal: { user: "guard", password: "hunter2" },
      },
      frameStrategy: "first",
      sequence: [
        {
          type: "object",
          pattern: "(person|car|motorbike|bus|truck|boat)",
          maxDetectionSize: { unit: "percent", value: 90 },
          models: [
            {
              name: "ONNX",
              minConfidence: 0.35,
              engine: { kind: "onnx", weights: "/srv/zmes/models/yolo11n.onnx", layout: "yolox" },
            },
          ],
        },
      ],
      zones: {
        own: [],
        useZoneMinder: true,
        patternReplaces: false,
        rule: "bottom_center",
        minOverlapPercent: 20,
      },
      past: { isOn: true },
      aliases: [["car", "truck"]],
      output: { showPercent: true, showFrameMark: false, polygonColor: [255, 128, 0], animation: null },
    });
  });

  it("does not take max_size for the largest size of a detection", () => {
    expect(settings.sequence[0]?.models[0]?.maxDetectionSize).toBeNull();
  });

  it("has a monitor's keys merged into the others, and its zones", () => {
    const { sequence, zones, frames } = config.settingsFor(3);
    expect(frames.waitMs).toBe(4000);
    expect(sequence[0]).toMatchObject({
      pattern: "(person)",
      maxDetectionSize: { value: 90 },
      models: [{ name: "ONNX" }],
    });
    expect(zones.own).toMatchObject([
      { name: "Porch", pattern: "(person|dog)", ignorePattern: "(cat)" },
      { name: "street", points: [], pattern: null, ignorePattern: "car" },
    ]);
  });

  it("lists every key that has no effect, each with its line", () => {
    expect(config.review().problems).toEqual([]);
    expect(noted(config)).toEqual([
      "8 general.pyzm_overrides",
      "13 general.tag_detected_objects",
      "17 push.enabled",
      "20 remote.ml_gateway_mode",
      "40 ml.ml_sequence.object.sequence[0].max_size",
      "45 ml.ml_sequence.face.sequence[0]",
      "53 ml.ml_sequence.audio",
    ]);
  });
});
