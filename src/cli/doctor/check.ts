// What a check of `zmes doctor` is, and how all of them are run: side by side, each with a deadline.
import { reasonOf } from "../../lib/errors.ts";
import type { Subject } from "./subject.ts";

/** ok: as it should be. warning: works, but not all of it. problem: does not work. skipped: there was nothing to look at. */
export type Level = "ok" | "warning" | "problem" | "skipped";

export interface Finding {
  readonly level: Level;
  /** What was found, a sentence without its full stop. Never a secret. */
  readonly text: string;
  /** The way out in one sentence, with the command to type where there is one; null where nothing is to be done. */
  readonly fix: string | null;
}

export interface Check {
  /** Stable: scripts and docs/doctor.md name it. */
  readonly name: string;
  readonly title: string;
  /** ms; longer than the usual ones where several answers are waited for. */
  readonly deadlineMs?: number;
  /** Only looks: nothing on the machine is changed. */
  run(subject: Subject): Promise<readonly Finding[]>;
}

export interface Outcome {
  readonly check: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

export function ok(text: string): Finding {
  return { level: "ok", text, fix: null };
}

export function skipped(text: string): Finding {
  return { level: "skipped", text, fix: null };
}

export function warning(text: string, fix: string | null): Finding {
  return { level: "warning", text, fix };
}

export function problem(text: string, fix: string): Finding {
  return { level: "problem", text, fix };
}

/** Runs all checks at once; never throws, and never takes longer than the longest deadline. */
export function runChecks(checks: readonly Check[], subject: Subject): Promise<readonly Outcome[]> {
  return Promise.all(
    checks.map(async (check) => ({
      check: check.name,
      title: check.title,
      findings: await runOne(check, subject),
    })),
  );
}

/** Longer than any answer of a healthy machine, shorter than people wait. */
const DEADLINE_MS = 10_000;

async function runOne(check: Check, subject: Subject): Promise<readonly Finding[]> {
  const ms = check.deadlineMs ?? DEADLINE_MS;
  const late = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(() => {
    const fix = "See whether a disk or a network folder hangs, and try again.";
    late.resolve([warning(`There was no answer within ${ms / 1000} s`, fix)]);
  }, ms);
  try {
    return await Promise.race([check.run(subject), late.promise]);
  } catch (failure) {
    const fix = "Report this line, please: the check itself has failed.";
    return [warning(`This could not be looked at: ${reasonOf(failure)}`, fix)];
  } finally {
    clearTimeout(timer);
  }
}
