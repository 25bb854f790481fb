/** docs/detection.md names only keys, layouts and scripts that there are, and all of those that it lists. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SCRIPTS } from "../../src/cli/detect/script-arguments.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { layoutKeys } from "../../src/detect/onnx/layouts/recognize.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/detection.md"), "utf8");

test("every key of the configuration that it names exists", () => {
  const config: Readonly<Record<string, object>> = defaultConfig();
  const named = [...page.matchAll(/`(detection|hook|customize|general)\.([a-z_]+)/g)];
  expect(named.length).toBeGreaterThan(20);
  const unknown = named.filter(([, section = "", key = ""]) => !(key in (config[section] ?? {})));
  expect(unknown.map(([text]) => text)).toEqual([]);
});

test("every layout that can be named is in it, and no other", () => {
  const [list = ""] = /names one of [\s\S]*?\. Models that/.exec(page) ?? [];
  const named = [...list.matchAll(/`([a-z0-9-]+)`/g)].map(([, key = ""]) => key);
  expect(named.sort()).toEqual([...layoutKeys].sort());
});

test("every script that zmes stands in for is explained", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  for (const name of SCRIPTS) expect(rows.join("\n")).toContain(`\`${name}\``);
});
