import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readIniLines } from "../../../src/config/objectconfig/ini-lines.ts";

const values = (text: string) =>
  Object.fromEntries(
    readIniLines(text).sections.flatMap(({ name, values: all }) =>
      all.map(({ key, text: each }) => [`${name}.${key}`, each]),
    ),
  );

describe("the INI dialect of objectconfig.ini", () => {
  it("cuts comments behind values where a blank stands before them", () => {
    expect(values("[a]\nx = 1 # one\ny=pass#word\nz=#\n; no\n # no\n")).toEqual({
      "a.x": "1",
      "a.y": "pass#word",
      "a.z": "",
    });
  });

  it("has keys in lower case, after which = or : stands", () => {
    expect(values("[monitor-3]\nFront_Door=1,2\nBack: 3\n")).toEqual({
      "monitor-3.front_door": "1,2",
      "monitor-3.back": "3",
    });
  });

  it("goes on in lines that are indented, and in brackets at the beginning of a line", () => {
    const text = "[ml]\nml_sequence= {\n   'a': 1,  # one\n\n  # gone\n 'b': [\n]\n}\nnext=1\n";
    expect(values(text)).toEqual({ "ml.ml_sequence": "{\n'a': 1,\n\n\n'b': [\n]\n}", "ml.next": "1" });
    expect(readIniLines(text).sections[0]?.values[0]).toMatchObject({
      line: 2,
      column: 14,
      raw: "{\n   'a': 1,  # one\n\n\n 'b': [\n]\n}",
    });
  });

  it("takes the first of two, and goes on in a section that begins again", () => {
    const text = "[a]\nx=1\nx=2\n[b]\ny=1\n[a]\nz=3\n";
    expect(values(text)).toEqual({ "b.y": "1", "a.x": "1", "a.z": "3" });
    expect(readIniLines(text).warnings).toEqual([
      { line: 3, text: "x is given again; the first one, in line 2, counts" },
    ]);
  });

  it("says in which line something is that it does not understand, and not what", () => {
    expect(readIniLines("a=1\n[a]\nsecretword\n").problems).toEqual([
      { line: 1, text: "a key stands before the first [section]" },
      { line: 3, text: "expected [section] or key = value; a comment begins with #" },
    ]);
  });

  it("never throws", () => {
    const pieces = fc.constantFrom("[", "]", "a", "=", ":", "#", ";", "\n", " ", "{", "'", "\r", "\t");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (all) => {
        readIniLines(all.join(""));
      }),
      { numRuns: 1000 },
    );
  });
});
