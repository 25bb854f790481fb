// What `zmes doctor` prints: for people on a terminal, or as JSON for programs.
import { escapeControls } from "../../lib/log-text.ts";
import { hideSecrets } from "../../lib/secrets-in-logs.ts";
import { wrapped } from "../command.ts";
import { asTyped } from "../typed-name.ts";
import type { Finding, Level, Outcome } from "./check.ts";

export interface Screen {
  /** Whether it shows colours. */
  readonly colour: boolean;
  /** Its width; null where lines stay whole, for grep and logs. */
  readonly columns: number | null;
}

/** A line per finding, with its fix below it. */
export function textReport(outcomes: readonly Outcome[], { colour, columns }: Screen): string {
  const paint = (code: string, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const width = Math.max(...outcomes.map(({ title }) => title.length));
  const lines = outcomes.flatMap(({ title, findings }) =>
    findings.flatMap((finding, index) => {
      const { word, code } = SIGNS[finding.level];
      const head = (index === 0 ? title : "").padEnd(width);
      const indent = " ".repeat(width + WORD_COLUMNS + 4);
      const room =
        columns === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_COLUMNS, columns - indent.length - 1);
      const [first = "", ...more] = wrapped(finding.text, room);
      const fix = finding.fix === null ? [] : wrapped(finding.fix, room);
      return [
        `${paint("1", head)}  ${paint(code, word.padEnd(WORD_COLUMNS))}  ${first}`,
        ...more.map((line) => `${indent}${line}`),
        ...fix.map((line) => `${indent}${paint("36", line)}`),
      ];
    }),
  );
  return `${[...lines, "", summary(outcomes)].join("\n")}\n`;
}

/**
 * Words of libraries, other machines and other users' processes are in it: without secrets, without what would make a
 * terminal do something, and no longer than people read. `name`: how zmes is typed here.
 */
export function printable(outcome: Outcome, name = "zmes"): Outcome {
  const clean = (text: string): string => {
    const line = escapeControls(hideSecrets(text.replace(/\s*\n\s*/g, " ")));
    return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}...` : line;
  };
  const findings = outcome.findings.map(({ level, text, fix }) => ({
    level,
    text: clean(asTyped(text, name)),
    fix: fix === null ? null : clean(asTyped(fix, name)),
  }));
  return { ...outcome, findings };
}

/** Half a page of a terminal. */
const MOST_CHARACTERS = 1000;

/** Names and meanings stay as they are; new fields may come. */
export function jsonReport(outcomes: readonly Outcome[], version: string): string {
  const checks = outcomes.map(({ check, findings }) => ({ check, level: worst(findings), findings }));
  return `${JSON.stringify({ zmes: version, ok: !hasProblem(outcomes), checks }, null, 2)}\n`;
}

export function hasProblem(outcomes: readonly Outcome[]): boolean {
  return count(outcomes, "problem") > 0;
}

const SIGNS: Readonly<Record<Level, { readonly word: string; readonly code: string }>> = {
  ok: { word: "ok", code: "32" },
  warning: { word: "warning", code: "33" },
  problem: { word: "PROBLEM", code: "1;31" },
  skipped: { word: "-", code: "2" },
};
const WORD_COLUMNS = 7;
/** Narrower than that, text is no longer read but spelt. */
const LEAST_COLUMNS = 30;

const BY_WEIGHT: readonly Level[] = ["problem", "warning", "ok", "skipped"];

function worst(findings: readonly Finding[]): Level {
  return BY_WEIGHT.find((level) => findings.some((finding) => finding.level === level)) ?? "skipped";
}

function count(outcomes: readonly Outcome[], level: Level): number {
  return outcomes.flatMap(({ findings }) => findings).filter((finding) => finding.level === level).length;
}

function summary(outcomes: readonly Outcome[]): string {
  const [problems, warnings] = [count(outcomes, "problem"), count(outcomes, "warning")];
  if (problems + warnings === 0) return "Everything is as it should be.";
  const words = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${words(problems, "problem")}, ${words(warnings, "warning")}.`;
}
