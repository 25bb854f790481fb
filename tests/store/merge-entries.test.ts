import fc from "fast-check";
import { expect, test } from "vitest";
import { changesFrom } from "../../src/store/merge-entries.ts";
import type { TokenEntry } from "../../src/store/token-file.ts";

type Entries = ReadonlyMap<string, TokenEntry>;

/** What is in memory after the changes were taken over. */
function merged(base: Entries, theirs: Entries, ours: Entries): Entries {
  const result = new Map(ours);
  for (const [token, entry] of changesFrom(base, theirs, ours)) {
    if (entry === null) result.delete(token);
    else result.set(token, entry);
  }
  return result;
}

const map = (entries: Record<string, TokenEntry>): Entries => new Map(Object.entries(entries));
const field = fc.constantFrom("monlist", "pushstate", "zmes");
const entries = fc
  .dictionary(fc.constantFrom("a", "b", "c"), fc.dictionary(field, fc.integer({ min: 0, max: 3 })))
  .map((one) => map(one));

test("a file that nobody edited changes nothing", () => {
  fc.assert(
    fc.property(entries, entries, (base, ours) => {
      expect(merged(base, base, ours)).toEqual(ours);
    }),
  );
});

test("what nobody changed in memory becomes what the file says", () => {
  fc.assert(
    fc.property(entries, entries, (base, theirs) => {
      const result = merged(base, theirs, base);
      expect([...result.keys()].sort()).toEqual([...theirs.keys()].sort());
      for (const [token, entry] of theirs) expect(result.get(token)).toMatchObject(entry);
    }),
  );
});

test("tokens registered meanwhile stay, whatever was done to the file", () => {
  fc.assert(
    fc.property(entries, entries, (base, theirs) => {
      const ours = new Map([...base, ["new", { monlist: 1 }] as const]);
      expect(merged(base, theirs, ours).get("new")).toEqual({ monlist: 1 });
    }),
  );
});

test("a token forgotten here stays forgotten while the file only still names it", () => {
  expect(merged(map({ a: { x: 1 } }), map({ a: { x: 1 } }), map({})).size).toBe(0);
});

test("a token that was forgotten here and edited there is wanted", () => {
  expect(merged(map({ a: { x: 1 } }), map({ a: { x: 2 } }), map({})).get("a")).toEqual({ x: 2 });
});

test("both sides' changes hold; in the same field the file wins", () => {
  const base = map({ a: { x: 1, y: 1, z: 1 } });
  const result = merged(base, map({ a: { x: 2, y: 1, z: 2 } }), map({ a: { x: 1, y: 3, z: 3 } }));
  expect(result.get("a")).toEqual({ x: 2, y: 3, z: 2 });
});
