// Makes the standard streams harmless, whatever the parent left in their places.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

/**
 * Must run before anything is written or opened. Puts /dev/null in place of streams that must not be used, and
 * lets a reader that goes away later be no reason to end. `inherited`: the parent may have left anything at all
 * in 0, 1 and 2; ZoneMinder's zmdc.pl up to 1.38.1 leaves its own MySQL socket, zmdc.log and a dead pipe there.
 */
export function settleStandardStreams(inherited: boolean): void {
  for (const fd of [0, 1, 2] as const) {
    if (isUsable(fd, inherited)) continue;
    closeSync(fd);
    // open(2) takes the lowest free number, which is the one just closed.
    openSync("/dev/null", fd === 0 ? "r" : "w");
  }
  const ignore = (): void => undefined;
  process.stdout.on("error", ignore);
  process.stderr.on("error", ignore);
}

/** The words of the parent's command line; none when they cannot be known. */
export function parentCommand(): readonly string[] {
  try {
    return readFileSync(`/proc/${process.ppid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

function isUsable(fd: 0 | 1 | 2, inherited: boolean): boolean {
  try {
    if (inherited && fstatSync(fd).isSocket()) return false;
    return fd === 0 || canWrite(fd);
  } catch {
    return false;
  }
}

/** The access mode is in the last digit of the octal flags (proc(5)): 0 is read only. */
function canWrite(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & 3) !== 0;
}
