// Finds a running original zmeventnotification.pl, which would tell every alarm a second time.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

const ORIGINAL = "zmeventnotification.pl";

/** The lowest process id of a Perl program of that name, or null. `proc` is where processes are listed. */
export function detectOriginal(proc = "/proc"): number | null {
  let pids: number[];
  try {
    pids = readdirSync(proc).flatMap((name) => (/^[0-9]+$/.test(name) ? Number(name) : []));
  } catch {
    return null;
  }
  return (
    pids.sort((one, other) => one - other).find((pid) => isOriginal(path.join(proc, String(pid)))) ?? null
  );
}

/** Every process of that name is Perl or is ours: this program carries the name under zmdc.pl, too. */
function isOriginal(folder: string): boolean {
  try {
    const [program = "", ...rest] = readFileSync(path.join(folder, "cmdline"), "utf8").split("\0");
    // `perl -wT /usr/bin/zmdc.pl start zmeventnotification.pl` names it as well: only the script itself counts.
    const script = isPerl(program) ? rest.find((word) => !word.startsWith("-")) : program;
    if (script === undefined || path.basename(script.trim()) !== ORIGINAL) return false;
    return isPerl(program) || isPerl(readlinkSync(path.join(folder, "exe")));
  } catch {
    // Gone meanwhile, or not ours to look at.
    return false;
  }
}

function isPerl(program: string): boolean {
  return path.basename(program).startsWith("perl");
}
