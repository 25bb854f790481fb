import fc from "fast-check";
import { expect, it } from "vitest";
import { labelsOf } from "../../src/domain/labels.ts";

it.each([
  ["the object of the stock detector", { labels: ["person", "car", "person"] }, ["person", "car"]],
  ["the older list", [{ type: "object", label: "dog" }, { label: "cat" }], ["dog", "cat"]],
  ["an empty list", [], []],
  ["nothing", null, []],
  ["labels that are no names", { labels: [1, null, "", " ", "x".repeat(65), "car "] }, ["car"]],
])("names are taken from %s", (_, json, expected) => expect(labelsOf(json)).toEqual(expected));

it("any JSON can be looked at", () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => Array.isArray(labelsOf(json))));
});
