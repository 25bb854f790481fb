// Somebody who may be told of alarms, and what they asked for.
import type { MonitorId } from "./monitor.ts";

/** Which monitors a user may see: all of them, or just these (ZoneMinder's permissions, already resolved). */
export type Rights = "all" | ReadonlySet<MonitorId>;

/** The same of somebody who is not there to log in: "unknown" until ZoneMinder has said it for the first time. */
export type LastKnownRights = Rights | "unknown";

export interface Recipient<R extends LastKnownRights = Rights> {
  /** Monitors the recipient asked for (`monlist`); "all" when it did not choose. */
  readonly monitors: "all" | ReadonlySet<MonitorId>;
  /** Least number of seconds between two alarms of a monitor (`intlist`); absent means 0. */
  readonly intervals: ReadonlyMap<MonitorId, number>;
  /** What ZoneMinder allows this recipient to see, whatever it asked for. */
  readonly rights: R;
  /** When it was last told of a monitor, in ms since 1970. The sender writes here after telling. */
  readonly lastTold: Map<MonitorId, number>;
}

/** True when the rights include the monitor. */
export function maySee(rights: Rights, monitor: MonitorId): boolean {
  return rights === "all" || rights.has(monitor);
}

/**
 * Reads a client's `monlist` and `intlist` ("1,2,5" and "0,60,0", positions correspond).
 * An empty list, "-1" and "0" mean every monitor, as versions 6 and 7 of the protocol read them; blanks around
 * numbers are ignored; entries that are not numbers match nothing. A short interval list means 0 for the rest.
 */
export function parseFilter(monlist: string, intlist: string): Pick<Recipient, "monitors" | "intervals"> {
  const wanted = monlist.trim();
  const intervals = new Map<MonitorId, number>();
  if (wanted === "" || wanted === "-1" || wanted === "0") return { monitors: "all", intervals };
  const seconds = intlist.split(",").map((text) => Number(text.trim()));
  const monitors = new Set<MonitorId>();
  for (const [position, text] of wanted.split(",").entries()) {
    const id = Number(text.trim());
    if (!Number.isSafeInteger(id) || id <= 0) continue;
    monitors.add(id as MonitorId);
    const interval = seconds[position] ?? 0;
    if (Number.isFinite(interval) && interval > 0) intervals.set(id as MonitorId, interval);
  }
  return { monitors, intervals };
}
