// What the registry of phones offers to those who register, tell and forget them.
import type { Device } from "../domain/device.ts";
import type { DeviceLink, DeviceRegistration } from "../domain/device-link.ts";
import type { DurableRecipient, NoticeId, RecipientId } from "../domain/notice.ts";
import type { LastKnownRights } from "../domain/recipient.ts";
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
  register(registration: DeviceRegistration): DeviceLink | "full";
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
