// A camera of ZoneMinder ("monitor" in its words), as far as alarms are concerned.

/** `Monitors.Id` of ZoneMinder, a positive whole number. */
export type MonitorId = number & { readonly __brand: "MonitorId" };

/**
 * When ZoneMinder records this monitor. `Function` up to 1.36 (Modect and Nodect record on motion, Record and
 * Mocord always), the `Recording` column from 1.37.12 on. "unknown" while the database has never been read.
 */
export type RecordingMode = "none" | "on-motion" | "always" | "unknown";

export interface Monitor {
  readonly id: MonitorId;
  readonly name: string;
  readonly recording: RecordingMode;
  /**
   * True when an alarm during continuous recording closes the open event and opens one of its own
   * (event close mode "alarm"); null when the mode is not known.
   */
  readonly closesEventOnAlarm: boolean | null;
  /** Numbers and names of the ZoneMinder groups it is in, those above them included; absent: none. */
  readonly groups?: readonly string[];
}

/** The number as a MonitorId, or null for anything that cannot be one. */
export function monitorId(value: number): MonitorId | null {
  return Number.isSafeInteger(value) && value > 0 ? (value as MonitorId) : null;
}
