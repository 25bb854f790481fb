// What the registry of phones offers to those who register, tell and forget them.
import type { Device, DeviceApp, Platform } from "../domain/device.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { DurableRecipient, NoticeId, RecipientId } from "../domain/notice.ts";
import type { LastKnownRights, Rights } from "../domain/recipient.ts";
import type { Part } from "../lib/lifecycle.ts";

export interface Devices extends Part {
  /** False until the token file could be read: a device that is not found until then may be there all the same. */
  isRead(): boolean;
  /** Every known device; the array does not change once given out. */
  all(): readonly Device[];
  find(id: RecipientId): Device | null;
  /** What the owner of the device may see now; nothing for a device that is not known. */
  rightsOf(id: RecipientId): LastKnownRights;
  /** Everybody push may reach now, with the rights of the owner as they are now; cheap to ask at each alarm. */
  recipients(): readonly DurableRecipient[];
  /**
   * Enters or updates a device; it belongs to this user from now on. `"full"`: the user has as many as allowed.
   * The link is what the connection keeps; registering the token on another connection ends it.
   */
  register(registration: Registration): DeviceLink | "full";
  /** Sets the badge of a device by its token, if it belongs to the user. */
  setBadge(token: string, badge: number, user: string): void;
  /** The badge this notice shall carry: one more than before; the same again when a notice is tried again. */
  takeBadge(id: RecipientId, notice: NoticeId): number;
  /** A push was accepted: counts it for the month and notes the moment. */
  noteDelivered(id: RecipientId, notice: NoticeId): void;
  /** A push failed; `reason` is the other side's words without secrets. */
  noteFailed(id: RecipientId, reason: string): void;
  /** The device no longer exists: it is forgotten in memory, on its connection and in the file. */
  forget(id: RecipientId, why: string): void;
}

export interface Registration {
  readonly token: string;
  readonly platform: Platform;
  readonly state: "enabled" | "disabled";
  /** null: the message carries none, and what is stored stays. */
  readonly lists: { readonly monlist: string; readonly intlist: string } | null;
  readonly profile: string | null;
  readonly appVersion: string | null;
  readonly app: DeviceApp;
  readonly user: string;
  readonly rights: Rights;
}

/** A connection's hold on the device it registered. */
export interface DeviceLink {
  /** True while alarms reach this device by push as well, so that the connection gets a supplementary copy. */
  readonly isPushed: boolean;
  /** False once the device was forgotten or registered on another connection; then the rest does nothing. */
  readonly isCurrent: boolean;
  /** The lists that hold for the device now. */
  lists(): { readonly monlist: string; readonly intlist: string };
  /** When the device was last told of each monitor that has an interval. */
  lastTold(): ReadonlyMap<MonitorId, number>;
  setFilter(monlist: string, intlist: string): void;
  setBadge(badge: number): void;
  /** The connection logged in again, maybe as somebody else: the device is theirs now. */
  setOwner(user: string, rights: Rights): void;
}
