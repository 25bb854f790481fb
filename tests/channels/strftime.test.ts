import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { strftime } from "../../src/channels/strftime.ts";

const at = (...parts: [number, number, number, number?, number?, number?]) =>
  new Date(parts[0], parts[1] - 1, parts[2], parts[3] ?? 0, parts[4] ?? 0, parts[5] ?? 0).getTime();

describe("a moment", () => {
  it("is written in the format of version 5.4 and later", () => {
    expect(strftime("%I:%M %p, %d-%b", at(2026, 2, 1, 22, 5))).toBe("10:05 PM, 01-Feb");
  });

  it("is twelve o'clock at noon and at midnight", () => {
    expect(strftime("%I %p", at(2026, 2, 1, 0))).toBe("12 AM");
    expect(strftime("%I %p", at(2026, 2, 1, 12))).toBe("12 PM");
  });

  it("loses its padding where the format says so", () => {
    expect(strftime("%-d.%-m. %-I:%M%P %^b", at(2026, 2, 1, 9, 5))).toBe("1.2. 9:05am FEB");
  });

  it("keeps unknown conversions and a lone percent sign as they are", () => {
    expect(strftime("%Q 100% %", at(2026, 2, 1))).toBe("%Q 100% %");
  });

  it("reads as the system's own date writes it, every conversion, around the turn of years", () => {
    const letters = [..."aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYz"]
      .map((letter) => `${letter}=%${letter}`)
      .join("|");
    for (const year of [2020, 2021, 2024, 2026, 2027]) {
      for (const [month, day] of [
        [12, 27],
        [12, 31],
        [1, 1],
        [1, 4],
        [3, 29],
        [7, 5],
      ] as const) {
        const moment = at(year, month, day, 13, 7, 9);
        const date = execFileSync("date", ["-d", `@${moment / 1000}`, `+${letters}`], {
          env: { ...process.env, LC_ALL: "C" },
          encoding: "utf8",
        });
        expect(strftime(letters, moment)).toBe(date.trimEnd());
      }
    }
  });

  it("never throws, whatever the format", () => {
    fc.assert(fc.property(fc.string(), fc.integer(), (format, moment) => void strftime(format, moment)));
  });
});
