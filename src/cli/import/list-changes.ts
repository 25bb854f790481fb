// What the lists of phones mean otherwise here than they did to the version that wrote the file.
import type { TokenEntry } from "../../store/token-file.ts";

/** `isOld`: a file of versions 1.0 to 5. Sentences without their full stop; empty where all means the same. */
export function listChanges(entries: ReadonlyMap<string, TokenEntry>, isOld: boolean): readonly string[] {
  const lists = [...entries.values()].map(({ monlist, intlist }) => ({
    monitors: textOf(monlist),
    intervals: textOf(intlist),
  }));
  const count = (test: (list: (typeof lists)[number]) => boolean): number => lists.filter(test).length;
  const changes: readonly (readonly [number, string])[] = isOld
    ? [
        [
          count(({ monitors }) => NO_MONITOR.has(monitors.trim())),
          "with the list -1 or 0 were told of no camera by versions 1.0 to 5, and are told of all here: choose the cameras in the app",
        ],
        [
          count(({ monitors }) => monitors.trim() !== "" && /\s/.test(monitors)),
          "with blanks in the list were not told of the cameras behind a blank, and are told of them here",
        ],
        [
          count(({ monitors, intervals }) => monitors.trim() === "" && lastOf(intervals) > 0),
          "without a list of cameras had a pause between messages, and have none here: choose cameras and pauses in the app",
        ],
      ]
    : [];
  return changes.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`]));
}

const NO_MONITOR: ReadonlySet<string> = new Set(["-1", "0"]);

/** Where no cameras were named, the last pause held for each of them. */
function lastOf(intervals: string): number {
  return Number(intervals.split(",").at(-1)) || 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
