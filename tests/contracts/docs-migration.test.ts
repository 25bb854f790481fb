/** docs/migration.md names the keys, the places and the words that `zmes import` has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importReport } from "../../src/cli/import/report.ts";
import { oldHomes } from "../../src/config/old-homes.ts";
import { knownKeys, sectionTitles } from "../../src/config/schema.ts";
import { machine, planFor } from "../cli/import/support.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/migration.md"), "utf8");
const sources = ["places", "plan", "tokens", "apply"].map((name) =>
  readFileSync(join(root, `src/cli/import/${name}.ts`), "utf8"),
);

test("every key it names exists, or existed once", () => {
  const sections = [...sectionTitles.keys()].join("|");
  const named = [...page.matchAll(new RegExp(`\`((?:${sections})\\.[a-z]\\w*)(?=[\`:])`, "g"))].map(
    ([, key]) => key ?? "",
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((key) => !knownKeys.has(key) && !oldHomes.has(key))).toEqual([]);
});

test("every old place it names is looked at", () => {
  const table = page.slice(page.indexOf("## What it finds"), page.indexOf("## From each version"));
  const places = [...table.matchAll(/`(\/(?:etc|var)\/[\w/.]+)`/g)].map(([, place]) => place ?? "");
  expect(places.length).toBeGreaterThan(8);
  const code = sources.join("\n");
  expect(places.filter((place) => !code.includes(place))).toEqual([]);
});

test("the output it shows is the one of the program, cut short", async () => {
  const shown = /~~~\n([\s\S]*?)~~~/.exec(page)?.[1] ?? "";
  const printed = importReport(await planFor(machine("5.15")));
  const squeezed = (text: string): string => text.replace(/ +/g, " ");
  const pieces = shown.split("\n").map((line) => squeezed(line.replace(/\.\.\.$/, "")).trim());
  expect(pieces.filter((piece) => !squeezed(printed).includes(piece))).toEqual([]);
});
