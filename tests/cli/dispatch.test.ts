// Which command a command line means, and what the help promises.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { nearestName, runCommandLine } from "../../src/cli/dispatch.ts";
import { commands } from "../../src/cli/index.ts";
import { testIo } from "../support/command-io.ts";

const packageVersion: string = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;

/** Two commands that say how they were called. */
const echoing = ["run", "other"].map(
  (name): Command => ({
    name,
    summary: name,
    usage: name,
    options: [],
    notes: [],
    async run(argv, io) {
      io.stdout.write([name, ...argv].join(" "));
      return 7;
    },
  }),
);

test.each([
  [[], "run"],
  [["--config", "/etc/x"], "run --config /etc/x"],
  [["run", "--debug"], "run --debug"],
  [["other", "a", "--b"], "other a --b"],
])("the command line %j means `%s`", async (argv, meaning) => {
  const io = testIo();
  expect(await runCommandLine(echoing, argv, io)).toBe(7);
  expect(io.out()).toBe(meaning);
});

test("the help lists every command with its summary", async () => {
  for (const argv of [["--help"], ["-h"], ["-help"], ["--hel"], ["help"]]) {
    const io = testIo();
    expect(await runCommandLine(commands, argv, io)).toBe(0);
    for (const { name, summary } of commands)
      expect(io.out()).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 10)}`, "m"));
  }
});

test("the commands are those that the documentation promises", () => {
  const names = commands.map(({ name }) => name);
  expect(names.sort()).toEqual(
    [
      "check-config",
      "demo",
      "detect",
      "detect-script",
      "devices",
      "doctor",
      "example-config",
      "export",
      "help",
      "import",
      "install-daemon",
      "listen",
      "models",
      "outbox",
      "pictures",
      "rules",
      "run",
      "setup",
      "test-push",
      "version",
      "why",
    ].sort(),
  );
});

describe.each(commands.map((command) => ({ command, name: command.name })))("$name", ({ command, name }) => {
  test("explains itself with --help and with `help`, and exits 0", async () => {
    const [one, other] = [testIo(), testIo()];
    expect(await runCommandLine(commands, [name, "--help"], one)).toBe(0);
    expect(await runCommandLine(commands, ["help", name], other)).toBe(0);
    expect(one.out()).toBe(other.out());
    expect(one.out()).toContain(`Usage: zmes ${command.usage}`);
    for (const { flag } of command.options) expect(one.out()).toContain(flag);
  });

  test("its help fits a terminal of 100 columns", async () => {
    const io = testIo();
    await runCommandLine(commands, [name, "--help"], io);
    for (const line of io.out().split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

test("an unknown command is refused with the nearest one, the way to the list, and 2", async () => {
  const io = testIo();
  expect(await runCommandLine(commands, ["lisen"], io)).toBe(2);
  expect(io.err()).toContain('no command "lisen". Did you mean `zmes listen`?');
  expect(io.err()).toContain("zmes help\n");
  expect(io.err().split("\n")).toHaveLength(3);
  expect(io.out()).toBe("");
});

test.each([
  [["demo", "--frobnicate"], "zmes demo: there is no option --frobnicate.\n"],
  [["demo", "9100"], 'zmes demo: it takes no "9100".\n'],
  [["doctor", "--url"], "zmes doctor: --url needs a value.\n"],
  [["doctor", "--json=yes"], "zmes doctor: --json takes no value.\n"],
])("%j is refused in plain words", async (argv, words) => {
  const io = testIo();
  expect(await runCommandLine(commands, argv, io)).toBe(2);
  expect(io.err()).toContain(words);
});

test("`help` of an unknown command is refused", async () => {
  const io = testIo();
  expect(await runCommandLine(commands, ["help", "lisen"], io)).toBe(2);
  expect(io.err()).toContain("Did you mean `zmes help listen`?");
});

test.each([
  ["chek-config", "check-config"],
  ["exam", "example-config"],
  ["vresion", "version"],
  ["xyzzy", null],
  ["r", null],
])("the nearest command to %s is %s", (typed, nearest) => {
  expect(
    nearestName(
      typed,
      commands.map(({ name }) => name),
    ),
  ).toBe(nearest);
});

test("`version` and `--version` print the version of the package", async () => {
  for (const argv of [["version"], ["--version"]]) {
    const io = testIo();
    expect(await runCommandLine(commands, argv, io)).toBe(0);
    expect(io.out()).toContain(packageVersion);
  }
});

test("every command named in the documentation exists", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const known = new Set(commands.map(({ name }) => name));
  const pages = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /^(?!node_modules|dist|\.|.*\/node_modules)[^/]*\.md$|^docs\/.*\.md$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  expect(pages.length).toBeGreaterThan(0);
  for (const { path, text } of pages) {
    for (const code of text.match(/^```[\s\S]*?^```|`[^`\n]+`/gm) ?? []) {
      for (const [, name = ""] of code.matchAll(/^[`$ ]*(?:bin\/)?zmes ([a-z][a-z-]*)/gm)) {
        expect(known, `${path}: zmes ${name}`).toContain(name);
      }
    }
  }
});
