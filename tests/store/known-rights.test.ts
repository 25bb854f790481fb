import fc from "fast-check";
import { expect, test } from "vitest";
import type { Rights } from "../../src/domain/recipient.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createKnownRights, type RightsMemory } from "../../src/store/known-rights.ts";
import { mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";

type Answer = ReadonlyMap<string, Rights | null>;

function setUp(kept: RightsMemory["fact"] = async () => undefined) {
  const facts = new Map<string, unknown>();
  const source = { rightsOf: async (): Promise<Answer> => new Map() };
  const memory = { fact: kept, putFact: (key: string, value: unknown) => void facts.set(key, value) };
  return { facts, source, rights: createKnownRights({ source, memory, clock: systemClock }) };
}

test("what a user may see, that one is gone, and that nothing is known of one are three things", async () => {
  const { source, rights } = setUp();
  source.rightsOf = async () =>
    new Map<string, Rights | null>([
      ["anna", "all"],
      ["bert", null],
    ]);
  await rights.rightsOf(["anna", "bert", "carl"]);
  expect(["anna", "bert", "carl"].map(rights.lastKnown)).toEqual(["all", null, undefined]);
});

test("a login knows better than an answer that was asked for before it", async () => {
  const { source, rights } = setUp();
  const answer = Promise.withResolvers<Answer>();
  source.rightsOf = () => answer.promise;
  const asked = rights.rightsOf(["anna"]);
  rights.note("anna", new Set([mid(4)]));
  answer.resolve(new Map([["anna", null]]));
  await asked;
  expect(rights.lastKnown("anna")).toEqual(new Set([4]));
});

test("a disk that hangs is not waited for, what is learnt meanwhile holds, and nothing it kept is lost", async () => {
  const read = Promise.withResolvers<unknown>();
  const { facts, rights } = setUp(() => read.promise);
  await rights.restore();
  rights.note("anna", "all");
  await eventually(() => expect(rights.lastKnown("anna")).toBe("all"));
  read.resolve({ anna: [1], bert: [2], carl: null });
  await eventually(() => expect(rights.lastKnown("bert")).toEqual(new Set([2])));
  await eventually(() => expect([...facts.values()]).toEqual([{ anna: "all", bert: [2], carl: null }]));
});

test("it is written when something has changed, and not otherwise", async () => {
  const { facts, source, rights } = setUp();
  await rights.restore();
  source.rightsOf = async () => new Map([["anna", new Set([mid(1), mid(2)])]]);
  await rights.rightsOf(["anna"]);
  await eventually(() => expect(facts.size).toBe(1));
  facts.clear();
  await rights.rightsOf(["anna"]);
  rights.note("bert", "all");
  await eventually(() => expect([...facts.values()]).toEqual([{ anna: [1, 2], bert: "all" }]));
});

test("what was learnt just before the end is written as well", async () => {
  const { facts, rights } = setUp();
  await rights.restore();
  rights.keep();
  expect(facts.size).toBe(0);
  rights.note("anna", "all");
  rights.keep();
  expect([...facts.values()]).toEqual([{ anna: "all" }]);
});

test("no content of the disk makes it throw, and nothing odd becomes a right", async () => {
  await fc.assert(
    fc.asyncProperty(fc.anything(), async (content) => {
      const { rights } = setUp(async () => ({ anna: content }));
      await rights.restore();
      const known = rights.lastKnown("anna");
      expect(content === "all" || Array.isArray(content) || known === undefined || known === null).toBe(true);
    }),
  );
});
