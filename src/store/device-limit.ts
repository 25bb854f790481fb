// Decides whether one more phone may be registered, and which one makes room for it.
import type { KnownDevice } from "./device-entry.ts";

/** Over all users; far more phones than any household, school or factory has. */
const MOST_DEVICES = 10_000;

/**
 * "free": there is room. A device: it has to go first; it switched push off, and was quiet for the longest time.
 * "full": the user has as many as allowed, and all of them want push.
 */
export function placeFor(
  user: string,
  devices: readonly KnownDevice[],
  perUser: number,
): "free" | "full" | KnownDevice {
  const owned = devices.filter(({ owner }) => owner === user);
  if (owned.length < perUser) return devices.length < MOST_DEVICES ? "free" : "full";
  const off = owned.filter(({ pushState }) => pushState === "disabled");
  return off.sort((one, other) => (one.lastSuccess ?? 0) - (other.lastSuccess ?? 0))[0] ?? "full";
}
