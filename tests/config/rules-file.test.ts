import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPattern } from "../../src/config/cause-pattern.ts";
import { loadRules, type ReadRules, readRules } from "../../src/config/rules-file.ts";
import { decideByRules } from "../../src/domain/rules.ts";
import { mid } from "../support/builders.ts";
import { aFolder } from "./temporary-files.ts";

/** Problems of a file with this one rule, its keys on lines of their own from line 5 on. */
function problemsOf(...keys: readonly string[]): string[] {
  const read = readRules(
    `notifications:\n  monitors:\n    4:\n      rules:\n        - ${keys.join("\n          ")}\n`,
  );
  return read.problems.map(({ line, text }) => `${line} ${text}`);
}

const lines = (remarks: ReadRules["problems"]) => remarks.map(({ line, text }) => `${line} ${text}`);

describe("the rules file", () => {
  const json6 = `{
	"notifications": {
		"monitors":{
		  "999": {
			  "rules": [{
				  "comment": "years need care",
				  "time_format":"%I:%M %p",
				  "from":"9:30 pm",
				  "to":"1:00 am",
				  "daysofweek": "Mon,Tue,Wed",
				  "cause_has":"^(?!.*(person)).*$",
				  "action": "mute"
			  },
			  { "comment1": "x", "action": "critical_notify" }]
		  }
	  }
	}
}
`;

  it("of version 6 is read, tabs and all", () => {
    const { rules, count, problems, warnings } = readRules(json6);
    expect([count, problems, warnings]).toEqual([2, [], []]);
    const tuesday = new Date(2026, 0, 14, 0, 59).getTime(); // Wednesday's first hour
    const question = { monitor: mid(999), groups: [], at: tuesday };
    expect(decideByRules(rules, { ...question, cause: "Motion" }).rule).toBe(
      "monitors 999, rule 1 (years need care)",
    );
    expect(decideByRules(rules, { ...question, cause: "detected:person" }).outcome).toBe("critical");
  });

  it("may have comments, although JSON knows none", () => {
    const commented = json6
      .replace('"999": {', '"999": { // the garden')
      .replace('{ "comment1"', '/* "from": "x",\n*/ { "comment1"');
    const withUrl = commented.replace("years need care", "see https://example.org/a //");
    const { rules, count, problems, warnings } = readRules(withUrl);
    expect([count, problems, warnings]).toEqual([2, [], []]);
    expect(rules.monitors.get(999)?.[0]?.name).toContain("https://example.org/a //");
  });

  it("of version 6 may have times that its time_format does not, as the one that came with it", () => {
    const rule = { time_format: "%I:%M %p", from: "9:30 pm", to: "1 am", action: "mute" };
    const { rules, problems } = readRules(
      JSON.stringify({ notifications: { monitors: { 998: { rules: [rule] } } } }),
    );
    expect(problems).toEqual([]);
    const at = (time: string) =>
      decideByRules(rules, {
        monitor: mid(998),
        groups: [],
        cause: "",
        at: Date.parse(`2026-11-20T${time}`),
      }).outcome;
    expect(["21:29:59", "21:30:00", "01:00:59", "01:01:00"].map(at)).toEqual([
      "none",
      "mute",
      "mute",
      "none",
    ]);
  });

  it("of our examples has no mistake", () => {
    const { problems, warnings, count } = loadRules(join(import.meta.dirname, "../../examples/rules.yml"));
    expect([problems, warnings, count]).toEqual([[], [], 7]);
  });

  it("in docs/rules.md is read without a mistake", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/rules.md"), "utf8");
    const example = /```yml\n(notifications:[\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(readRules(example)).toMatchObject({ count: 1, problems: [], warnings: [] });
  });

  it("may be empty, or have monitors without rules", () => {
    for (const text of [
      "",
      "notifications:\n",
      "notifications: { monitors: { 4: } }",
      "notifications: { monitors: { 4: { rules: [] } } }",
    ])
      expect(readRules(text)).toMatchObject({ count: 0, problems: [] });
  });

  it.each([
    ["time_format: '%j'", 'time_format: "%j" is not understood; known are %H %I %M'],
    ["time_format: '%I:%M'", "time_format: %I and %p belong together; with 24 hours it is %H"],
    ["time_format: '%M'", "time_format: expected a time of day such as"],
    ["time_format: '%H:%H'", "time_format: the same part of a time stands in it twice"],
    ["from: 25:00", 'from: expected a time such as 9:30 pm or 21:30, got "25:00"'],
    ["from: 24:00", "the day ends at 23:59, which belongs to it"],
    ["from: 13:00 pm", "from: expected a time such as"],
    ["to: [1, 2]", "to: expected a text, not a list or more keys"],
    ["daysofweek: Mo,Di", 'daysofweek: expected names such as Mon,Tue,Sat, got "mo,di"'],
    ["cause_has: '(person'", "cause_has: this is not a regular expression: unterminated group"],
    ["channels: sms", 'channels: expected some of web, fcm, mqtt, api, got "sms"'],
    ["devices: []", "devices: expected user names"],
    ["cooldown: 1h", 'cooldown: expected seconds from 0 to 86400, got "1h"'],
    ["cooldown: 60", "cooldown: it means nothing to a rule that mutes"],
    ["dayofweek: Mon", '"dayofweek" is not known; did you mean daysofweek?'],
    ["groups: Outside", '"groups" is no key of a rule; rules of a group stand below'],
  ])("names the line and what is wrong with %s", (key, words) => {
    const found = problemsOf("action: mute", key, ...(key.startsWith("time_format") ? ["from: 1 am"] : []));
    expect(found).toEqual([expect.stringMatching(/^6 monitors 4, rule 1: /)]);
    expect(found[0]).toContain(words);
  });

  it("names an action that is missing or not known", () => {
    expect(problemsOf("from: 1 am")).toEqual([
      "5 monitors 4, rule 1: action: it is missing: expected mute, critical_notify or notify",
    ]);
    expect(problemsOf("comment: x", "action: silent")).toEqual([
      '6 monitors 4, rule 1: action: expected mute, critical_notify or notify, got "silent"',
    ]);
  });

  it("names what does not belong where it stands", () => {
    const text =
      "notifications:\n  monitors:\n    Garage: {}\n    4: { rules: mute }\n    5: { rule: [] }\n  monitor: {}\n";
    expect(lines(readRules(text).problems)).toEqual([
      '3 "Garage" is not a monitor: expected its number, or "all"',
      '4 monitors 4: expected a list of rules below "rules"',
      '5 "rule" is not known here; did you mean rules?',
      '6 "monitor" is not known here; did you mean monitors?',
    ]);
    expect(lines(readRules("monitors: { 4: {} }").problems).join()).toContain('expected "notifications:"');
    expect(lines(readRules("a: [\nb").problems)[0]).toMatch(/^\d+ /);
  });

  it("warns of what is understood otherwise than meant", () => {
    const rule = (keys: string) =>
      lines(
        readRules(`notifications: { monitors: { 4: { rules: [{ action: mute, ${keys} }] } } }`).warnings,
      ).join();
    expect(rule("daysofweek: Mon-Fri")).toContain(
      '"mon-fri" is no range: only the days that are named count',
    );
    expect(rule("daysofweek: 'Mon,Di'")).toContain('"di" is no day');
    expect(rule("daysofweek: 'Monday, Tuesday'")).toBe("");
    expect(rule("colour: red")).toContain('"colour" is not known and means nothing');
  });

  it("that is not there, or is a folder, is a problem and no failure", () => {
    expect(loadRules("/nowhere/rules.yml").problems).toEqual([
      "/nowhere/rules.yml: cannot read the rules (customize.es_rules): it does not exist",
    ]);
    expect(loadRules(aFolder()).problems.join()).toContain("it is a folder");
  });

  it("never throws, whatever is in it", () => {
    const word = fc.constantFrom(
      ...[
        "notifications",
        "monitors",
        "groups",
        "4",
        "all",
        "rules",
        "action",
        "mute",
        "from",
        "%H:%M",
        "9 pm",
      ],
      ...[
        "cause_has",
        "(",
        "[",
        "{",
        "}",
        "]",
        ":",
        "-",
        "&a",
        "*a",
        "<<",
        "!x",
        '"',
        "'",
        "\t",
        "\n",
        "  ",
        ",",
        "//",
        "/*",
      ],
    );
    const soup = fc.array(word, { maxLength: 40 }).map((words) => words.join(" "));
    const key = fc.constantFrom(
      "action",
      "from",
      "to",
      "time_format",
      "daysofweek",
      "cause_has",
      "channels",
      "devices",
      "cooldown",
    );
    const tree = fc.record({
      notifications: fc.record({
        monitors: fc.dictionary(
          fc.constantFrom("4", "all", "x"),
          fc.record({
            rules: fc.oneof(
              fc.array(fc.dictionary(key, fc.oneof(fc.string(), fc.integer(), fc.constant(null)))),
              fc.jsonValue(),
            ),
          }),
        ),
      }),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          soup,
          tree.map((value) => JSON.stringify(value)),
        ),
        fc.string(),
        (text, cause) => {
          const { rules } = readRules(text);
          decideByRules(rules, { monitor: mid(4), groups: ["x"], cause, at: 0, channel: "web" });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("cannot grow beyond measure by aliases", () => {
    const rule = "{ action: mute }";
    const list = `[${Array.from({ length: 2000 }, () => rule).join(",")}]`;
    const monitors = Array.from({ length: 100 }, (_, index) => `    ${index + 2}: { rules: *a }\n`).join("");
    const { count, problems } = readRules(
      `notifications:\n  monitors:\n    1: { rules: &a ${list} }\n${monitors}`,
    );
    expect(count).toBe(10_000);
    expect(lines(problems).join()).toContain("there are more than 10000 rules");
  });
});

describe("cause_has", () => {
  const search = (source: string, cause: string) => {
    const read = readPattern(source);
    return read.ok ? read.pattern.search(cause) : read.text;
  };

  it.each([
    ["person", "detected:Person", "found"],
    ["(?i)person", "detected:PERSON", "found"],
    ["^detected\\:(car|truck)\\b", "detected:truck:90%", "found"],
    ["größe", "GRÖSSE GRÖßE", "found"],
    ["a\\-b", "A-B", "found"],
    ["(?:person)(?!.*cat)", "person, cat", "not-found"],
    ["[(?>*+]", "x", "not-found"],
  ])("%s in %j is %s", (source, cause, expected) => {
    expect(search(source, cause)).toBe(expected);
  });

  it.each([
    ["\\Aperson", "\\A is Perl's alone; write ^"],
    ["person\\z", "\\z is Perl's alone; write $"],
    ["\\Qa.b\\E", "\\Q...\\E is Perl's alone"],
    ["[[:alpha:]]+", "[[:name:]] is Perl's alone"],
    ["(?>a+)b", "(?>...) is Perl's alone"],
    ["(?#note)a", "(?#...) is Perl's alone; use the key comment"],
    ["(?P<x>a)", "(?P...) is Perl's alone; write (?<name>...)"],
    ["a(?i)b", "a switch for all that follows is Perl's alone"],
    ["(?x: a b )", "this switch is Perl's alone"],
    ["(?R)", "this kind of group is Perl's alone"],
    ["a++", "this is not a regular expression: nothing to repeat"],
  ])("%s is Perl's alone, and that is said", (source, words) => {
    expect(search(source, "a")).toContain(words);
  });

  it("that takes for ever is given up, told of once, and left alone in the end", () => {
    let told = 0;
    const read = readPattern("^(a+)+$", () => {
      told += 1;
    });
    if (!read.ok) throw new Error(read.text);
    const { search: find } = read.pattern;
    const begun = performance.now();
    const bad = `${"a".repeat(60)}!`;
    expect(Array.from({ length: 20 }, () => find(bad))).toEqual(Array(20).fill("too-slow"));
    // Three times 100 ms, and a busy machine; without the guard it would be years.
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(told).toBe(1);
  });

  it("is searched in the first 1000 characters", () => {
    expect(search("needle", `${"x".repeat(990)}needle`)).toBe("found");
    expect(search("needle", `${"x".repeat(1000)}needle`)).toBe("not-found");
  });
});
