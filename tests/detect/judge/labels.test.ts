// The same thing under different names: in patterns, in tables and in comparisons.
import { describe, expect, it } from "vitest";
import {
  acceptsLabel,
  byLabel,
  canonicalLabel,
  includesLabel,
  meanTheSame,
} from "../../../src/detect/judge/labels.ts";
import { translatePattern } from "../../../src/domain/python-pattern.ts";

function accepts(pattern: string, label: string): boolean {
  const regex = translatePattern(pattern);
  if (!(regex instanceof RegExp)) throw new Error(regex.fault);
  return acceptsLabel(regex, label);
}

/** Darknet's coco.names beside Ultralytics' names. */
const PAIRS = [
  ["motorbike", "motorcycle"],
  ["aeroplane", "airplane"],
  ["sofa", "couch"],
  ["pottedplant", "potted plant"],
  ["diningtable", "dining table"],
  ["tvmonitor", "tv"],
  ["cellphone", "cell phone"],
  ["trafficlight", "traffic light"],
  ["hair drier", "hair dryer"],
] as const;

describe("a pattern that names one spelling", () => {
  it.each(PAIRS)("accepts %s as %s and the other way round", (one, other) => {
    expect(accepts(`(person|${one})$`, other)).toBe(true);
    expect(accepts(`(person|${other})$`, one)).toBe(true);
  });

  it.each(PAIRS)("excludes %s as %s and the other way round", (one, other) => {
    expect(accepts(`^(?!${one})`, other)).toBe(false);
    expect(accepts(`^(?!${other})`, one)).toBe(false);
  });

  it.each([
    ["^(?!air)", "airplane", false],
    ["^(?!air)", "aeroplane", true],
    ["^(?!cell|mob)[a-z ]+", "cell phone", false],
    ["(motorb)", "motorcycle", true],
    ["pottedplants?", "potted plant", true],
  ])("%s, which names none of them, of %s: %s", (pattern, label, expected) => {
    expect(accepts(pattern, label)).toBe(expected);
  });

  it("means the spelling it names when it names both", () => {
    expect(accepts("^(?!motorbike)(person|motorcycle)", "motorcycle")).toBe(true);
    expect(accepts("^(?!motorbike)(person|motorcycle)", "motorbike")).toBe(false);
  });

  it("accepts the original's default list for what today's models say", () => {
    expect(accepts("(person|car|motorbike|bus|truck|boat)", "motorcycle")).toBe(true);
  });

  it.each([
    ["(person|car)", "motorcycle", false],
    ["moto.*", "motorcycle", true],
    [".*", "pottedplant", true],
    ["license_plate", "license plate", true],
    ["(tv)$", "tvmonitor", true],
    ["cell\\ phone", "cellphone", true],
    ["(alpr:.*)", "alpr:ABC123", true],
    ["dog", "hot dog", false],
  ])("%s, %s: %s", (pattern, label, expected) => {
    expect(accepts(pattern, label)).toBe(expected);
  });
});

describe("comparisons", () => {
  it("take blanks, underscores and hyphens for nothing", () => {
    expect(new Set(["cell phone", "cell_phone", "Cell-Phone", "cellphone"].map(canonicalLabel)).size).toBe(1);
  });

  it("find a label in a list and in a table under another name", () => {
    expect(includesLabel(["motorbike"], "motorcycle")).toBe(true);
    expect(byLabel({ airplane: 7 }, "aeroplane")).toBe(7);
    expect(byLabel({ motorbike: 1, motorcycle: 2 }, "motorcycle")).toBe(2);
    expect(byLabel({}, "constructor")).toBeUndefined();
  });

  it("know the operator's own groups", () => {
    expect(meanTheSame([["car", "bus", "truck"]], "bus", "truck")).toBe(true);
    expect(meanTheSame([["car", "bus"], ["truck"]], "bus", "truck")).toBe(false);
    expect(meanTheSame([["bus", "motorbike"]], "motorcycle", "bus")).toBe(true);
  });
});
