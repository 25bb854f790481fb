// What is lost with values: those that cannot be used, and those that meant something else.
import type { Loss } from "./loss.ts";
import { isDoubled, type Survey } from "./survey.ts";

/** Secrets are in none of them. */
export function valueLosses(survey: Survey): readonly Loss[] {
  return [...unusable(survey), ...misread(survey)];
}

/** Values that nobody can read, so that what is there without them holds. */
function unusable(survey: Survey): Loss[] {
  const doubled = survey.unused.filter(({ why }) => isDoubled(why));
  return [
    ...survey.unusable
      // Of certificates it is said above that they are missing.
      .filter(({ known }) => known.path !== "ssl.cert" && known.path !== "ssl.key")
      .map(({ known, row }) => ({
        what: `${row.what} (${row.where}) cannot be used, so ${shown(known.fallback)} holds: ${row.why}`,
        restore: `${known.path}: (${known.expected})`,
      })),
    ...doubled.map(({ where, why }) => ({
      what: `${where}: ${why}`,
      restore: "the value that you mean, in the new file",
    })),
  ];
}

/** What was on before, because only 0 and nothing meant no. */
function misread(survey: Survey): Loss[] {
  return survey.used
    .filter(({ known, row }) => row.why.includes("read it as yes") && !CONSOLE.has(known.path))
    .map(({ known, row }) => ({
      what: `${row.what} (${row.where}) was on, and is off: ${row.why}`,
      restore: `${known.path}: yes`,
    }));
}

/** Reach nobody but who started it by hand. */
const CONSOLE: ReadonlySet<string> = new Set(["customize.verbose", "customize.console_logs"]);

function shown(fallback: unknown): string {
  if (typeof fallback === "boolean") return fallback ? "yes" : "no";
  return fallback === null || Array.isArray(fallback) ? "nothing" : String(fallback);
}
