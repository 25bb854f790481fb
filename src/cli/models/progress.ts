// Shows how far a download is: a bar on a terminal, now and then a line elsewhere.
import type { CommandIo } from "../command.ts";

export interface Progress {
  show(state: { readonly done: number; readonly total: number | null; readonly resumed: number }): void;
  /** Leaves the bar behind. */
  end(): void;
}

/** Ten pictures a second are enough for a bar; a log wants a line in ten seconds. */
const BAR_MS = 100;
const LINE_MS = 10_000;
const BAR_COLUMNS = 30;

export function createProgress(
  name: string,
  { stderr, clock }: Pick<CommandIo, "stderr" | "clock">,
): Progress {
  const isTerminal = "isTTY" in stderr && stderr.isTTY === true;
  const started = clock.monotonic();
  let shown = isTerminal ? Number.NEGATIVE_INFINITY : started;
  let isFirst = true;
  let columns = 0;
  return {
    show({ done, total, resumed }) {
      const now = clock.monotonic();
      if (isFirst && resumed > 0) stderr.write(`${name}: goes on after ${megabytes(resumed)}\n`);
      isFirst = false;
      if (now - shown < (isTerminal ? BAR_MS : LINE_MS) && done !== total) return;
      shown = now;
      const speed = (done - resumed) / Math.max(0.001, (now - started) / 1000);
      const text = `${name}: ${amount(done, total, isTerminal)}, ${megabytes(speed)}/s`;
      stderr.write(isTerminal ? `\r${text.padEnd(columns)}` : `${text}\n`);
      columns = text.length;
    },
    end() {
      if (isTerminal && columns > 0) stderr.write("\n");
    },
  };
}

function amount(done: number, total: number | null, withBar: boolean): string {
  if (total === null || total === 0) return megabytes(done);
  const share = Math.min(1, done / total);
  const filled = Math.floor(share * BAR_COLUMNS);
  const bar = withBar ? `[${"#".repeat(filled)}${".".repeat(BAR_COLUMNS - filled)}] ` : "";
  return `${bar}${Math.floor(share * 100)}% of ${megabytes(total)}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
