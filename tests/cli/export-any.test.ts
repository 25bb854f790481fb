/** Whatever is set: an export, imported again, means the same, and what the original cannot keep is named. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { makeExport } from "../../src/cli/export/files.ts";
import type { Target } from "../../src/cli/export/settings.ts";
import { planImport } from "../../src/cli/import/plan.ts";
import type { FileText } from "../../src/config/config-file.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type KnownKey, knownKeys, valueAt } from "../../src/config/schema.ts";

/** Names of files that the export writes itself. */
const OWN = ["general.secrets", "customize.es_rules", "fcm.token_file"];
const NO_PHONES: FileText = { ok: false, absent: true, why: "" };

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "zmes-export-any-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The export of that zmes.yml, its files written below `folder`. */
function exported(folder: string, yaml: string, target: Target, phones = NO_PHONES) {
  const out = join(folder, "out");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  writeFileSync(join(folder, "zmes.yml"), yaml);
  const loaded = loadConfig({ path: join(folder, "zmes.yml") });
  const made = makeExport(loaded, { target, folder: out, phones });
  for (const { name, text } of made.files) writeFileSync(join(out, name), text);
  return { ...made, out, loaded, lost: made.lost.map(({ what, why }) => `${what}: ${why}`) };
}

async function importedAgain(out: string) {
  const plan = await planImport({ root: "/", from: [out], serverReads: async () => true });
  writeFileSync(join(out, "again.yml"), plan?.config ?? "");
  return loadConfig({ path: join(out, "again.yml") }).config;
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 15 }),
  fc.stringMatching(/^[!#'"{}$:a-z \\=;-]{0,12}$/),
  fc.constantFrom(
    "!x",
    "no",
    "YES",
    "0123",
    "{{port}}",
    "{{x}}",
    "$" + "{x}",
    "<<EOT",
    "a # b",
    "line\nline",
  ),
);

function aValueOf({ kind, fallback, path }: KnownKey): fc.Arbitrary<unknown> {
  if (kind === "flag") return fc.boolean();
  if (kind === "number") return fc.constantFrom(1, 5, 60);
  if (kind === "numbers") return fc.constantFrom([1, 2], [], [3]);
  if (kind === "texts")
    return path.startsWith("hook.") ? fc.constantFrom(["all"], ["fcm", "web"], []) : fc.constant([]);
  return kind === "choice" ? fc.constant(fallback) : text;
}

const keys = [...knownKeys.values()].filter(({ path, status }) => status === "used" && !OWN.includes(path));
const setting = fc.constantFrom(...keys).chain((known) => aValueOf(known).map((value) => ({ known, value })));
const anySettings = fc.uniqueArray(setting, { selector: ({ known }) => known.path, maxLength: 12 });

function yamlOf(settings: readonly { known: KnownKey; value: unknown }[]): string {
  const sections = Map.groupBy(settings, ({ known }) => known.section);
  const line = ({ known, value }: (typeof settings)[number]) => `  ${known.key}: ${JSON.stringify(value)}\n`;
  return [...sections].map(([section, own]) => `${section}:\n${own.map(line).join("")}`).join("");
}

test.each([7, 6] as const)("an export to %s means the same when it is imported again", async (target) => {
  const folder = aFolder();
  await fc.assert(
    fc.asyncProperty(anySettings, async (settings) => {
      const { out, loaded, lost } = exported(folder, yamlOf(settings), target);
      const after = await importedAgain(out);
      const different = settings.filter(({ known: { path, since } }) => {
        if (lost.some((line) => line.startsWith(`${path}: `))) return false;
        const before = JSON.stringify(valueAt(loaded.config, path));
        // A server that is named by an address is named by its host afterwards.
        if (path === "mqtt.server") return false;
        return since === "8"
          ? before !== JSON.stringify(knownKeys.get(path)?.fallback)
          : before !== JSON.stringify(valueAt(after, path));
      });
      expect(different.map(({ known }) => known.path)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("a hook that is switched off stays so for those who read the INI file", async () => {
  const { out } = exported(aFolder(), "hook:\n  event_start_hook: /usr/bin/x\n", 6);
  const { customize, hook } = await importedAgain(out);
  expect([customize.use_hooks, hook.event_start_notify_on_hook_success]).toEqual([false, []]);
});

test.each([
  [7, "$" + "{topic}", true],
  [7, "{{topic}}", false],
  [6, "{{nothing}}", true],
  [6, "$" + "{nothing}", false],
  [7, "No", true],
  [6, "yes", true],
  [6, "<<EOT", true],
  [7, "<<EOT", false],
] as const)("version %s: a password %j that it would not read as it is: %s", (target, password, isLost) => {
  const folder = aFolder();
  writeFileSync(
    join(folder, "s.yml"),
    `secrets:\n  PW: ${JSON.stringify(password.replace("topic", "tropic"))}\n`,
  );
  const yaml = 'general:\n  secrets: s.yml\nmqtt:\n  username: bob\n  password: "!PW"\n';
  const { lost, files } = exported(folder, yaml, target);
  expect(lost.some((line) => line.startsWith("mqtt.password: "))).toBe(isLost);
  expect(files.some(({ text: content }) => content.includes("MQTT_PASSWORD"))).toBe(!isLost);
});

test("the login of a broker's address becomes user and password", () => {
  const { files } = exported(aFolder(), 'mqtt:\n  server: "mqtt://bob:pl%23anted@broker.lan"\n', 7);
  expect(files[0]?.text).toMatch(
    /server: "broker\.lan:1883"\n {2}username: "bob"\n {2}password: "!MQTT_PASSWORD"/,
  );
  expect(files[1]?.text).toContain("pl#anted");
});

test("an authority without a login is said to be no TLS there", () => {
  const yaml = "mqtt:\n  enable: yes\n  server: broker.lan\n  tls_ca: /etc/ca.pem\n";
  expect(exported(aFolder(), yaml, 7).lost).toContainEqual(
    expect.stringContaining("cross the network readable"),
  );
});

test("phones keep what they asked for in the old form, and that nobody watches over rights is said", () => {
  const tokens = {
    a: { monlist: "-1", intlist: "-1", platform: "ios", pushstate: "enabled", zmes: { owner: "alice" } },
    b: { monlist: "", intlist: "60", platform: "android", pushstate: "enabled" },
    c: { monlist: "1, 2", intlist: "0,60", platform: "android", pushstate: "disabled" },
  };
  const phones = { ok: true, text: JSON.stringify({ tokens }) } as const;
  const { files, lost } = exported(aFolder(), "fcm: {}\n", 7, phones);
  expect(files.find(({ name }) => name === "tokens-before-6.txt")?.text).toBe(
    "a:::ios:enabled\nb:::android:enabled\nc:1,2:0,60:android:disabled\n",
  );
  expect(lost).toContainEqual(expect.stringMatching(/^1 phones: it knows no owners/));
});
