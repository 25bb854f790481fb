import fc from "fast-check";
import { expect, test } from "vitest";
import { ownNames, parseNames, tidyName } from "../../../src/cli/setup/names.ts";

test.each([
  ["zm.example.org", "zm.example.org"],
  ["ZM.Example.ORG.", "zm.example.org"],
  ["garden", "garden"],
  ["192.168.1.10", "192.168.1.10"],
  ["[fd00::5]", "fd00::5"],
  ["FD00::5", "fd00::5"],
  ["wss://zm.example.org:9000/", "zm.example.org"],
  ["zm.example.org:9000", "zm.example.org"],
  ["gärten.example", "xn--grten-gra.example"],
])("%s is taken as %s", (typed, taken) => {
  expect(tidyName(typed)).toBe(taken);
});

test.each([
  "",
  " ",
  "a b",
  "-x",
  "zm_..org",
  "1.2",
  "300.1.1.1",
  "host;rm",
  "x".repeat(300),
  "*.example.org",
])("%j is no name", (typed) => {
  expect(tidyName(typed)).toBeNull();
});

test("names are taken apart at commas and blanks, once each, and what is none is named", () => {
  expect(parseNames("a.org, b.org a.org ,, *?")).toEqual({ names: ["a.org", "b.org"], bad: ["*?"] });
});

test("whatever is typed, it does not throw, and nothing that could break a configuration of openssl is taken", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (typed) => {
      const name = tidyName(typed);
      expect(name === null || /^[a-z0-9._:-]+$/.test(name)).toBe(true);
    }),
  );
});

test("what the machine knows of itself are names that can be taken", () => {
  for (const name of ownNames()) expect(tidyName(name)).toBe(name);
});

test("a machine offers no name without a dot: an authority for it could sign for whole countries", () => {
  expect(ownNames().filter((name) => !name.includes("."))).toEqual([]);
});
