// Whether ZoneMinder's process manager zmdc.pl started this program, and the name it then goes by.
import path from "node:path";
import { parentCommand } from "../lib/standard-streams.ts";

/** True when the parent is zmdc.pl itself; a shell that merely names it is not. */
export function isStartedByZmdc(parent: readonly string[] = parentCommand()): boolean {
  const [program = "", ...rest] = parent;
  const isPerl = path.basename(program).startsWith("perl");
  const script = isPerl ? rest.find((word) => !word.startsWith("-")) : program;
  return script !== undefined && path.basename(script) === "zmdc.pl";
}

/**
 * Sets the name `ps` shows. zmdc.pl clears left-overs with `killall zmeventnotification.pl` (ZoneMinder 1.32 to
 * 1.39), so the program must carry that name under it.
 */
export function takeProcessTitle(underZmdc: boolean): void {
  process.title = underZmdc ? "zmeventnotification.pl" : "zmes";
}
