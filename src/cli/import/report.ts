// What `zmes import` prints: a table of every line, and what will no longer reach people.
import { escapeControls } from "../../lib/log-text.ts";
import type { ImportPlan } from "./plan.ts";
import type { Outcome, Row } from "./survey.ts";

/** The plan for people. */
export function importReport(plan: ImportPlan): string {
  const others =
    plan.others.length === 0 ? [] : [`Not looked at: ${plan.others.join(", ")} (name it with --from)`];
  const blocks = [
    [`Found: ${plan.source} (the form of version ${plan.versions})`, ...others],
    ...OUTCOMES.map(([outcome, title]) =>
      table(
        title,
        plan.rows.filter((row) => row.outcome === outcome),
      ),
    ),
    lossList(plan),
    plan.problems.length === 0
      ? []
      : ["The server will not start with it as it is:", ...plan.problems.map((problem) => `  ${problem}`)],
  ];
  return (
    blocks
      .filter((block) => block.length > 0)
      // The original's file often is the web server's own, and this is shown to root.
      .map((block) => `${block.map(escapeControls).join("\n")}\n`)
      .join("\n")
  );
}

/** The same for programs. */
export function importJson(plan: ImportPlan, written: readonly string[], backups: readonly string[]): string {
  const { source, versions, others, rows, losses, problems, phones } = plan;
  const report = { source, versions, others, rows, losses, problems, phones, written, backups };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const OUTCOMES: readonly (readonly [Outcome, string])[] = [
  ["taken", "Taken"],
  ["changed", "Changed"],
  ["not used", "Not used"],
];

function table(title: string, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const whatWidth = Math.max(...rows.map(({ what }) => what.length));
  const whereWidth = Math.max(...rows.map(({ where }) => where.length));
  const lines = rows.map(({ what, where, why }) =>
    `  ${what.padEnd(whatWidth)}  ${where.padEnd(whereWidth)}  ${why}`.trimEnd(),
  );
  return [`${title} (${rows.length})`, ...lines];
}

function lossList({ losses }: ImportPlan): string[] {
  if (losses.length === 0) return ["Everything goes on reaching people."];
  return [
    "What will no longer reach people, or not for long, and what restores it:",
    ...losses.flatMap(({ what, restore }) => [`  * ${what}.`, `    ${restore}`]),
  ];
}
