/** What holds for an original of any version: the settings mean the same afterwards, and its files stay as they are. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { oldHookAdditions } from "../../../src/cli/import/old-hooks.ts";
import { findPlaces } from "../../../src/cli/import/places.ts";
import { locateIn } from "../../../src/cli/import/survey.ts";
import { importCommand } from "../../../src/cli/import.ts";
import { isOldDialect } from "../../../src/config/dialect.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { knownKeys, valueAt } from "../../../src/config/schema.ts";
import { parseTokenFile } from "../../../src/store/token-file.ts";
import { testIo } from "../../support/command-io.ts";
import { contents, machine, planFor, versions } from "./support.ts";

test("samples of every generation are there", () => {
  expect(versions).toEqual(["1.0", "1.5", "2.2", "3.2", "3.3", "4.5", "5.15", "6.1", "7.0"]);
});

describe.each(versions)("the original %s", (version) => {
  test.each([true, false])("means the same as zmes.yml (secrets readable: %s)", async (serverReads) => {
    const root = machine(version);
    const plan = await planFor(root, { serverReads });
    const places = findPlaces(root, []);
    const before = loadConfig({ path: places.configs[0] ?? "", locate: locateIn(places) });
    mkdirSync(join(root, "etc/zm"), { recursive: true });
    writeFileSync(join(root, "etc/zm/zmes-secrets.yml"), plan.secrets ?? "");
    const file = join(root, "etc/zm/zmes.yml");
    writeFileSync(file, plan.config);
    const after = loadConfig({ path: file, locate: locateIn(places) });
    expect(after.problems).toEqual([]);
    const added = new Set(oldHookAdditions(before).map(({ path }) => path));
    const used = [...knownKeys.values()].filter(({ path, status }) => status === "used" && !added.has(path));
    const different = used.filter(
      ({ path }) =>
        JSON.stringify(valueAt(after.config, path)) !== JSON.stringify(valueAt(before.config, path)),
    );
    const mayDiffer = ["general.secrets", "fcm.token_file"];
    expect(different.map(({ path }) => path).filter((path) => !mayDiffer.includes(path))).toEqual([]);
    if (isOldDialect(before.dialect) && before.config.hook.hook_script !== null)
      expect(after.config.customize.use_hooks).toBe(true);
  });

  test("has a row for every line of its file, each with its place", async () => {
    const root = machine(version);
    const plan = await planFor(root);
    const lines = readFileSync(join(root, plan.source), "utf8").split("\n");
    const settings = lines.flatMap((line, index) =>
      /^\s*[a-z]\w*\s*[:=]\s*\S/.test(line) ? [`${plan.source}:${index + 1}`] : [],
    );
    const told = new Set(plan.rows.map(({ where }) => where));
    expect(settings.filter((where) => !told.has(where))).toEqual([]);
    expect(plan.rows.filter(({ outcome, why }) => outcome !== "taken" && why === "")).toEqual([]);
  });

  test("stays as it is, and its phones are where zmes reads them", async () => {
    const root = machine(version);
    const before = contents(root);
    const changedAt = (name: string) => statSync(join(root, name), { bigint: true }).mtimeNs;
    const times = [...before.keys()].map(changedAt);
    const io = testIo({ ZMES_MADE_FILES: join(root, "made-files") });
    expect(await importCommand.run(["--root", root, "--apply"], io)).toBe(0);
    const after = contents(root);
    for (const [name, text] of before) expect([name, after.get(name)]).toEqual([name, text]);
    expect(await importCommand.run(["--root", root, "--apply"], io)).toBe(0);
    expect(contents(root)).toEqual(after);
    expect([...before.keys()].map(changedAt)).toEqual(times);
    const places = findPlaces(root, []);
    const { config } = loadConfig({ path: join(root, "etc/zm/zmes.yml"), locate: locateIn(places) });
    const phones = parseTokenFile(readFileSync(join(root, config.fcm.token_file), "utf8"));
    expect(phones.format === "damaged" ? 0 : phones.entries.size).toBeGreaterThan(0);
  });

  test("shows no secret in what is printed", async () => {
    const root = machine(version);
    for (const words of [[], ["--json"], ["--detection"], ["--apply"]]) {
      const io = testIo({ ZMES_MADE_FILES: join(root, "made-files") });
      expect(await importCommand.run(["--root", root, ...words], io)).toBe(0);
      expect(io.out() + io.err()).not.toMatch(/planted|0123456789/);
    }
  });

  test("has no password in the clear in zmes.yml", async () => {
    const { config } = await planFor(machine(version));
    expect(config.replace(/fcm_v1_key: .*/, "")).not.toMatch(/planted-(?!portal-user|broker-user)/);
  });
});
