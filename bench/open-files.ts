// Whether this process, and those it starts, may open as many files and sockets as a bench needs.
import { readFileSync } from "node:fs";

/** Throws with the way out when they may not. */
export function requireOpenFiles(wanted: number): void {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  if (limit === undefined || Number(limit) >= wanted) return; // "unlimited" is no number
  throw new Error(
    `a process may open ${limit} files here, and ${wanted} are needed for so many clients: ` +
      `run it as root, or raise the hard limit (ulimit -Hn) to ${wanted}`,
  );
}
