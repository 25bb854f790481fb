// In which order the releases of ZoneMinder write the fields of shared memory when an alarm opens an event.

/**
 * "state": the state becomes ALARM. "event": last_event becomes the new event's id. "cause": alarm_cause is written.
 * "first-cause": alarm_cause is written before the event exists, with the zones that the later "cause" leaves out.
 */
export type AlarmStep = "state" | "event" | "cause" | "first-cause";

/** Families of releases; a name is the release that began the order. */
export const WRITE_ORDERS = {
  /** 1.30 and 1.32 (zma): readers see ALARM with the old event and cause while the event is being created. */
  "1.30": ["state", "event", "cause"],
  /** 1.34.0 - 1.34.16 */
  "1.34.0": ["state", "cause", "event"],
  /** 1.34.17 and .18 */
  "1.34.17": ["cause", "state", "event"],
  /** 1.34.19 - 1.36.14: the id is there before the state. */
  "1.34.19": ["cause", "event", "state"],
  /** 1.36.15 - 1.36.38: the cause with its zones first, then rewritten without them. */
  "1.36.15": ["first-cause", "event", "cause", "state"],
  /** 1.37.50 and later: state first again; the event is inserted, however long it takes, before its id shows. */
  "1.37.50": ["state", "event", "cause"],
} as const satisfies Record<string, readonly AlarmStep[]>;

/** The order of the newest release that writes this layout. */
export function usualWriteOrder(layoutId: string): readonly AlarmStep[] {
  return WRITE_ORDERS[BY_LAYOUT[layoutId] ?? "1.37.50"];
}

const BY_LAYOUT: Readonly<Record<string, keyof typeof WRITE_ORDERS>> = {
  "zm-1.30": "1.30",
  "zm-dev-1.31-a": "1.30",
  "zm-dev-1.31-b": "1.30",
  "zm-dev-1.31-c": "1.30",
  "zm-1.32.0": "1.30",
  "zm-1.32.3": "1.34.19",
  "zm-dev-1.35-a": "1.34.19",
  "zm-dev-1.35-b": "1.34.19",
  "zm-1.36.0": "1.36.15",
  "zm-1.36.34": "1.36.15",
  "zm-dev-1.37-a": "1.34.19",
  "zm-dev-1.37-b": "1.34.19",
  "zm-dev-1.37-c": "1.34.19",
};
