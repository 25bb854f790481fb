import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readIni } from "../../src/config/ini-file.ts";

function texts(ini: string): Record<string, string> {
  return Object.fromEntries(
    readIni(ini).entries.map(({ section, key, value }) => [
      `${section}.${key}`,
      value.kind === "text" ? value.text : value.kind,
    ]),
  );
}

describe("the INI reader", () => {
  it("knows the line of every key", () => {
    const { entries } = readIni("# one\n[a]\n\nx = 1\n[b]\ny = 2");
    expect(entries.map(({ key, line }) => [key, line])).toEqual([
      ["x", 4],
      ["y", 6],
    ]);
  });

  it("keeps names in the case they have", () => {
    expect(texts("[A]\nKey = 1\n[a]\nkey = 2")).toEqual({ "A.Key": "1", "a.key": "2" });
  });

  it("takes a comment only at the start of a line", () => {
    expect(texts("[a]\n  # x = 1\n\t; y = 2\nz = pa#ss;word # all of it")).toEqual({
      "a.z": "pa#ss;word # all of it",
    });
  });

  it("keeps quotes and further equals signs", () => {
    expect(texts("[a]\nhook = '/usr/bin/x.sh --a=b'")).toEqual({ "a.hook": "'/usr/bin/x.sh --a=b'" });
  });

  it("trims blanks around sections, names and values", () => {
    expect(texts("  [ a ]  \n\t x \t=\t 1 2 \t")).toEqual({ "a.x": "1 2" });
  });

  it("gives an empty value as empty text", () => {
    expect(texts("[a]\nx =")).toEqual({ "a.x": "" });
  });

  it("takes the first of a doubled key, with a warning that names both lines", () => {
    const file = readIni("[fcm]\nenable = 1\nenable = 0");
    expect(file.entries).toHaveLength(1);
    expect(file.entries[0]?.value).toMatchObject({ text: "1" });
    expect(file.warnings).toEqual([
      { line: 3, text: "fcm.enable is given again; the first one, in line 2, counts" },
    ]);
  });

  it("joins a section that is given in two places", () => {
    expect(texts("[a]\nx = 1\n[b]\n[a]\ny = 2")).toEqual({ "a.x": "1", "a.y": "2" });
  });

  it("reads here-documents and goes on after them", () => {
    const file = readIni("[a]\nx = <<END\none\n  # two\nEND\ny = 2");
    expect(texts("[a]\nx = <<END\none\n  # two\nEND\ny = 2")).toEqual({ "a.x": "one\n  # two", "a.y": "2" });
    expect(file.entries.map(({ line }) => line)).toEqual([2, 6]);
  });

  it("reports a here-document without an end and still reads what follows", () => {
    const file = readIni("[a]\nx = <<END\ny = 2");
    expect(file.problems).toMatchObject([{ line: 2 }]);
    expect(file.entries.map(({ key }) => key)).toContain("y");
  });

  it("reads files with a byte order mark and with line ends of Windows", () => {
    expect(texts("\uFEFF[a]\r\nx = 1\r\ny = 2\r\n")).toEqual({ "a.x": "1", "a.y": "2" });
  });

  it("reports lines that are neither key nor section, without showing them", () => {
    const { problems } = readIni("[a]\nhunter2\n= hunter2\n");
    expect(problems.map(({ line }) => line)).toEqual([2, 3]);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  it("reports a key before the first section", () => {
    expect(readIni("port = 1").problems).toEqual([
      { line: 1, text: "port stands before the first [section]" },
    ]);
  });

  it("never throws, whatever the text", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("[a]", "x = 1", "x=<<E", "E", "#", "[", "="),
    );
    fc.assert(fc.property(fc.array(line), (lines) => void readIni(lines.join("\n"))));
  });

  it("gives back every value it was given", () => {
    const value = fc
      .string()
      .filter((text) => !text.includes("\n") && !text.includes("\r") && !/^\s*<</.test(text));
    fc.assert(
      fc.property(value, (text) => {
        expect(texts(`[a]\nx = ${text}`)).toEqual({ "a.x": text.trim() });
      }),
    );
  });
});
