// What a bench says: metrics with their targets, as JSON for programs and as a table for people.

export interface Result {
  readonly bench: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The most that is good enough. */
  readonly target: number;
  /** The same thing measured without us in the same run; null where there is no such thing. */
  readonly floor: number | null;
}

/** A target is the most a value may be. */
export function isMet({ value, target }: Result): boolean {
  return value <= target;
}

/** Three significant digits and whole numbers say all that a run can. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

/** One line per metric, aligned. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.bench,
    result.metric,
    String(result.value),
    result.unit,
    `<= ${result.target}`,
    result.floor === null ? "" : String(result.floor),
    isMet(result) ? "met" : "MISSED",
  ]);
  const all = [["bench", "metric", "value", "unit", "target", "floor", ""], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, widths[column] ?? 0, column))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

const RIGHT_ALIGNED = [2, 5];

function pad(cell: string, width: number, column: number): string {
  return RIGHT_ALIGNED.includes(column) ? cell.padStart(width) : cell.padEnd(width);
}
