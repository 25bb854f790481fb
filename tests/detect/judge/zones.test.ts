// Which zones are looked in, where they are in the picture, and what counts as being in one.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInZone, zonesInForce } from "../../../src/detect/judge/zones.ts";
import type { ZoneSetting, ZoneSettings } from "../../../src/domain/detect-settings.ts";
import type { Box } from "../../../src/domain/detection.ts";
import type { MonitorFacts, ZoneFacts } from "../../../src/domain/detection-source.ts";

const full = { original: { width: 1000, height: 500 }, analyzed: { width: 1000, height: 500 } };
const half = { original: { width: 1000, height: 500 }, analyzed: { width: 500, height: 250 } };

function zone(name: string, change: Partial<ZoneFacts> = {}): ZoneFacts {
  return { name, type: "Active", units: "Pixels", coords: "0,0 100,0 100,100 0,100", ...change };
}

function aMonitor(zones: readonly ZoneFacts[], change: Partial<MonitorFacts> = {}): MonitorFacts {
  return { id: 1, name: "Drive", width: 1000, height: 500, zones, ...change };
}

function own(name: string, change: Partial<ZoneSetting> = {}): ZoneSetting {
  const points = [
    [0, 0],
    [100, 0],
    [100, 100],
  ] as const;
  return { name, points, unit: "pixels", pattern: null, ignorePattern: null, ...change };
}

function settings(change: Partial<ZoneSettings> = {}): ZoneSettings {
  return {
    own: [],
    useZoneMinder: true,
    onlyTriggered: false,
    rule: "touches",
    minOverlapPercent: 0,
    patternReplaces: false,
    ...change,
  };
}

const names = (answer: ReturnType<typeof zonesInForce>): string[] => answer.zones.map(({ name }) => name);

describe("ZoneMinder's zones", () => {
  it.each([
    ["Active", 1],
    ["Inclusive", 1],
    ["Exclusive", 0],
    ["Preclusive", 0],
    ["Inactive", 0],
    ["Privacy", 0],
  ])("of type %s are searched or not (%i)", (type, count) => {
    expect(zonesInForce(settings(), aMonitor([zone("a", { type })]), "", full).zones).toHaveLength(count);
  });

  it("are left alone unless asked for", () => {
    expect(zonesInForce(settings({ useZoneMinder: false }), aMonitor([zone("a")]), "", full).zones).toEqual(
      [],
    );
  });

  it("have names in lower case with underscores", () => {
    expect(names(zonesInForce(settings(), aMonitor([zone("Front Door")]), "", full))).toEqual(["front_door"]);
  });

  it("take the patterns of settings without points, by that name", () => {
    const lent = own("front_door", { points: [], pattern: "person", ignorePattern: "cat" });
    const { zones } = zonesInForce(settings({ own: [lent] }), aMonitor([zone("Front Door")]), "", full);
    expect(zones).toHaveLength(1);
    expect([zones[0]?.pattern, zones[0]?.ignorePattern].map((each) => each?.source)).toEqual([
      "person",
      "cat",
    ]);
  });

  it.each([
    ["pixels of the monitor", "Pixels", "0,0 1000,0 1000,500", [500, 250]],
    ["pixels although the thresholds are percent (up to 1.38)", "Percent", "0,0 1000,0 1000,500", [500, 250]],
    ["percent (from 1.39.2)", "Percent", "0.00,0.00 100.00,0.00 50.00,10.00", [250, 25]],
    ["pixels with decimals", "Pixels", "0,0 100.5,0 100.5,50", [50.25, 25]],
  ])("are read as %s", (_, units, coords, last) => {
    const { zones } = zonesInForce(settings(), aMonitor([zone("a", { units, coords })]), "", half);
    expect(zones[0]?.points[2]).toEqual(last);
  });

  it("fit a picture that is larger than the monitor", () => {
    const monitor = aMonitor([zone("a")], { width: 500, height: 250 });
    expect(zonesInForce(settings(), monitor, "", full).zones[0]?.points[2]).toEqual([200, 200]);
  });

  it("of a rotated camera fit its upright pictures", () => {
    const upright = { original: { width: 500, height: 1000 }, analyzed: { width: 250, height: 500 } };
    const monitor = aMonitor([zone("a")], { width: 500, height: 1000 });
    expect(zonesInForce(settings(), monitor, "", upright).zones[0]?.points[2]).toEqual([50, 50]);
  });

  it("are not used, and said so, on a picture of a rotated camera that lies across", () => {
    const monitor = aMonitor([zone("a")], { width: 500, height: 1000 });
    const answer = zonesInForce(settings(), monitor, "", full);
    expect(answer.zones).toEqual([]);
    expect(answer.troubles.join()).toContain("was not rotated");
  });

  it.each(["", "1,2 3", "1,2 3,4", "a,b c,d e,f", "1;2 3;4 5;6"])(
    "are left out, and said so, for %j",
    (coords) => {
      const answer = zonesInForce(settings(), aMonitor([zone("a", { coords }), zone("b")]), "", full);
      expect(names(answer)).toEqual(["b"]);
      expect(answer.troubles.join()).toContain("Zone a");
    },
  );

  it("never make it throw", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (name, coords, units, cause) => {
        zonesInForce(
          settings({ onlyTriggered: true }),
          aMonitor([zone(name, { coords, units })]),
          cause,
          full,
        );
      }),
    );
  });
});

