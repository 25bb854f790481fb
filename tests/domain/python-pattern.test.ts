// Python's patterns, held against labels: what must match, what must not, and what is refused with which words.
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesAtStart, translatePattern } from "../../src/domain/python-pattern.ts";

function compiled(pattern: string): RegExp {
  const regex = translatePattern(pattern);
  if (!(regex instanceof RegExp)) throw new Error(`${pattern}: ${regex.fault}`);
  return regex;
}

/** Pattern, labels it matches, labels it does not; the same for Python itself. */
const TABLE: readonly (readonly [pattern: string, matching: readonly string[], other: readonly string[]])[] =
  [
    ["(person)", ["person", "personnel"], ["a person", "Person"]],
    ["(person|car)", ["car", "cart"], ["scar"]],
    ["person|car", ["car", "person"], ["scar"]],
    [".*", ["", "anything", "ä"], []],
    ["^(?!potted plant|bench)", ["person", ""], ["bench", "potted plant"]],
    ["(?i)PERSON", ["person", "PeRsOn"], ["car"]],
    ["(?i:P)erson", ["person", "Person"], ["pERSON"]],
    ["(?P<kind>dog|cat)s?$", ["dog", "cats"], ["dogsled"]],
    ["(?P<a>x)(?P=a)", ["xx"], ["xy"]],
    ["(a)\\1", ["aa"], ["ab"]],
    ["\\Acar\\Z", ["car"], ["cart", "car\n"]],
    ["car$", ["car", "car\n"], ["cart"]],
    ["(?m)car$", ["car\ntruck"], ["cart"]],
    ["(?s)a.b", ["a\nb"], ["ab"]],
    ["(?x) car | tr uck # both", ["car", "truck"], ["tr uck"]],
    ["(?#vehicles)car", ["car"], ["bus"]],
    ["\\w+$", ["grün", "two2_"], ["two words"]],
    ["[\\w ]+$", ["zwei wörter"], ["a-b"]],
    ["[^\\W\\d]+$", ["abc"], ["a1"]],
    ["\\bcar\\b", ["car", "car park"], ["cart"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[^]a]", ["b"], ["]", "a"]],
    ["[a-c-]", ["b", "-"], ["d"]],
    ["[a&&b]", ["&", "a"], ["c"]],
    ["[(|)]", ["(", "|", ")"], ["x"]],
    ["a{,2}b", ["b", "aab"], ["aaab"]],
    ["a{b", ["a{b"], ["ab"]],
    ["a}b]", ["a}b]"], ["ab"]],
    ["x{}y", ["x{}y"], ["xy"]],
    ["alpr:[A-Z]{2}-\\d+", ["alpr:AB-12"], ["alpr:A-12"]],
    ["\\x41\\u0042\\103", ["ABC"], ["abc"]],
    ["cell\\ phone", ["cell phone"], ["cellphone"]],
    ["a\\-b\\/c\\&\\&", ["a-b/c&&"], ["ab"]],
    ["(?<=x)a|b", ["b"], ["a"]],
    ["", ["", "all"], []],
  ];

describe("patterns mean what they mean in Python", () => {
  it.each(TABLE)("%s", (pattern, matching, other) => {
    const regex = compiled(pattern);
    expect(matching.filter((label) => !matchesAtStart(regex, label))).toEqual([]);
    expect(other.filter((label) => matchesAtStart(regex, label))).toEqual([]);
  });

  it("is asked again with the same answer", () => {
    const regex = compiled("person");
    expect([1, 2, 3].map(() => matchesAtStart(regex, "person"))).toEqual([true, true, true]);
  });

  it("is not held against more than the beginning of a very long label", () => {
    expect(matchesAtStart(compiled("a*b"), `${"a".repeat(500)}b`)).toBe(false);
  });
});

