/** Settings, files, figures and ports that the pages name are those of the program. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultConfig, knownKeys, sectionTitles } from "../../src/config/schema.ts";
import { pages, root } from "../support/docs-pages.ts";

const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** Old keys are named where the page says what they are called today, and where it says that they are gone. */
const formerKeys = new Set(
  [...read("docs/configuration.md").matchAll(/^\| `(\w+\.\w+)` \| `\w+\.\w+` \|$/gm)].map(
    (match) => match[1],
  ),
);

test.each(pages)("$path names only settings that there are", ({ prose }) => {
  const named = [...prose.matchAll(/`([a-z]+)\.([a-z_0-9]+)(?:`|: |=)/g)].filter(([, section = ""]) =>
    sectionTitles.has(section),
  );
  const keys = named.map(([, section, key]) => `${section}.${key}`);
  expect(keys.filter((key) => !knownKeys.has(key) && !formerKeys.has(key) && !isFile(key))).toEqual([]);
});

test.each(pages)("$path names only files of the packages that there are", ({ text }) => {
  const inCheckout = text.match(/(?<![\w/.-])(?:packaging|examples)\/[\w./-]*\w/g) ?? [];
  const installed = [...text.matchAll(/\/usr\/share\/doc\/zmes\/((?:examples|docs)\/[\w./-]*\w)/g)].map(
    (match) => match[1] ?? "",
  );
  // Made by the package's builder from the schema.
  const made = ["examples/zmes.yml"];
  const missing = [...inCheckout, ...installed].filter(
    (file) => !made.includes(file) && !existsSync(join(root, file)),
  );
  expect(missing).toEqual([]);
});

test.each(pages)("$path names only places on a machine where the package puts something", ({ text }) => {
  const builder = read("packaging/package.ts");
  const named = text.match(/\/usr\/(?:lib|bin|share)\/[\w/.-]*\bzmes\b[\w.-]*/g) ?? [];
  expect(named.filter((place) => !builder.includes(`"${place.slice(1)}`))).toEqual([]);
});

test.each(pages)("$path names the package by the version that it has", ({ path, text }) => {
  const { version } = JSON.parse(read("package.json")) as { readonly version: string };
  const named = [...text.matchAll(/\bzmes[_-](\d+\.\d+\.\d+)(?:_amd64\.deb|\.tgz)/g)].map(
    (match) => match[1],
  );
  // An upgrade is shown with the version after it.
  const next = path === "docs/operations.md" ? ["8.1.0"] : [];
  expect(named.filter((each) => each !== version && !next.includes(each ?? ""))).toEqual([]);
});

test("docs/README.md leads to every page", () => {
  const index = read("docs/README.md");
  const others = readdirSync(join(root, "docs")).filter(
    (name) => name.endsWith(".md") && name !== "README.md",
  );
  expect(others.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

describe("figures", () => {
  const performance = read("docs/performance.md");
  const measured = (bench: string, metric: string) => {
    const row = performance.split("\n").find((line) => line.startsWith(`| ${bench} | ${metric} |`));
    const [value, floor] = [3, 6].map((column) => row?.split("|")[column]?.trim());
    return { value, floor };
  };
  const beside = performance.slice(performance.indexOf("## Beside the original"));

  test("beside the original are those of the table", () => {
    expect(beside).toContain(`| ${measured("latency", "p50_ms").value} ms |`);
    expect(beside).toContain(`| ${measured("latency", "p99_ms").value} ms (99th percentile) |`);
    const { value, floor } = measured("fanout", "last_ratio_9000");
    expect(beside).toContain(
      `${(Number(value) * Number(floor)).toFixed(0)} ms for 9,000 (${value} times ${floor})`,
    );
    expect(beside).toContain(`\`alarm_p99_ms\` ${measured("logins", "alarm_p99_ms").value} while`);
  });

  test("of the README are among them", () => {
    const readme = read("README.md");
    const named = ["6.8 s", `${measured("latency", "p50_ms").value} ms`, "144 of 500", "9,000 of 9,000"];
    expect(named.filter((figure) => !readme.includes(figure) || !beside.includes(figure))).toEqual([]);
  });
});

test("reverse proxies are pointed at the port that zmes listens on", () => {
  const page = read("docs/operations.md");
  const targets = [...page.matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1]));
  expect(targets).toHaveLength(3);
  expect(new Set(targets)).toEqual(new Set([defaultConfig().network.port]));
});

/** `rules.yml` and the like are no settings. */
function isFile(name: string): boolean {
  return /\.(?:md|ts|yml|json|crt|key|db|txt|pl)$/.test(name);
}
