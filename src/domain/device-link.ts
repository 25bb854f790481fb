// A phone's registration over a connection, and what the connection may do with it from then on.
import type { DeviceApp, Platform } from "./device.ts";
import type { MonitorId } from "./monitor.ts";
import type { Rights } from "./recipient.ts";

/** A filter as clients write it; the empty list is every monitor. */
export interface Lists {
  readonly monlist: string;
  readonly intlist: string;
}

/** What a phone says of itself when it registers. */
export interface DeviceRegistration {
  readonly token: string;
  readonly platform: Platform;
  readonly state: "enabled" | "disabled";
  /** null: the message carries none, and what is stored stays. */
  readonly lists: Lists | null;
  readonly profile: string | null;
  readonly appVersion: string | null;
  readonly app: DeviceApp;
  readonly user: string;
  readonly rights: Rights;
}

/** A connection's hold on the device it registered. */
export interface DeviceLink {
  /** True while alarms reach this device by push as well: the connection's copy is then a supplementary one. */
  readonly isPushed: boolean;
  /** False once the device was forgotten or registered on another connection; the rest does nothing then. */
  readonly isCurrent: boolean;
  /** The lists that hold for the device now. */
  lists(): Lists;
  /** When the device was last told of each monitor that has an interval. */
  lastTold(): ReadonlyMap<MonitorId, number>;
  setFilter(monlist: string, intlist: string): void;
  setBadge(badge: number): void;
  /** The connection logged in again, maybe as somebody else: the device is theirs now. */
  setOwner(user: string, rights: Rights): void;
}
