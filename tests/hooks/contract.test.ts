import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hookArguments, readAnswer, userScriptArguments } from "../../src/hooks/contract.ts";
import { aMonitor, anAlarm } from "../support/builders.ts";

const exit = (code: number) => ({ kind: "exited", code }) as const;
const outcome = (stdout: string, code = 0, isOld = false) => readAnswer(stdout, exit(code), isOld).outcome;

describe("the answer of a hook", () => {
  it.each([
    [
      "text alone",
      "[a] detected:person\n",
      { text: "[a] detected:person", json: null, result: 0, note: "ran" },
    ],
    ["text and JSON", 'x--SPLIT--{"a": 1}\n', { text: "x", json: { a: 1 }, result: 0, note: "ran" }],
    ["an old list", "x--SPLIT--[]\n", { text: "x", json: [], result: 0, note: "ran" }],
    ["bad JSON, which costs the JSON only", "x--SPLIT--{a: 1}", { text: "x", json: null, note: "bad-json" }],
    ["nothing, which means no", "", { text: "", result: 1 }],
    ["an empty line, which means no", "\n", { text: "", result: 1 }],
    [
      "quotes, substitutions and lines as they are",
      "\"a\" $(id) `b`\n'ü'\n\n",
      { text: "\"a\" $(id) `b`\n'ü'\n" },
    ],
    ["JSON without text, which means no", '--SPLIT--{"a":1}', { text: "", json: { a: 1 }, result: 1 }],
  ])("may be %s", (_, stdout, expected) => expect(outcome(stdout)).toMatchObject(expected));

  it("may hold JSON nested so deeply that nobody could pass it on: it is left out", () => {
    const nested = (depth: number) => `x--SPLIT--${"[".repeat(depth)}${"]".repeat(depth)}`;
    expect(outcome(nested(50)).note).toBe("ran");
    expect(outcome(nested(50_000))).toMatchObject({ text: "x", json: null, result: 0, note: "bad-json" });
  });

  it("is the exit code where there is text", () => {
    expect(outcome("x", 3).result).toBe(3);
  });

  it("is no when another program killed the script", () => {
    expect(readAnswer("x", { kind: "killed", signal: "SIGSEGV" }, false).outcome.result).toBe(1);
  });

  it("is the exit code alone in configurations of the first versions", () => {
    expect(outcome("", 0, true).result).toBe(0);
  });

  it("can be read whatever is printed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 255 }), (text, code) => {
        expect(outcome(text, code).text.length).toBeLessThanOrEqual(4_000);
        expect(outcome(`a--SPLIT--${text}`, code).text).toBe("a");
      }),
    );
  });
});

describe("arguments", () => {
  const alarm = anAlarm({ monitor: aMonitor({ name: 'Hof "$(reboot)"' }), cause: "Motion `id`; rm -rf /" });

  it("of a hook are event, monitor, name, cause and the folder, as they are", () => {
    expect(hookArguments(alarm, null)).toEqual(["5060", "1", 'Hof "$(reboot)"', "Motion `id`; rm -rf /"]);
    expect(hookArguments(alarm, "/events/5060").at(4)).toBe("/events/5060");
  });

  it("of a hook name event 0 where there is none", () => {
    expect(hookArguments(anAlarm({ eventId: null }), null)[0]).toBe("0");
  });

  it("of a user script begin with the result, and hold the JSON whole", () => {
    const answer = readAnswer('it\'s--SPLIT--{"a": "b \\"c\\""}\n', exit(0), false);
    expect(userScriptArguments(alarm, answer, "/f")).toEqual([
      "0",
      "5060",
      "1",
      'Hof "$(reboot)"',
      "it's",
      '{"a": "b \\"c\\""}',
      "/f",
    ]);
  });
});
