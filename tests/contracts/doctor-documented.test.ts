import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checks } from "../../src/cli/doctor/checks.ts";

const page = readFileSync(new URL("../../docs/doctor.md", import.meta.url), "utf8");
const documented = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);

test("every check of doctor has its row in docs/doctor.md, in the order it is shown", () => {
  expect(documented).toEqual(checks.map(({ name }) => name));
});

test("each row says what is looked at, and the way out", () => {
  const rows = page.split("\n").filter((line) => /^\| `/.test(line));
  for (const row of rows) expect(row.split(" | ").every((cell) => cell.trim().length > 1)).toBe(true);
});

test("names are stable words, and titles fit a narrow terminal", () => {
  for (const { name, title } of checks) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(title.length).toBeLessThanOrEqual(16);
  }
});
