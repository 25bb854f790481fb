// Windows against a plain oracle, each minute of days on which the clocks change.
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { readRules } from "../../src/config/rules-file.ts";
import { decideByRules } from "../../src/domain/rules.ts";
import { mid } from "../support/builders.ts";

const ownZone = process.env.TZ;
afterAll(() => {
  if (ownZone === undefined) delete process.env.TZ;
  else process.env.TZ = ownZone;
});

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

interface WallClock {
  readonly minute: number;
  readonly day: number;
}

/** What the clock on the wall shows, by Intl and not by the zone of the process. */
function wallClock(zone: string): (at: number) => WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const minute = Number(parts.get("hour")) * 60 + Number(parts.get("minute"));
    return { minute, day: DAYS.indexOf(parts.get("weekday") ?? "") };
  };
}

/** Walks from the first minute of the window to its last, as a finger on a dial. */
function oracle(from: number, to: number, days: readonly number[], { minute, day }: WallClock): boolean {
  for (const start of days) {
    let hand = from;
    let today = start;
    for (;;) {
      if (hand === minute && today === day) return true;
      if (hand === to) break;
      hand += 1;
      if (hand < 1440) continue;
      hand = 0;
      today = (today + 1) % 7;
    }
  }
  return false;
}

const two = (value: number) => String(value).padStart(2, "0");
const clock24 = (minute: number) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
function clock12(minute: number): string {
  const hour = Math.floor(minute / 60);
  return `${hour % 12 || 12}:${two(minute % 60)} ${hour < 12 ? "am" : "PM"}`;
}

function muteWindow(from: string, to: string, days: string) {
  const rule = { action: "mute", from, to, daysofweek: days };
  return readRules(JSON.stringify({ notifications: { monitors: { 1: { rules: [rule] } } } })).rules;
}

/** Zone, noon of the day before, and the difference the clocks make, in hours. */
const CHANGES = [
  ["Europe/Berlin", "2026-03-28T11:00:00Z", 1],
  ["Europe/Berlin", "2026-10-24T10:00:00Z", -1],
  ["America/New_York", "2026-03-07T17:00:00Z", 1],
  ["America/New_York", "2026-10-31T16:00:00Z", -1],
  // Half an hour, on the southern half of the world.
  ["Australia/Lord_Howe", "2026-04-04T01:00:00Z", -0.5],
] as const;

describe.each(CHANGES)("in %s from %s on, when the clocks change", (zone, start, change) => {
  const first = Date.parse(start);
  const minutes = Array.from({ length: 36 * 60 }, (_, index) => first + index * 60_000);

  test("the process is in that zone", () => {
    process.env.TZ = zone;
    const before = new Date(first).getTimezoneOffset();
    const after = new Date(first + 36 * 3_600_000).getTimezoneOffset();
    expect(before - after).toBe(change * 60);
  });

  test("every window holds in just the minutes that a finger on the dial finds", () => {
    process.env.TZ = zone;
    const shown = wallClock(zone);
    const walls = minutes.map(shown);
    const minute = fc.integer({ min: 0, max: 1439 });
    const days = fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 });
    fc.assert(
      fc.property(minute, minute, days, fc.boolean(), (from, to, chosen, half) => {
        const write = half ? clock12 : clock24;
        const rules = muteWindow(write(from), write(to), chosen.map((day) => DAYS[day]).join(","));
        for (const [index, at] of minutes.entries()) {
          const wall = walls[index];
          if (wall === undefined) continue;
          // The last millisecond of the minute belongs to it as well.
          const moment = index % 2 === 0 ? at : at + 59_999;
          const { outcome } = decideByRules(rules, { monitor: mid(1), groups: [], cause: "", at: moment });
          const expected = oracle(from, to, chosen, wall) ? "mute" : "none";
          if (outcome !== expected)
            throw new Error(`${new Date(moment).toString()}: ${outcome}, but ${expected} by the dial`);
        }
      }),
      {
        numRuns: 12,
        examples: [
          [120, 180, [0], false], // 02:00 to 03:00, what is missing or doubled in Berlin
          [150, 150, [0], false],
          [1290, 60, [6], true], // 9:30 pm to 1 am
          [0, 1439, [0], false],
          [600, 599, [6], false],
        ],
      },
    );
  });
});

describe("a window", () => {
  const mutedAt = (
    rule: Record<string, string>,
    ...moment: [number, number, number, number, number?, number?]
  ) => {
    const text = JSON.stringify({
      notifications: { monitors: { 1: { rules: [{ action: "mute", ...rule }] } } },
    });
    const { rules, problems } = readRules(text);
    expect(problems).toEqual([]);
    const at = new Date(...moment).getTime();
    return decideByRules(rules, { monitor: mid(1), groups: [], cause: "", at }).outcome === "mute";
  };

  test("with seconds ends with its last second", () => {
    const rule = { time_format: "%H:%M:%S", from: "08:00:10", to: "08:00:20" };
    expect([9, 10, 20, 21].map((second) => mutedAt(rule, 2026, 0, 14, 8, 0, second))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test("of hours alone lasts to the end of its last hour", () => {
    const rule = { time_format: "%I %p", from: "8 am", to: "9 AM" };
    expect([7, 8, 9, 10].map((hour) => mutedAt(rule, 2026, 0, 14, hour, 59))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test("with one end begins or ends with the day", () => {
    expect([11, 12, 23].map((hour) => mutedAt({ from: "12:00" }, 2026, 0, 14, hour))).toEqual([
      false,
      true,
      true,
    ]);
    expect([0, 12, 13].map((hour) => mutedAt({ to: "12:59" }, 2026, 0, 14, hour))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("of dates comes every year and goes over New Year; with the year it comes once", () => {
    const yearly = { time_format: "%m-%d", from: "12-24", to: "01-06" };
    expect(mutedAt(yearly, 2026, 11, 24, 0)).toBe(true);
    expect(mutedAt(yearly, 2030, 0, 6, 23, 59)).toBe(true);
    expect(mutedAt(yearly, 2026, 0, 7, 0)).toBe(false);
    const once = { time_format: "%F %R", from: "2026-07-01 18:00", to: "2026-07-03 09:00" };
    expect(mutedAt(once, 2026, 6, 2, 3)).toBe(true);
    expect(mutedAt(once, 2026, 6, 3, 9, 1)).toBe(false);
    expect(mutedAt(once, 2027, 6, 2, 3)).toBe(false);
  });

  test("over New Year asks for the day itself, not for the one it began on", () => {
    const rule = { time_format: "%m-%d", from: "12-24", to: "01-06", daysofweek: "Fri" };
    expect(mutedAt(rule, 2027, 0, 1, 12)).toBe(true); // a Friday
    expect(mutedAt(rule, 2027, 0, 2, 12)).toBe(false);
  });
});