describe("only triggered zones", () => {
  const monitor = aMonitor([
    zone("Front Door"),
    zone("Drive"),
    zone("All (1.5)"),
    zone("Street", { type: "Privacy" }),
  ]);
  const only = settings({ onlyTriggered: true, useZoneMinder: false, own: [own("mine")] });

  it.each([
    ["Motion: Front Door", ["front_door"]],
    ["motion: front door, DRIVE", ["front_door", "drive"]],
    ["Motion: All (1.5)", ["all_(1.5)"]],
    ["Motion: Driveway", ["front_door", "drive", "all_(1.5)"]],
    ["Continuous", ["front_door", "drive", "all_(1.5)"]],
    ["", ["front_door", "drive", "all_(1.5)"]],
    ["Motion: Street", ["front_door", "drive", "all_(1.5)"]],
  ])("%j: %j", (cause, expected) => {
    expect(names(zonesInForce(only, monitor, cause, full))).toEqual(expected);
  });

  it("leave the operator's own polygons in force where the monitor has none", () => {
    expect(names(zonesInForce(only, aMonitor([]), "Motion: Drive", full))).toEqual(["mine"]);
  });
});

describe("the operator's polygons", () => {
  it("are pixels of the whole picture, or percent", () => {
    const both = settings({
      own: [
        own("a"),
        own("b", {
          unit: "percent",
          points: [
            [0, 0],
            [50, 0],
            [50, 50],
          ],
        }),
      ],
    });
    const { zones } = zonesInForce(both, null, "", half);
    expect(zones.map(({ points }) => points[2])).toEqual([
      [50, 50],
      [250, 125],
    ]);
  });

  it("go without a pattern that cannot be used, and say so", () => {
    const answer = zonesInForce(settings({ own: [own("a", { pattern: "(person" })] }), null, "", full);
    expect(answer.zones[0]?.pattern).toBeNull();
    expect(answer.troubles.join()).toContain("(person");
  });
});

describe("being in a zone", () => {
  const square = {
    name: "a",
    points: [
      [100, 100],
      [200, 100],
      [200, 200],
      [100, 200],
    ],
  } as const;

  it.each<[Box, "touches" | "bottom_center", number, boolean]>([
    [[0, 0, 100, 100], "touches", 0, true],
    [[0, 0, 99, 99], "touches", 0, false],
    [[140, 50, 160, 150], "bottom_center", 0, true],
    [[140, 150, 160, 250], "bottom_center", 0, false],
    [[100, 100, 120, 200], "bottom_center", 0, true],
    [[150, 100, 250, 200], "touches", 50, true],
    [[150, 100, 250, 200], "touches", 50.1, false],
    [[0, 0, 100, 100], "touches", 1, false],
    [[150, 150, 150, 150], "touches", 10, false],
    [[140, 50, 160, 150], "bottom_center", 60, false],
  ])("%j by %s and %d%%: %s", (box, rule, minOverlapPercent, expected) => {
    expect(isInZone(box, square, { rule, minOverlapPercent })).toBe(expected);
  });
});