describe("what cannot be used is refused with a reason", () => {
  it.each([
    ["(person", "not a regular expression"],
    ["person)", "not a regular expression"],
    ["[abc", "not closed"],
    ["*car", "not a regular expression"],
    ["a++", "possessive"],
    ["a{1,2}+", "possessive"],
    ["(?>a)", "atomic"],
    ["(a)?(?(1)b|c)", "conditions"],
    ["\\q", '"\\q" is not known'],
    ["car\\", "ends with a backslash"],
    ["car(?i)", "must stand at the beginning"],
    ["(?P<1a>x)", "cannot be the name"],
    ["(?#x", "not closed"],
    ["(?~x)", "is not known"],
    ["[z-a]", "not a regular expression"],
    ["\\UFFFFFFFF", "no character"],
    ["x".repeat(3_000), "longer than"],
  ])("%s", (pattern, words) => {
    const answer = translatePattern(pattern);
    expect(answer).toHaveProperty("fault", expect.stringContaining(words));
  });

  it("never throws, whatever is written", () => {
    const sign = fc.constantFrom(..."()[]{}?*+|\\^$.-:<>=!Pix#,019abZ &~\n");
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: sign, maxLength: 12 }), fc.string()), (pattern) => {
        const answer = translatePattern(pattern);
        if (answer instanceof RegExp) matchesAtStart(answer, "person");
      }),
      { numRuns: 3_000 },
    );
  });
});

const hasPython = ((): boolean => {
  try {
    execFileSync("python3", ["-c", "pass"]);
    return true;
  } catch {
    return false;
  }
})();

describe.runIf(hasPython)("beside Python itself", () => {
  const PROGRAM = `
import sys,json,re,warnings
warnings.simplefilter("ignore")
out=[]
for pattern,labels in json.load(sys.stdin):
  try: out.append([bool(re.match(pattern,l)) for l in labels])
  except Exception: out.append(None)
print(json.dumps(out))`;
  const ask = (questions: readonly (readonly [string, readonly string[]])[]): (boolean[] | null)[] =>
    JSON.parse(
      execFileSync("python3", ["-c", PROGRAM], { input: JSON.stringify(questions), encoding: "utf8" }),
    );

  it("the table above says the same", () => {
    const answers = ask(TABLE.map(([pattern, matching, other]) => [pattern, [...matching, ...other]]));
    expect(answers).toEqual(
      TABLE.map(([, matching, other]) => [...matching.map(() => true), ...other.map(() => false)]),
    );
  });

  it("random patterns match the same labels", () => {
    const labels = [
      "",
      "a",
      "ab",
      "aab",
      "b",
      "ba",
      "a b",
      "A",
      "ä",
      "1",
      "_",
      "-",
      "a-b",
      "]",
      "{",
      "a{1",
      "\n",
    ];
    const piece = fc.constantFrom(
      "a",
      "b",
      ".",
      "\\w",
      "\\d",
      "\\W",
      "[ab]",
      "[^a]",
      "[]a]",
      "[a-]",
      "[\\w-]",
      "^",
      "$",
      "(a|b)",
      "(?:ab)",
      "(?=a)",
      "(?!a)",
      "(?P<n>a)",
      "a?",
      "b*",
      "a+?",
      "a{1,2}",
      "{",
      "}",
      "]",
      "|",
      "\\b",
      "\\-",
      "-",
      "\\Z",
      "ä",
    );
    const patterns = fc.sample(
      fc.array(piece, { maxLength: 5 }).map((parts) => parts.join("")),
      800,
    );
    const answers = ask(patterns.map((pattern) => [pattern, labels]));
    const wrong = patterns.filter((pattern, at) => {
      const theirs = answers[at];
      const ours = translatePattern(pattern);
      // What one of both refuses is not compared: Python and JavaScript differ in what may be repeated.
      if (theirs === null || theirs === undefined || !(ours instanceof RegExp)) return false;
      return labels.some((label, index) => matchesAtStart(ours, label) !== theirs[index]);
    });
    expect(wrong).toEqual([]);
    const refused = patterns.filter(
      (pattern, at) => answers[at] !== null && !(translatePattern(pattern) instanceof RegExp),
    );
    expect(refused.length).toBeLessThan(20);
  });
});
