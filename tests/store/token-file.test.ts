import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pushesThisMonth } from "../../src/domain/device.ts";
import { deviceFrom, entryOf } from "../../src/store/device-entry.ts";
import { formatToken, formatTokenFile, parseTokenFile, type TokenEntry } from "../../src/store/token-file.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/tokens", name), "utf8");
const NOW = new Date(2026, 10, 22, 12).getTime();
const DAY = 86_400_000;

function read(text: string) {
  const parsed = parseTokenFile(text);
  if (parsed.format === "damaged") throw new Error(parsed.problem);
  return parsed;
}

const format = (entries: ReadonlyMap<string, TokenEntry>, rest: TokenEntry): string =>
  formatTokenFile(
    [...entries].map(([token, entry]) => formatToken(token, entry)),
    rest,
  );

const device = (token: string, entry: TokenEntry) => deviceFrom(token, entry, NOW, 30 * DAY);

test("lines of versions 1.0 to 5 are read from their end, and the last line of a token counts", () => {
  const { format, entries, unreadable } = read(fixture("v5.txt"));
  expect(format).toBe("colon");
  expect(unreadable).toBe(0);
  expect([...entries.keys()]).toEqual(["ghi", "dXy:APA91b-old", "abc:def"]);
  const [ghi, old, abc] = [...entries].map(([token, entry]) => device(token, entry));
  expect(abc).toMatchObject({ monlist: "1,2,3", intlist: "0,60,0", platform: "ios", pushState: "enabled" });
  expect(abc?.filter).toEqual({ monitors: new Set([1, 2, 3]), intervals: new Map([[2, 60]]) });
  expect(ghi).toMatchObject({ monlist: "", pushState: "disabled", platform: "android", owner: null });
  expect(ghi?.filter.monitors).toBe("all");
  expect(old).toMatchObject({ pushState: "enabled", appVersion: "unknown", adoptedUntil: NOW + 30 * DAY });
});

test("the JSON of versions 6 and 7 is read, numbers as text too, and what is missing has its default", () => {
  const { format, entries, rest } = read(fixture("v7.json"));
  expect(format).toBe("json");
  expect(rest).toEqual({ comment: "kept" });
  const [example, abc, bare] = [...entries].map(([token, entry]) => device(token, entry));
  expect(example).toMatchObject({
    platform: "android",
    appVersion: "1.1.14",
    profile: "Home",
    app: "zmninja-ng",
    invocations: { count: 17, at: 10, year: null },
    label: "phone ...xample",
  });
  expect(abc).toMatchObject({ platform: "ios", pushState: "disabled", profile: null, app: "unknown" });
  expect(bare).toMatchObject({ platform: "unknown", pushState: "enabled", monlist: "", badge: 0 });
});

test("a token that versions 6 and 7 wrote back with nothing but its counter is a dead one", () => {
  expect([...read(fixture("v7.json")).entries.keys()]).not.toContain("ghost");
});

test("fields that nobody knows stay as they are when the file is written", () => {
  const { entries, rest } = read(fixture("v7.json"));
  const written = new Map([...entries].map(([token, entry]) => [token, entryOf(device(token, entry))]));
  const again = read(format(written, rest));
  expect(again.rest).toEqual({ comment: "kept" });
  expect(again.entries.get("dXy:APA91b-example")).toMatchObject({
    note: "of the kitchen",
    monlist: "2,4",
    pushstate: "enabled",
    invocations: { count: 17, at: 10 },
  });
});

test("what we know of a device survives being written and read", () => {
  const known = device("t".repeat(150), { monlist: "4", intlist: "60", platform: "ios" });
  Object.assign(known, { owner: "anna", orphanSince: null, adoptedUntil: null, badge: 7, app: "zmninja" });
  Object.assign(known, { lastSuccess: NOW, lastError: { at: NOW - 1, reason: "503" } });
  known.lastTold.set(4 as never, NOW - 5);
  const { entry: _, ...expected } = known;
  expect(device(known.token, JSON.parse(JSON.stringify(entryOf(known))))).toMatchObject(expected);
});

test.each(["", "-1", "0", " -1 "])(
  "the list %j means every monitor, and is written as the empty one",
  (monlist) => {
    const known = device("token", { monlist });
    expect(known.filter.monitors).toBe("all");
    expect(entryOf(known).monlist).toBe("");
  },
);

test("a count of the same month a year ago is not this month's", () => {
  const a = { count: 5, at: 10 };
  expect(pushesThisMonth({ ...a, year: 2026 }, NOW)).toBe(5);
  expect(pushesThisMonth({ ...a, year: null }, NOW)).toBe(5);
  expect(pushesThisMonth({ ...a, year: 2025 }, NOW)).toBe(0);
  expect(pushesThisMonth({ ...a, at: 9, year: 2026 }, NOW)).toBe(0);
});

test.each(["", " \n\n", "\uFEFF"])("an empty file (%j) has no tokens", (text) => {
  expect(parseTokenFile(text)).toMatchObject({ format: "empty", entries: new Map() });
});

test.each([
  ["cut short", fixture("v7.json").slice(0, 90)],
  ["broken JSON with something like a line in it", '{"tokens":{\nabc:1:0:ios:enabled\n'],
  ["a list", "[1,2]"],
  ["a word", '"tokens"'],
  ["tokens in a list", '{"tokens":["a"]}'],
  ["prose", "These are my tokens.\nI had three."],
  ["zeros", "\0\0\0\0"],
])("a file that is %s is damaged, not empty", (_name, text) => {
  expect(parseTokenFile(text).format).toBe("damaged");
});

test("lines that are none are counted, and cost the others nothing", () => {
  const parsed = read("what is this\nabc:1,2:0,0:ios:enabled\nabc:x y:0:ios:enabled\n");
  expect([parsed.entries.size, parsed.unreadable]).toEqual([1, 2]);
});

test("tokens with the names of JavaScript's own properties are tokens like any other", () => {
  const { entries } = read('{"tokens":{"__proto__":{"monlist":"1"},"constructor":{"monlist":"2"}}}');
  const again = read(format(entries, {}));
  expect([...again.entries.keys()]).toEqual(["__proto__", "constructor"]);
});

test("no content makes reading throw", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), readWhole));
  const field = fc.oneof(fc.anything(), fc.constantFrom("enabled", "-1", "1,2", 5, null));
  const keys = fc.constantFrom(
    "monlist",
    "intlist",
    "platform",
    "pushstate",
    "invocations",
    "zmes",
    "profile",
  );
  const entry = fc.dictionary(keys, field);
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(entry, fc.anything())), (tokens) => {
      let text = "";
      try {
        text = JSON.stringify({ tokens });
      } catch {
        return; // a bigint: no file holds one
      }
      readWhole(text);
    }),
  );
});

function readWhole(text: string): void {
  const parsed = parseTokenFile(text);
  if (parsed.format === "damaged") return;
  for (const [token, entry] of parsed.entries) entryOf(device(token, entry));
}
