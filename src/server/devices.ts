// What the server needs from whoever knows the phones: registering one, and a connection's hold on it.
import type { DeviceApp, Platform } from "../domain/device.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { Rights } from "../domain/recipient.ts";

/** A filter as clients write it; the empty list is every monitor. */
export interface Lists {
  readonly monlist: string;
  readonly intlist: string;
}

interface DeviceRegistration {
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
  lists(): Lists;
  /** When the device was last told of each monitor that has an interval. */
  lastTold(): ReadonlyMap<MonitorId, number>;
  setFilter(monlist: string, intlist: string): void;
  setBadge(badge: number): void;
  setOwner(user: string, rights: Rights): void;
}

export interface DeviceRegistry {
  /** `"full"`: this user has as many devices as allowed. */
  register(registration: DeviceRegistration): DeviceLink | "full";
  /** Only if the device belongs to the user. */
  setBadge(token: string, badge: number, user: string): void;
}
