/** The documents lead somewhere: files, headings, commands and options that they name exist. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { commands } from "../../src/cli/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { pages, root, zmesCalls } from "../support/docs-pages.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const temporary = mkdtempSync(join(tmpdir(), "zmes-docs-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

test("the documents that a newcomer expects are there", () => {
  const expected = ["README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "SECURITY"].map(
    (name) => `${name}.md`,
  );
  expect(pages.map(({ path }) => path)).toEqual(expect.arrayContaining(expected));
  expect(readFileSync(join(root, "LICENSE"), "utf8")).toMatch(/^MIT License\n/);
});

test.each(pages)("$path links only to files and headings that exist", ({ path, prose }) => {
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
  const broken = links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(path, link));
  expect(broken).toEqual([]);
});

test.each(pages)("$path names only source files that exist", ({ prose }) => {
  const named = prose.match(/(?<![\w/])(?:src|tests|scripts|bench|docs|bin)\/[\w./-]*\w/g) ?? [];
  expect(named.filter((file) => !existsSync(join(root, file)) && !file.includes("NNNN"))).toEqual([]);
});

test.each(pages)("$path names only npm scripts that exist", ({ text }) => {
  const named = [...text.matchAll(/\bnpm run (?:--\S+ )*([\w:]+)/g)].map((match) => match[1] ?? "");
  expect(named.filter((name) => !(name in manifest.scripts))).toEqual([]);
});

test.each(pages)("$path names only commands of zmes that exist, with options they have", ({ code }) => {
  const calls = zmesCalls(code).map((call) => call.split(" "));
  expect(calls.flatMap(problemsOf)).toEqual([]);
});

test.each(pages)(
  "$path shows only configurations that are understood without a warning",
  ({ path, text }) => {
    for (const [index, match] of [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].entries()) {
      const file = join(temporary, `${index}.yml`);
      writeFileSync(file, completed(match[1] ?? ""));
      const { problems, warnings } = loadConfig({ path: file });
      // Whoever reads an example has not decided about push yet; the program says so at each start.
      expect([...problems, ...warnings.filter((text) => !text.includes("fcm.enable"))], path).toEqual([]);
    }
  },
);

test.each(pages)("$path speaks of the project alone", ({ text }) => {
  const stranger =
    /\/work\/|\/tmp\/|localhost:\d|\bissue #?\d|\btickets?\b|\bAI\b|\bLLM\b|\bsub-?agents?\b/gi;
  expect(text.match(stranger) ?? []).toEqual([]);
});

test("every decision has the next number, and its number in its title", () => {
  const files = readdirSync(join(root, "docs/decisions")).sort();
  const numbers = files.map((name) => Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]));
  expect(numbers).toEqual(files.map((_, index) => index + 1));
  for (const name of files)
    expect(readFileSync(join(root, "docs/decisions", name), "utf8")).toMatch(
      new RegExp(`^# ${name.slice(0, 4)} `),
    );
});

/** A page shows the section it is about: TLS and the secrets that it names are added, as its reader has them. */
function completed(example: string): string {
  const secrets = join(temporary, "secrets.yml");
  const names = new Set([...example.matchAll(/"!(\w+)"/g)].map((match) => match[1]));
  writeFileSync(secrets, ["secrets:", ...[...names].map((name) => `  ${name}: "x"`), ""].join("\n"));
  const general = names.size > 0 && !/^general:/m.test(example) ? `general:\n  secrets: ${secrets}\n` : "";
  return `${general}${example}${/^ssl:/m.test(example) ? "" : "ssl:\n  enable: no\n"}`;
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = "", heading] = link.split("#");
  const path = file === "" ? from : relative(root, join(root, dirname(from), file));
  if (!existsSync(join(root, path))) return false;
  if (heading === undefined) return true;
  const target = readFileSync(join(root, path), "utf8");
  return [...target.matchAll(/^#+ (.+)$/gm)].some((match) => anchorOf(match[1] ?? "") === heading);
}

/** As GitHub makes it from a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function problemsOf(words: readonly string[]): readonly string[] {
  const [first = ""] = words;
  const isNamed = /^[a-z]/.test(first);
  const name = isNamed ? first : "run";
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return [`zmes ${first}`];
  const known = command.options.flatMap(({ flag }) => flag.match(/^--[\w-]+/g) ?? []);
  const general = name === "run" ? ["--help", "--version", "--check-config"] : ["--help"];
  return words
    .filter((word) => /^--[a-z]/.test(word) && ![...known, ...general].includes(word.replace(/=.*/, "")))
    .map((word) => `zmes ${name} ${word}`);
}
