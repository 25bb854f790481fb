// Counts the scans of the watcher and the longest gap between two of them, without a change to the watcher.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { instant } from "./instant.ts";

export interface ScanGaps {
  /** Forgets the past. */
  start(): void;
  /** What was seen since the start; gaps in ms. */
  stop(): { readonly scans: number; readonly longest: number };
}

/**
 * Every scan begins with one `statSync` of the folder of the shared memory (the directory rule of the watcher), so
 * that call is the tick. Looking on costs a microsecond a scan. Must be called before the watcher starts.
 */
export function watchScans(mapPath: string): ScanGaps {
  let scans = 0;
  let last = 0;
  let longest = 0;
  const onScan = (): void => {
    const now = instant();
    longest = Math.max(longest, now - last);
    last = now;
    scans += 1;
  };
  const { statSync } = fs;
  const watched: typeof statSync = Object.assign((...parameters: Parameters<typeof statSync>) => {
    if (parameters[0] === mapPath) onScan();
    return statSync(...parameters);
  }, statSync);
  Object.assign(fs, { statSync: watched });
  syncBuiltinESMExports();
  return {
    start() {
      scans = 0;
      longest = 0;
      last = instant();
    },
    stop() {
      if (scans === 0) throw new Error("No scan was seen: the watcher no longer looks at its folder first.");
      return { scans, longest: Math.max(longest, instant() - last) };
    },
  };
}
