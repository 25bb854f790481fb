// The printed answer, character for character, and its JSON as Python would have written it.
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonJson, pythonPercent } from "../../../src/detect/output/python-json.ts";
import { answerText, objectsJson, printedAnswer } from "../../../src/detect/output/text.ts";
import type { Detection, DetectionResult } from "../../../src/domain/detection.ts";

const plain = { showPercent: false, showModels: false, showFrameMark: true };
const percent = { ...plain, showPercent: true };

function seen(label: string, confidence: number, model = "yolo"): Detection {
  return { label, confidence, box: [1, 2, 30, 40], type: "object", model };
}

function aResult(change: Partial<DetectionResult> = {}): DetectionResult {
  return {
    frame: "snapshot",
    detections: [seen("person", 0.9736), seen("car", 0.8512)],
    rejected: [],
    original: { width: 1920, height: 1080 },
    analyzed: { width: 800, height: 450 },
    zones: [],
    timings: [],
    troubles: [],
    ...change,
  };
}

describe("the text", () => {
  it("has percentages with a space after each, also the last", () => {
    expect(answerText(aResult(), percent, true)).toBe("[s] detected:person:97% car:85% ");
  });

  it("has no comma at the end without percentages", () => {
    expect(answerText(aResult({ frame: "alarm" }), plain, true)).toBe("[a] detected:person,car");
  });

  it.each([
    [plain, "[s] detected:person,car"],
    [percent, "[s] detected:person:97% car:85% "],
  ])("names each label once, with what was said of the first (%o)", (output, text) => {
    const detections = [seen("person", 0.97), seen("car", 0.85), seen("person", 0.4)];
    expect(answerText(aResult({ detections }), output, true)).toBe(text);
  });

  it("names the model before each label when asked to", () => {
    expect(answerText(aResult(), { ...percent, showModels: true }, true)).toBe(
      "[s] detected:(yolo) person:97% (yolo) car:85% ",
    );
    expect(answerText(aResult(), { ...plain, showModels: true }, true)).toBe(
      "[s] detected:(yolo) person,(yolo) car",
    );
  });

  it.each([
    ["alarm", true, "[a] "],
    ["snapshot", true, "[s] "],
    ["21", true, "[x] "],
    ["single", true, "[x] "],
    ["alarm", false, "[x] "],
    ["snapshot", false, "[x] "],
  ])("marks frame %s, best match %s, with %s", (frame, isBestMatch, mark) => {
    expect(answerText(aResult({ frame }), plain, isBestMatch).slice(0, 4)).toBe(mark);
  });

  it("has no mark when it is not wanted", () => {
    expect(answerText(aResult(), { ...plain, showFrameMark: false }, true)).toBe("detected:person,car");
  });

  it("is empty when nothing was found", () => {
    expect(printedAnswer(aResult({ detections: [] }), percent, true)).toBe("");
  });
});

describe("the JSON", () => {
  it("follows the text at once and has Python's separators", () => {
    expect(printedAnswer(aResult(), percent, true)).toBe(
      '[s] detected:person:97% car:85% --SPLIT--{"labels": ["person", "car"], "boxes": [[1, 2, 30, 40], [1, 2, 30, 40]], ' +
        '"frame_id": "snapshot", "confidences": [0.9736, 0.8512], ' +
        '"image_dimensions": {"original": [1080, 1920], "resized": [450, 800]}}',
    );
  });

  it("says null for a size that did not change", () => {
    const analyzed = { width: 1920, height: 1080 };
    expect(printedAnswer(aResult({ analyzed }), percent, true)).toContain('"resized": null');
  });

  it("has detections for the training page in objects.json only", () => {
    expect(printedAnswer(aResult(), plain, true)).not.toContain("detections");
    expect(JSON.parse(objectsJson(aResult()))).toMatchObject({
      labels: ["person", "car"],
      detections: [
        { label: "person", confidence: 0.9736, bbox: [1, 2, 30, 40] },
        { label: "car", confidence: 0.8512, bbox: [1, 2, 30, 40] },
      ],
    });
  });

  it.each([
    [1, "1.0"],
    [0, "0.0"],
    [-0, "-0.0"],
    [0.00001, "1e-05"],
    [0.0001, "0.0001"],
    [0.000012345, "1.2345e-05"],
    [1e16, "1e+16"],
    [123456789012345680, "1.2345678901234568e+17"],
    [0.1 + 0.2, "0.30000000000000004"],
    [0.9735999703407288, "0.9735999703407288"],
  ])("prints the float %s as %s", (float, text) => {
    expect(pythonJson({ float })).toBe(text);
  });

  it.each([
    ["Zürich", '"Z\\u00fcrich"'],
    ["🚗", '"\\ud83d\\ude97"'],
    ['a"\\\n\t\u0001\u007f', '"a\\"\\\\\\n\\t\\u0001\\u007f"'],
  ])("escapes %s as Python does", (text, json) => {
    expect(pythonJson(text)).toBe(json);
  });

  it("means the same text to any reader", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(JSON.parse(pythonJson(text))).toBe(text);
        expect(pythonJson(text)).toMatch(/^[ -~]*$/);
      }),
    );
  });
});

describe("percentages", () => {
  it.each([
    [0.905, "90%"],
    [0.915, "92%"],
    [0.125, "12%"],
    [0.995, "100%"],
    [0.985, "98%"],
    [0.005, "0%"],
    [0.015, "2%"],
    [0.9736, "97%"],
    [1, "100%"],
    [0, "0%"],
  ])("%s is %s", (share, text) => {
    expect(pythonPercent(share)).toBe(text);
  });
});

const python = ((): string | null => {
  try {
    execFileSync("python3", ["-c", "pass"]);
    return "python3";
  } catch {
    return null;
  }
})();

describe.runIf(python !== null)("beside Python itself", () => {
  it("prints the same floats and percentages", () => {
    const values = [
      ...fc.sample(fc.double({ noNaN: true }), 500),
      ...fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), 500),
      ...Array.from({ length: 200 }, (_, at) => (at + 0.5) / 100),
    ].filter(Number.isFinite);
    const program =
      "import sys,json\nfor v in json.load(sys.stdin):\n v=float(v)\n print(json.dumps(v), '{:.0%}'.format(v) if 0<=v<=2 else '-')";
    const printed = execFileSync(python ?? "", ["-c", program], {
      // As text: JSON.stringify loses the sign of -0.
      input: JSON.stringify(values.map((value) => (Object.is(value, -0) ? "-0.0" : String(value)))),
      encoding: "utf8",
    });
    expect(
      values.map(
        (value) => `${pythonJson({ float: value })} ${value >= 0 && value <= 2 ? pythonPercent(value) : "-"}`,
      ),
    ).toEqual(
      printed
        .trimEnd()
        .split("\n")
        .map((line) => line.replace("-0%", "0%")),
    );
  });
});
