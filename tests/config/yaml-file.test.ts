import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readYaml } from "../../src/config/yaml-file.ts";

function values(yaml: string): unknown[] {
  return readYaml(yaml).entries.map(({ value }) => (value.kind === "text" ? value.text : value));
}

describe("the YAML reader", () => {
  it("knows the line of every key", () => {
    const { entries } = readYaml("# one\na:\n  x: 1\n\n  y: 2\nb: { z: 3 }");
    expect(entries.map(({ section, key, line }) => [section, key, line])).toEqual([
      ["a", "x", 3],
      ["a", "y", 5],
      ["b", "z", 6],
    ]);
  });

  it("keeps plain values as they were typed", () => {
    expect(values("a:\n  x: 0123\n  y: 1e3\n  z: yes\n  t: True")).toEqual(["0123", "1e3", "yes", "True"]);
  });

  it("takes an unquoted !NAME for what a quoted one means", () => {
    expect(values('a:\n  x: !NAME\n  y: "!NAME"\n  z: !NAME # note')).toEqual(["!NAME", "!NAME", "!NAME"]);
  });

  it("tells an empty value from an empty text", () => {
    expect(values('a:\n  x:\n  y: ~\n  z: ""')).toEqual([{ kind: "nothing" }, { kind: "nothing" }, ""]);
  });

  it("knows which values were quoted", () => {
    const { entries } = readYaml("a:\n  x: 'false'\n  y: false");
    expect(entries.map(({ value }) => value)).toMatchObject([{ quoted: true }, { quoted: false }]);
  });

  it("reads lists, aliases and values of several lines", () => {
    expect(values("a:\n  x: [1, '2']\n  y: &y one\n  z: *y\n  t: |\n    two\n    three\n")).toEqual([
      { kind: "list", items: ["1", "2"] },
      "one",
      "one",
      "two\nthree\n",
    ]);
  });

  it("gives a mapping where a value belongs as such", () => {
    expect(values("a:\n  x: { y: 1 }\n  z: [[1]]")).toEqual([{ kind: "mapping" }, { kind: "mapping" }]);
  });

  it("accepts empty files, empty sections and a byte order mark", () => {
    for (const text of ["", "# only a comment\n", "a:\n", "\uFEFFa:\n"]) {
      expect(readYaml(text)).toMatchObject({ entries: [], problems: [], complete: true });
    }
  });

  it("refuses a doubled key with its line and still reads the rest", () => {
    const file = readYaml("a:\n  x: 1\n  y: 2\n  x: 3\n");
    expect(file.problems).toEqual([{ line: 4, text: "x is given twice; keep one of them" }]);
    expect(file.entries.map(({ key }) => key)).toEqual(["x", "y"]);
  });

  it("refuses a doubled section with its line", () => {
    expect(readYaml("a:\n  x: 1\nb:\n# note\na:\n  y: 1\n").problems).toEqual([
      { line: 5, text: "a is given twice; keep one of them" },
    ]);
  });

  it.each([
    ["a tab", "a:\n\tx: 1", 2],
    ["two colons", "a:\n  x: b: c", 2],
    ["an unclosed bracket", "a:\n  x: [1,\nb: 2", 3],
    ["an unclosed quote", "a:\n  x: 'one\n", 3],
    ["unquoted braces", "a:\n  x: {{y}}/z", 2],
    ["a second document", "a:\n  x: 1\n---\nb:\n", 3],
    ["a list of sections", "- a\n- b", 1],
    ["a section that is a value", "b:\na: 1", 2],
  ])("names the line of %s", (_, text, line) => {
    expect(readYaml(text).problems.map((problem) => problem.line)).toContain(line);
  });

  it("never shows the source in a complaint", () => {
    const broken = [
      "a:\n  password: @planted",
      "a:\n  password: 'planted\n",
      "a:\n  password:planted\n  x: 1",
      "a: planted",
      "planted",
      "a:\n  password: {{planted}}/x",
      "a:\n  password: planted: x",
      'a:\n  password: "planted\\q"',
      "a:\n  password: *planted",
      "a:\n  password: !pl!anted",
    ];
    for (const text of broken) expect(JSON.stringify(readYaml(text).problems)).not.toMatch(/planted/);
  });

  it("never throws, whatever the text", () => {
    const piece = fc.constantFrom(
      "a:",
      "  x: ",
      "\n",
      "!N",
      "*a",
      "&a ",
      "[",
      "{",
      "'",
      '"',
      "- ",
      "? ",
      "%",
      "|",
      "<<: ",
      "\t",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (yaml) => void readYaml(yaml)),
      { numRuns: 500 },
    );
  });

  it("survives nesting beyond all reason", () => {
    expect(readYaml(`a:\n  x: ${"[".repeat(50_000)}`).problems).not.toEqual([]);
  });
});
