// Whether a process still does anything.
import { readFileSync } from "node:fs";

/** False also when it has ended and only waits to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
