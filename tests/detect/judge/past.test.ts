// Parked cars: what counts as the same thing in the same place, and how it is remembered from event to event.
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lastOther, type PastRun, pastRefusal, readPast, savePast } from "../../../src/detect/judge/past.ts";
import type { PastSettings } from "../../../src/domain/detect-settings.ts";
import type { Box, Detection } from "../../../src/domain/detection.ts";
import { temporaryFolder } from "../../support/folders.ts";

const size = { width: 1000, height: 1000 };

function run(event: number, label = "car", box: Box = [100, 100, 200, 200]): PastRun {
  return { event, size, seen: [{ label, box }] };
}

function seen(label: string, box: Box): Detection {
  return { label, confidence: 0.9, box, type: "object", model: "yolo" };
}

function settings(change: Partial<PastSettings> = {}): PastSettings {
  return {
    isOn: true,
    maxDifference: { unit: "percent", value: 5 },
    maxDifferences: {},
    ignoredLabels: [],
    ...change,
  };
}

const isPast = (
  detection: Detection,
  past = run(1),
  change: Partial<PastSettings> = {},
  aliases: string[][] = [],
) => pastRefusal(detection, past, settings(change), aliases, size) !== null;

describe("the same thing in the same place", () => {
  it.each<[string, Box, number, boolean]>([
    ["the very same", [100, 100, 200, 200], 0, true],
    ["5% of the old one uncovered", [105, 100, 205, 200], 5, true],
    ["a little more", [106, 100, 206, 200], 5, false],
    ["the new one contains the old one: relative to the new", [100, 100, 200, 205], 5, true],
    ["the new one contains it and is much larger", [100, 100, 200, 220], 5, false],
    ["the old one contains the new one: relative to the old", [100, 100, 200, 195], 5, true],
    ["only touching", [200, 100, 300, 200], 99, false],
    ["touching, with any difference allowed", [200, 100, 300, 200], 100, true],
    ["elsewhere, with any difference allowed", [201, 100, 300, 200], 100, false],
  ])("%s", (_, box, value, expected) => {
    expect(isPast(seen("car", box), run(1), { maxDifference: { unit: "percent", value } })).toBe(expected);
  });

  it("may differ by an area in pixels", () => {
    const box: Box = [105, 100, 205, 200];
    expect(isPast(seen("car", box), run(1), { maxDifference: { unit: "pixels", value: 500 } })).toBe(true);
    expect(isPast(seen("car", box), run(1), { maxDifference: { unit: "pixels", value: 499 } })).toBe(false);
  });

  it("may differ as its own label allows", () => {
    const box: Box = [150, 100, 250, 200];
    const maxDifferences = {
      automobile: { unit: "percent", value: 0 },
      motorbike: { unit: "percent", value: 60 },
    } as const;
    expect(isPast(seen("motorcycle", box), run(1, "motorbike"), { maxDifferences })).toBe(true);
    expect(isPast(seen("car", box), run(1), { maxDifferences })).toBe(false);
  });

  it.each([
    ["person", "car", [], false],
    ["motorcycle", "motorbike", [], true],
    ["bus", "car", [], false],
    ["bus", "car", [["car", "bus"]], true],
  ])("is a %s that was a %s with aliases %j: %s", (now, before, aliases, expected) => {
    expect(isPast(seen(now, [100, 100, 200, 200]), run(1, before), {}, aliases)).toBe(expected);
  });

  it("never concerns ignored labels", () => {
    expect(
      isPast(seen("motorcycle", [100, 100, 200, 200]), run(1, "motorcycle"), {
        ignoredLabels: ["motorbike"],
      }),
    ).toBe(false);
  });

  it("is recognized when pictures are made smaller than before", () => {
    const small = pastRefusal(seen("car", [50, 50, 100, 100]), run(1), settings(), [], {
      width: 500,
      height: 500,
    });
    expect(small).not.toBeNull();
  });

  it("is refused with the figures and the event", () => {
    const refusal = pastRefusal(seen("car", [102, 100, 202, 200]), run(77), settings(), [], size);
    expect(refusal).toMatchObject({
      reason: "past-detection",
      detail: expect.stringMatching(/event 77.* 2%.* 5%/),
    });
  });
});

describe("the file", () => {
  const folder = (): Promise<string> => temporaryFolder();

  it("keeps this event and the one before it", async () => {
    const at = await folder();
    for (const event of [1, 2, 3]) await savePast(at, 5, run(event));
    expect((await readPast(at, 5)).map(({ event }) => event)).toEqual([3, 2]);
    expect(await readdir(at)).toEqual(["past-5.json"]);
  });

  it("compares a second run of an event with the event before, not with its first run", async () => {
    const at = await folder();
    for (const event of [1, 2, 2]) await savePast(at, 5, run(event));
    const known = await readPast(at, 5);
    expect(known.map(({ event }) => event)).toEqual([2, 1]);
    expect(lastOther(known, 2)?.event).toBe(1);
    expect(lastOther(known, 3)?.event).toBe(2);
    expect(lastOther([], 3)).toBeNull();
  });

  it("is whole when two events of the monitor end at once", async () => {
    const at = await folder();
    await savePast(at, 5, run(1));
    await Promise.all([2, 3, 4, 5].map((event) => savePast(at, 5, run(event))));
    expect(await readPast(at, 5)).toHaveLength(2);
    expect(await readdir(at)).toEqual(["past-5.json"]);
  });

  it("belongs to one monitor", async () => {
    const at = await folder();
    await savePast(at, 5, run(1));
    expect(await readPast(at, 6)).toEqual([]);
  });

  it("does not grow beyond its bound", async () => {
    const at = await folder();
    const many = {
      ...run(1),
      seen: Array.from({ length: 5_000 }, () => ({ label: "car", box: [1, 2, 3, 4] as const })),
    };
    await savePast(at, 5, many);
    expect((await readPast(at, 5))[0]?.seen).toHaveLength(200);
  });

  it("counts as empty when it is damaged", async () => {
    const at = await folder();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        await writeFile(path.join(at, "past-5.json"), text);
        expect(await readPast(at, 5)).toEqual([]);
      }),
      { numRuns: 100 },
    );
    await writeFile(path.join(at, "past-5.json"), '[{"event":1,"size":{"width":0,"height":1},"seen":[]}]');
    expect(await readPast(at, 5)).toEqual([]);
    await writeFile(path.join(at, "past-5.json"), `[${" ".repeat(400_000)}]`);
    expect(await readPast(at, 5)).toEqual([]);
  });

  it("is not read through a link", async () => {
    const at = await folder();
    await savePast(at, 5, run(1));
    await symlink(path.join(at, "past-5.json"), path.join(at, "past-6.json"));
    expect(await readPast(at, 6)).toEqual([]);
  });

  it("stays as it was when it cannot be replaced", async () => {
    const at = await folder();
    await savePast(at, 5, run(1));
    const before = await readFile(path.join(at, "past-5.json"), "utf8");
    await expect(savePast(path.join(at, "past-5.json"), 5, run(2))).rejects.toThrow();
    expect(await readFile(path.join(at, "past-5.json"), "utf8")).toBe(before);
  });
});
