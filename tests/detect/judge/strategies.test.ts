// Which model's and which picture's answer counts.
import { describe, expect, it } from "vitest";
import { combined, winner } from "../../../src/detect/judge/strategies.ts";
import type { Detection } from "../../../src/domain/detection.ts";

/** "car", or "car@plates" of another model, or "car:0.4". */
function seen(text: string): Detection {
  const [, label = "", model = "yolo", confidence = "0.9"] =
    /^([a-z]+)(?:@([a-z]+))?(?::([\d.]+))?$/.exec(text) ?? [];
  return { label, model, confidence: Number(confidence), box: [0, 0, 1, 1], type: "object" };
}

const list = (text: string): Detection[] =>
  text
    .split(" ")
    .filter((each) => each !== "")
    .map(seen);

describe("models of one kind", () => {
  it.each([
    ["first", ["", "car", "car car"], "car"],
    ["most", ["car", "car car", "dog dog"], "car car"],
    ["most_unique", ["car car car", "car dog", "cat dog"], "car dog"],
    ["union", ["car", "", "car dog"], "car car dog"],
    ["first", [], ""],
    ["most", [], ""],
    ["most_unique", ["", ""], ""],
  ] as const)("%s of %j: %s", (strategy, answers, expected) => {
    expect(combined(strategy, answers.map(list))).toEqual(list(expected));
  });
});

describe("pictures", () => {
  it.each([
    ["first", ["", "car", "car dog"], 1],
    ["most", ["car", "car dog", "cat dog"], 1],
    ["most_unique", ["car car car", "car dog"], 1],
    ["most_models", ["car car car", "car face@faces"], 1],
    ["most_models", ["car", "car car"], 1],
    ["most_models", ["car:0.5", "car:0.6"], 1],
    ["most_models", ["car", "dog"], 0],
    ["most", ["car", "dog"], 0],
    ["most_models", ["", ""], null],
    ["first", [], null],
  ] as const)("%s of %j: %s", (strategy, frames, expected) => {
    const answers = frames.map((text, at) => ({ at, detections: list(text) }));
    expect(winner(strategy, answers)?.at ?? null).toBe(expected);
  });
});
