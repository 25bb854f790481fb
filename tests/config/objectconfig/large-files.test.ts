// Files larger than they may be, made of one thing over and over: cameras wait while they are read.
import { describe, expect, it } from "vitest";
import { parseObjectConfig } from "../../../src/config/objectconfig/object-config.ts";

const own = { rule: "touches", minOverlapPercent: 0, hogMinWeight: 0.5, layout: null } as const;
const SIZE = 262_144;
/** Of CPU time, which is the same however busy the machine is. */
const LIMIT_MS = 2_500;

function filled(head: string, line: (index: number) => string, tail = ""): string {
  let text = head;
  for (let index = 0; text.length < SIZE - 200; index++) text += line(index);
  return text + tail;
}

const HEAD = "[general]\nbase_data_path = /x\n[object]\nobject_framework = hog\n";
const SEQUENCE =
  "[ml]\nml_sequence = {'general': {'model_sequence': 'object'}, 'object': {'general': {}, 'sequence': [";

describe("a file that is twice as large as it may be", () => {
  it.each([
    ["keys that nobody knows", filled(`${HEAD}[x]\n`, (i) => `kk${i.toString(36)}=1\n`)],
    ["keys of monitors that nobody knows", filled(HEAD, (i) => `[monitor-${i}]\nzzzz=1\n`)],
    ["sections", filled(HEAD, (i) => `[s${i}]\n`)],
    ["models that cannot be used", filled(SEQUENCE, () => "{'object_framework': 'x'},", "]}}\n")],
    ["templates that name each other", filled(`${HEAD}[x]\n`, (i) => `t${i}={{t${i + 1}}}{{t${i + 1}}}\n`)],
  ])("with nothing but %s is read and reviewed soon", (_, text) => {
    const begun = process.cpuUsage();
    const config = parseObjectConfig("objectconfig.ini", text, own);
    config.review();
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1000).toBeLessThan(LIMIT_MS);
  });

  it("says of the first of many unknown keys what was meant, and of the others that they are not known", () => {
    const config = parseObjectConfig(
      "objectconfig.ini",
      filled(`${HEAD}[x]\n`, (i) => `wait${i}=1\n`),
      own,
    );
    const { notes } = config.review();
    expect(notes.at(0)?.why).toBe("it is not known; did you mean wait?");
    expect(notes.at(-1)?.why).toBe("it is not known");
    expect(notes.length).toBeGreaterThan(10_000);
  });

  it("says how many models are the most", () => {
    const config = parseObjectConfig(
      "objectconfig.ini",
      filled(SEQUENCE, () => "{'object_framework': 'hog'},", "]}}\n"),
      own,
    );
    expect(() => config.settingsFor(1)).toThrow(/50 are the most/);
  });
});
