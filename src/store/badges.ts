// Counts the numbers on the apps' icons: each notice gets the next one, and keeps it however often it is tried.
import type { NoticeId } from "../domain/notice.ts";
import type { KnownDevice } from "./device-entry.ts";

export interface Badges {
  take(device: KnownDevice, notice: NoticeId): number;
  /** The notice was accepted and is not tried again. */
  settle(device: KnownDevice, notice: NoticeId): void;
  /** The app says what its icon shows. */
  set(device: KnownDevice, badge: number): void;
}

/** Notices on their way to one device, whose badges are remembered for another attempt. */
const MOST_UNDER_WAY = 1_000;

export function createBadges(): Badges {
  const given = new WeakMap<KnownDevice, Map<NoticeId, number>>();
  return {
    take(device, notice) {
      const ofDevice = given.get(device) ?? new Map<NoticeId, number>();
      given.set(device, ofDevice);
      const before = ofDevice.get(notice);
      if (before !== undefined) return before;
      device.badge += 1;
      ofDevice.set(notice, device.badge);
      if (ofDevice.size > MOST_UNDER_WAY) forgetOldest(ofDevice);
      return device.badge;
    },
    settle(device, notice) {
      given.get(device)?.delete(notice);
    },
    set(device, badge) {
      device.badge = badge;
      given.delete(device);
    },
  };
}

function forgetOldest(numbers: Map<NoticeId, number>): void {
  const [oldest] = numbers.keys();
  if (oldest !== undefined) numbers.delete(oldest);
}
