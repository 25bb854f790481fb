// Each filter's yes and no, their order, and both ways in which zones have patterns.
import { describe, expect, it } from "vitest";
import { type FilterContext, refusalOf } from "../../../src/detect/judge/filters.ts";
import type { SearchZone } from "../../../src/detect/judge/zones.ts";
import type { AreaLimit } from "../../../src/domain/detect-settings.ts";
import type { Detection } from "../../../src/domain/detection.ts";
import { translatePattern } from "../../../src/domain/python-pattern.ts";

const pattern = (text: string): RegExp => {
  const regex = translatePattern(text);
  if (!(regex instanceof RegExp)) throw new Error(regex.fault);
  return regex;
};

function seen(label = "person", change: Partial<Detection> = {}): Detection {
  return { label, confidence: 0.9, box: [10, 10, 30, 30], type: "object", model: "yolo", ...change };
}

function context(change: Partial<FilterContext> = {}): FilterContext {
  return {
    group: { pattern: "(person|car)", maxDetectionSize: null, maxDetectionSizes: {} },
    pattern: pattern("(person|car)"),
    model: { minConfidence: 0.5, maxDetectionSize: null },
    size: { width: 100, height: 100 },
    zones: [],
    zoneSettings: { rule: "touches", minOverlapPercent: 0, patternReplaces: false },
    ...change,
  };
}

function zone(name: string, change: Partial<Record<"pattern" | "ignorePattern", string>> = {}): SearchZone {
  return {
    name,
    points: [
      [0, 0],
      [50, 0],
      [50, 50],
      [0, 50],
    ],
    pattern: change.pattern === undefined ? null : pattern(change.pattern),
    ignorePattern: change.ignorePattern === undefined ? null : pattern(change.ignorePattern),
  };
}

const far: SearchZone = {
  ...zone("far"),
  points: [
    [80, 80],
    [90, 80],
    [90, 90],
  ],
};
const replaces = { rule: "touches", minOverlapPercent: 0, patternReplaces: true } as const;

describe("single filters", () => {
  it("lets through what all accept", () => {
    expect(refusalOf(seen(), context({ zones: [far, zone("near")] }))).toBeNull();
  });

  it.each<[string, Detection, Partial<FilterContext>, string, string]>([
    ["pattern", seen("dog"), {}, "pattern", "(person|car)"],
    [
      "confidence",
      seen("car", { confidence: 0.4996 }),
      {},
      "confidence",
      "0.4996 is below 0.5 (min_confidence)",
    ],
    ["zone", seen(), { zones: [far] }, "zone", "far"],
  ])("%s", (_, detection, change, reason, words) => {
    expect(refusalOf(detection, context(change))).toMatchObject({
      reason,
      detail: expect.stringContaining(words),
      detection,
    });
  });

  it("accepts exactly the least confidence", () => {
    expect(refusalOf(seen("car", { confidence: 0.5 }), context())).toBeNull();
  });

  it("names the first filter that refuses", () => {
    const weak = seen("dog", { confidence: 0.1 });
    expect(refusalOf(weak, context({ zones: [far] }))?.reason).toBe("pattern");
  });

  it("accepts everything where the group's pattern could not be used", () => {
    expect(refusalOf(seen("dog"), context({ pattern: null }))).toBeNull();
  });
});

describe("max_detection_size", () => {
  const percent = (value: number): AreaLimit => ({ unit: "percent", value });
  const pixels = (value: number): AreaLimit => ({ unit: "pixels", value });

  it.each<[string, AreaLimit | null, AreaLimit | null, Record<string, AreaLimit>, boolean]>([
    ["exactly as large as the group allows", percent(4), null, {}, true],
    ["larger than the group allows", percent(3.9), null, {}, false],
    ["exactly as many pixels", pixels(400), null, {}, true],
    ["more pixels", pixels(399), null, {}, false],
    ["the model's limit wins over the group's", percent(1), percent(50), {}, true],
    ["the label's wins over both", percent(50), percent(50), { person: pixels(10) }, false],
    ["another label's does not count", null, null, { car: pixels(10) }, true],
  ])("%s", (_, ofGroup, ofModel, ofLabels, isAccepted) => {
    const refusal = refusalOf(
      seen(),
      context({
        group: { pattern: "", maxDetectionSize: ofGroup, maxDetectionSizes: ofLabels },
        model: { minConfidence: 0.5, maxDetectionSize: ofModel },
      }),
    );
    expect(refusal?.reason ?? null).toBe(isAccepted ? null : "size");
  });

  it("knows a label under another spelling", () => {
    const group = { pattern: "", maxDetectionSize: null, maxDetectionSizes: { motorbike: pixels(10) } };
    expect(refusalOf(seen("motorcycle"), context({ group, pattern: null }))?.reason).toBe("size");
  });
});

describe("patterns of zones, as version 7 has them", () => {
  it.each<[string, string, readonly SearchZone[], string | null]>([
    ["narrow the group's", "car", [zone("a", { pattern: "person" })], "zone-pattern"],
    ["cannot widen it", "dog", [zone("a", { pattern: "dog" })], "pattern"],
    ["leave it to the next zone", "car", [zone("a", { pattern: "person" }), zone("b")], null],
    ["ignore what they name", "car", [zone("a", { ignorePattern: "car" })], "zone-pattern"],
    ["ignore it there only", "car", [zone("a", { ignorePattern: "car" }), zone("b")], null],
    [
      "do not count where the box is not",
      "car",
      [{ ...far, pattern: pattern("car") }, zone("b", { pattern: "person" })],
      "zone-pattern",
    ],
  ])("%s", (_, label, zones, reason) => {
    expect(refusalOf(seen(label), context({ zones }))?.reason ?? null).toBe(reason);
  });
});

describe("patterns of zones, as versions 3 to 6 have them", () => {
  it.each<[string, string, readonly SearchZone[], string | null]>([
    ["replace the group's", "dog", [zone("a", { pattern: "dog" })], null],
    ["replace it both ways", "person", [zone("a", { pattern: "dog" })], "zone-pattern"],
    [
      "decide in the first zone that is met",
      "person",
      [zone("a", { pattern: "dog" }), zone("b")],
      "zone-pattern",
    ],
    [
      "leave the group's in zones without one",
      "dog",
      [zone("a"), { ...far, pattern: pattern("dog") }],
      "pattern",
    ],
    ["do not reach beyond their zone", "person", [far, zone("b")], null],
  ])("%s", (_, label, zones, reason) => {
    expect(refusalOf(seen(label), context({ zones, zoneSettings: replaces }))?.reason ?? null).toBe(reason);
  });
});
