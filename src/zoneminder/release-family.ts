// In which order a release of ZoneMinder writes state, event id and cause when an alarm begins.
import type { ShmLayout } from "./shm-layout.ts";
import { isAtLeast, type ZmVersion } from "./version.ts";

/**
 * True where the event's id is written before the state says ALARM: 1.34.19 to before 1.37.50 (zma.cpp, then
 * zm_monitor.cpp; commit a0ecbdf0b turned it round again). Where the version would decide and is unknown, false:
 * waiting for an id that is already there costs nothing.
 */
export function idComesBeforeState(layout: ShmLayout, version: ZmVersion | null): boolean {
  switch (layout.id) {
    case "zm-1.32.3":
      return version !== null && isAtLeast(version, 1, 34, 19);
    case "zm-dev-1.37-d":
      return version !== null && !isAtLeast(version, 1, 37, 50);
    case "zm-dev-1.35-a":
    case "zm-dev-1.35-b":
    case "zm-1.36.0":
    case "zm-1.36.34":
    case "zm-dev-1.37-a":
    case "zm-dev-1.37-b":
    case "zm-dev-1.37-c":
      return true;
    default:
      return false;
  }
}
