import { describe, expect, it } from "vitest";
import { load } from "./temporary-files.ts";

// A key that only one generation has makes the dialect certain.
const early = (word: string) =>
  load("a.ini", `[auth]\nenable = ${word}\n[ssl]\nenable = 0\n[fcm]\nenable = 0\n`);
const middle = (word: string) =>
  load(
    "a.ini",
    `[auth]\nenable = ${word}\n[ssl]\nenable = 0\n[fcm]\nenable = 0\n[customize]\nconsole_logs = 0\n`,
  );
const later = (word: string) =>
  load(
    "a.ini",
    `[auth]\nenable = ${word}\n[ssl]\nenable = 0\n[fcm]\nenable = 0\n[customize]\nuse_hooks = 1\n`,
  );
const yaml = (word: string) =>
  load("a.yml", `auth:\n  enable: ${word}\nssl:\n  enable: 0\nfcm:\n  enable: 0\n`);
const generations = { "1.0 to 3.2": early, "3.3 to 4": middle, "5 and 6": later, "7": yaml };

describe.each(Object.entries(generations))("a file of %s", (_, read) => {
  it.each(["1", "yes", "Yes", "YES", "true", "True", "on", "ON"])("takes %s for yes", (word) => {
    const { config, problems, warnings } = read(word);
    expect([config.auth.enable, problems, warnings]).toEqual([true, [], []]);
  });

  it.each(["0", "no", "No", "false", "FALSE", "off", "Off"])("takes %s for no", (word) => {
    const { config, problems } = read(word);
    expect([config.auth.enable, problems]).toEqual([false, []]);
  });

  it.each(["2", "maybe", "1 # comment", "yess"])("refuses %s", (word) => {
    const { problems } = read(`"${word}"`.slice(read === yaml ? 0 : 1, read === yaml ? undefined : -1));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`:2 auth.enable: expected yes or no, got ${JSON.stringify(word)}`);
  });
});

describe("a word that the original read as yes", () => {
  it.each([
    ["1.0 to 3.2", early, "no", "versions 1.0 to 3.2"],
    ["1.0 to 3.2", early, "false", "versions 1.0 to 3.2"],
    ["1.0 to 3.2", early, "off", "versions 1.0 to 3.2"],
    ["3.3 to 4", middle, "false", "versions 3.3 to 6"],
    ["5 and 6", later, "false", "versions 3.3 to 6"],
    ["5 and 6", later, "off", "versions 3.3 to 6"],
    ["7", yaml, "off", "version 7"],
    ["7", yaml, '"false"', "version 7"],
  ])("is warned about in a file of %s", (_, read, word, versions) => {
    const { warnings } = read(word);
    expect(warnings.join("\n")).toContain(
      `auth.enable: ${JSON.stringify(word.replaceAll('"', ""))} means no here, but ${versions} read it as yes`,
    );
  });

  it.each([
    ["1.0 to 3.2", early, "0"],
    ["1.0 to 3.2", early, ""],
    ["3.3 to 4", middle, "no"],
    ["5 and 6", later, "No"],
    ["7", yaml, "no"],
    ["7", yaml, '"no"'],
    ["7", yaml, "false"],
  ])("is not warned about where a file of %s agreed", (_, read, word) => {
    expect(read(word).warnings.join("\n")).not.toContain("read it as yes");
  });
});

describe("a value that is left out", () => {
  it("means no when an INI has the key without a value", () => {
    expect(later("").config.auth.enable).toBe(false);
  });

  it("means the default when YAML has the key without a value", () => {
    expect(yaml("").config.auth.enable).toBe(true);
    expect(yaml("~").config.auth.enable).toBe(true);
  });
});
