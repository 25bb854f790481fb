// What the server needs from whoever knows the phones.
import type { DeviceLink, DeviceRegistration } from "../domain/device-link.ts";

export interface DeviceRegistry {
  /** `"full"`: this user has as many devices as allowed. */
  register(registration: DeviceRegistration): DeviceLink | "full";
  /** Only if the device belongs to the user. */
  setBadge(token: string, badge: number, user: string): void;
}
