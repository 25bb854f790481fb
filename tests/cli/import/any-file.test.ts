/** Whatever stands in an original's file: an import never throws, and what it takes means the same afterwards. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "vitest";
import { findPlaces } from "../../../src/cli/import/places.ts";
import { planImport } from "../../../src/cli/import/plan.ts";
import { locateIn } from "../../../src/cli/import/survey.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type KnownKey, knownKeys, valueAt } from "../../../src/config/schema.ts";
import { machine } from "./support.ts";

const keys = [...knownKeys.values()].filter(({ since, status }) => since !== "8" && status === "used");

/** A value that the kind of key takes, with every character that could mean something to INI or YAML. */
function aValueOf({ kind, fallback }: KnownKey): fc.Arbitrary<string> {
  switch (kind) {
    case "flag":
      return fc.constantFrom("yes", "no", "1", "0", "true", "off", "");
    case "number":
      return fc.integer({ min: 1, max: 9 }).map(String);
    case "numbers":
      return fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 4 }).map((list) => list.join(","));
    case "choice":
      return fc.constant(String(fallback));
    case "texts":
      return fc.constantFrom("all", "none", "fcm,web", "");
    default:
      return fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 20 }),
        fc.stringMatching(/^[!#'"{}$:a-z \\-]{0,12}$/),
        fc.constantFrom(
          "!NAME",
          "null",
          "~",
          "no",
          "0123",
          "{{port}}",
          "$" + "{topic}",
          "'/usr/bin/x'",
          "a # b",
          "@x",
        ),
      );
  }
}

const setting = fc.constantFrom(...keys).chain((known) => aValueOf(known).map((value) => ({ known, value })));
const anySettings = fc.uniqueArray(setting, { selector: ({ known }) => known.path, maxLength: 12 });

function ini(settings: readonly { known: KnownKey; value: string }[]): string {
  const oneLine = (value: string): string => value.replace(/[\r\n\u2028\u2029]/g, " ");
  return settings
    .map(({ known, value }) => `[${known.section}]\n${known.key} = ${oneLine(value)}\n`)
    .join("");
}

test("settings of an INI file mean the same in zmes.yml, or are said not to be used", async () => {
  const root = machine(null, { "etc/zm/zmeventnotification.ini": "", "etc/zm/zmes-secrets.yml": "" });
  const file = join(root, "etc/zm/zmeventnotification.ini");
  const written = join(root, "etc/zm/zmes.yml");
  await fc.assert(
    fc.asyncProperty(anySettings, async (settings) => {
      writeFileSync(file, ini(settings));
      rmSync(written, { force: true });
      const plan = await planImport({ root, from: [], serverReads: async () => true });
      if (plan === null) return false;
      const locate = locateIn(findPlaces(root, []));
      const before = loadConfig({ path: file, locate });
      writeFileSync(join(root, "etc/zm/zmes-secrets.yml"), plan.secrets ?? "secrets:\n");
      writeFileSync(written, plan.config);
      const after = loadConfig({ path: written, locate });
      // Templates that lead to templates are the one thing that cannot be written down.
      const isPlain = settings.every(({ value }) => !/\{/.test(value));
      if (isPlain && plan.rows.some(({ why }) => why.startsWith("write it by hand"))) return false;
      return settings.every(({ known: { path } }) => {
        if (path === "general.secrets" || path === "fcm.token_file") return true;
        if (plan.rows.some(({ what, outcome }) => what === path && outcome === "not used")) return true;
        return JSON.stringify(valueAt(after.config, path)) === JSON.stringify(valueAt(before.config, path));
      });
    }),
    { numRuns: 300 },
  );
});

test("no text makes an import throw", async () => {
  const root = machine(null, { "etc/zm/zmeventnotification.ini": "", "etc/zm/tokens.txt": "" });
  const line = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom("[fcm]", "[hook]", "enable = x", "a: b", "secrets = s"),
  );
  const text = fc.array(line, { maxLength: 20 }).map((lines) => lines.join("\n"));
  await fc.assert(
    fc.asyncProperty(text, text, async (config, tokens) => {
      writeFileSync(join(root, "etc/zm/zmeventnotification.ini"), config);
      writeFileSync(join(root, "etc/zm/tokens.txt"), tokens);
      return (await planImport({ root, from: [], serverReads: async () => false })) !== null;
    }),
    { numRuns: 200 },
  );
});
