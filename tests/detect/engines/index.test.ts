// Settings become the engine they describe.
import { pino } from "pino";
import { expect, test } from "vitest";
import { createEngine } from "../../../src/detect/engines/index.ts";
import type { EngineSettings } from "../../../src/domain/detect-settings.ts";

const OPTIONS = { threads: 1, cacheFolder: "/nonexistent", logger: pino({ level: "silent" }) };
const HOG: EngineSettings = {
  kind: "hog",
  stride: [4, 4],
  padding: [8, 8],
  scale: 1.05,
  useMeanShift: false,
  minWeight: 0,
};

test.each<[EngineSettings, string]>([
  [HOG, "HOG people detector"],
  [
    {
      kind: "remote",
      protocol: "pyzm",
      url: "http://gpu:5000",
      user: null,
      password: null,
      timeoutMs: 1,
      allowSelfSigned: false,
      fallback: HOG,
    },
    "pyzm.serve at http://gpu:5000",
  ],
  [{ kind: "command", argv: ["/usr/bin/faces"], timeoutMs: 1 }, "the program /usr/bin/faces"],
  [
    {
      kind: "plates",
      url: "http://plates:8080/v1",
      key: null,
      regions: [],
      payload: null,
      config: null,
      minDetectionScore: 0,
      minScore: 0,
      timeoutMs: 1,
    },
    "Plate Recognizer at http://plates:8080",
  ],
])("%j", async (settings, description) => {
  const engine = await createEngine(settings, OPTIONS);
  expect(engine.description).toContain(description);
  await engine.close();
});

test.each<[EngineSettings]>([
  [
    {
      kind: "onnx",
      weights: "/none/such.onnx",
      labels: null,
      layout: null,
      inputSize: null,
      processor: "cpu",
    },
  ],
  [
    {
      kind: "darknet",
      config: "/none/such.cfg",
      weights: "/none/such.weights",
      labels: null,
      processor: "cpu",
    },
  ],
])("files that are not there are named: %j", async (settings) => {
  await expect(createEngine(settings, OPTIONS)).rejects.toThrow("/none/such");
});
