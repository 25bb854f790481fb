import { expect, test } from "vitest";
import { type Outcome, ok, problem, skipped, warning } from "../../../src/cli/doctor/check.ts";
import { hasProblem, jsonReport, printable, textReport } from "../../../src/cli/doctor/report.ts";

const outcomes: readonly Outcome[] = [
  {
    check: "disk",
    title: "Disk",
    findings: [ok("much room"), warning("not for long", "Buy one: disks and disks.")],
  },
  { check: "port", title: "Port", findings: [problem("taken", "Stop it.")] },
  { check: "mqtt", title: "MQTT", findings: [skipped("off")] },
];
const plain = { colour: false, columns: null };

test("each finding has its line, with the fix below it, and the end counts", () => {
  expect(textReport(outcomes, plain)).toBe(
    `Disk  ok       much room
      warning  not for long
               Buy one: disks and disks.
Port  PROBLEM  taken
               Stop it.
MQTT  -        off

1 problem, 1 warning.
`,
  );
});

test("on a narrow terminal lines are broken between words, below each other", () => {
  const long = ok(`${"word ".repeat(20)}end`);
  const lines = textReport([{ check: "x", title: "X", findings: [long] }], {
    colour: false,
    columns: 60,
  }).split("\n");
  expect(lines.every((line) => line.length < 60)).toBe(true);
  expect(lines[1]).toMatch(/^ {12}word/);
});

test("in a terminal of 60 columns no line is broken by the terminal", () => {
  const long = outcomes.map((outcome) => ({ ...outcome, title: "Data directory" }));
  const many = [problem("word ".repeat(40).trim(), "do this ".repeat(20).trim())];
  const text = textReport([...long, { check: "x", title: "Data directory", findings: many }], {
    colour: false,
    columns: 60,
  });
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
});

test("colours are only where they are wanted", () => {
  expect(textReport(outcomes, plain)).not.toContain("\u001b");
  expect(textReport(outcomes, { ...plain, colour: true })).toContain("\u001b[1;31mPROBLEM\u001b[0m");
});

test("without problems and warnings there is one sentence", () => {
  expect(textReport(outcomes.slice(2), plain)).toContain("Everything is as it should be.");
});

test("the JSON has a level for each check, the worst of its findings", () => {
  const report = JSON.parse(jsonReport(outcomes, "8.0.0"));
  expect(report).toMatchObject({
    zmes: "8.0.0",
    ok: false,
    checks: [
      { check: "disk", level: "warning", findings: [{ level: "ok", text: "much room", fix: null }, {}] },
      { check: "port", level: "problem" },
      { check: "mqtt", level: "skipped" },
    ],
  });
});

test("warnings are no problem", () => {
  expect(hasProblem(outcomes)).toBe(true);
  expect(hasProblem(outcomes.slice(0, 1))).toBe(false);
});

test("ways out name the program as it is typed here", () => {
  const outcome = { check: "port", title: "Port", findings: [problem("taken", "Start it: sudo zmes run")] };
  expect(printable(outcome, "/opt/zmes/bin/zmes").findings[0]?.fix).toBe(
    "Start it: sudo /opt/zmes/bin/zmes run",
  );
});
