import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLiteral } from "../../../src/config/objectconfig/python-literal.ts";
import type { Value } from "../../../src/config/objectconfig/value.ts";

const read = (text: string) => readLiteral(text, { path: "x", line: 10, column: 5 });

function plain(value: Value): unknown {
  switch (value.kind) {
    case "map":
      return Object.fromEntries([...value.entries].map(([key, each]) => [key, plain(each)]));
    case "list":
      return value.items.map(plain);
    case "nothing":
      return null;
    case "text":
      return value.text;
  }
}

function value(text: string): unknown {
  const found = read(text);
  return found.ok ? plain(found.value) : found;
}

describe("a Python literal", () => {
  it.each([
    [`'a'`, "a"],
    [`"it's"`, "it's"],
    [`'a' "b"\n  'c'`, "abc"],
    [`'tab\\t \\x41 \\u00e4 \\101 \\' \\\\ \\d'`, "tab\t A ä A ' \\ \\d"],
    [`r'\\d+\\''`, "\\d+\\'"],
    [`'''two\nlines'''`, "two\nlines"],
    ["3", "3"],
    ["-0.5", "-0.5"],
    [".5e1", "5"],
    ["1_000", "1000"],
    ["0x1F", "31"],
    ["True", "True"],
    ["None", null],
    ["()", []],
    ["(1,)", ["1"]],
    ["('x')", "x"],
    ["[1, [2, (3, 4)],]", ["1", ["2", ["3", "4"]]]],
    ["{'a', 'b'}", ["a", "b"]],
    ["{}", {}],
    ["{'a': {'b': 1,}, 'c': [],}", { a: { b: "1" }, c: [] }],
    ["{ # first\n 'a': 1, # second\n}", { a: "1" }],
    ["{'a # b': '#c'}", { "a # b": "#c" }],
    ["{'conf': {{conf}}, 'p': '{{p}}'}", { conf: "{{conf}}", p: "{{p}}" }],
    ["{1: 2}", { "1": "2" }],
  ])("%s is read as Python reads it", (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it("knows the line and path of every value", () => {
    const found = read("{'a': [\n  1,\n  {'b': 2}],\n 'c':\n 3}");
    const places: string[] = [];
    const walk = (each: Value): void => {
      places.push(`${each.path}:${each.line}`);
      for (const child of [...each.items, ...each.entries.values()]) walk(child);
    };
    if (found.ok) walk(found.value);
    expect(places).toEqual(["x:10", "x.a:10", "x.a[0]:11", "x.a[1]:12", "x.a[1].b:12", "x.c:14"]);
  });

  it("takes the last of two keys, and says which one does not count", () => {
    expect(value("{'a': 1,\n'a': 2}")).toEqual({ a: "2" });
    expect(read("{'a': 1,\n'a': 2}")).toMatchObject({ doubled: [{ path: "x.a", line: 10 }] });
  });

  it.each([
    ["{'a': 1 'b': 2}", 10, 'column 13: a comma or "}" is missing before this'],
    ["{'a': 1,\n 'b' 2}", 11, "column 6: a colon is missing after the key"],
    ["{'a': [1, 2}", 10, 'column 16: a comma or "]" is missing before this'],
    ["{'a': 1", 10, "column 5: the bracket that opens here is not closed"],
    ["{'a': 'b}", 10, "column 11: the quote that begins here is not closed"],
    ["{'a': yes}", 10, "column 11: a word must stand in quotes"],
    ["{'a': true}", 10, "column 11: Python writes True and False with a capital"],
    ["{'a': null}", 10, "column 11: Python writes None"],
    ["{'a': ,}", 10, "column 11: a value is missing before this"],
    ["{'a':", 10, "column 10: a value is missing"],
    ["1 2", 10, "column 7: something follows after the end of the value"],
    ["", 10, "column 5: a value is missing"],
    ["[".repeat(60), 10, "column 56: brackets are nested deeper than 50"],
  ])("%s is told with line and column", (text, line, problem) => {
    expect(read(text)).toEqual({ ok: false, line, problem });
  });

  it("never throws, and never repeats what was written", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      "(",
      ")",
      ",",
      ":",
      "'",
      '"',
      "\\",
      "\n",
      "#",
      "{{a}}",
      "r'",
      "'''",
      "1",
      "-",
      "True",
      "secretword",
      " ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 40 }).map((all) => all.join("")),
        ),
        (text) => {
          const found = read(text);
          if (!found.ok) expect(found.problem).not.toContain("secretword");
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("reads back whatever is written in Python's way", () => {
    const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&").replace(/\n/g, "\\n")}'`;
    const written = (each: unknown): string => {
      if (Array.isArray(each)) return `[${each.map(written).join(", ")}]`;
      if (typeof each === "string") return quoted(each);
      if (each === null) return "None";
      return `{${Object.entries(each as object)
        .map(([key, one]) => `${quoted(key)}: ${written(one)}`)
        .join(", ")}}`;
    };
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.string().map((text) => text.replace(/\r/g, "")),
        fc.constant(null),
        fc.array(tie("tree")),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie("tree")),
      ),
    }));
    fc.assert(
      fc.property(tree, (each) => {
        expect(value(written(each))).toEqual(each);
      }),
    );
  });
});
