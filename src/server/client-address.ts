// Who a connection comes from: the peer, or what a trusted proxy says, and the key its limits are counted under.
import { BlockList, isIP } from "node:net";
import { AppError } from "../lib/errors.ts";

/** Answers whether an address belongs to one of the proxies of `network.trusted_proxies`. */
export type TrustedProxies = (address: string) => boolean;

/** Reads `network.trusted_proxies`: addresses or CIDR blocks ("10.0.0.0/8", "fd00::/8"). */
export function trustedProxies(entries: readonly string[]): TrustedProxies {
  if (entries.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of entries) {
    try {
      addEntry(list, entry.trim());
    } catch {
      const problem = `network.trusted_proxies: "${entry}" is neither an address nor a CIDR block`;
      throw new AppError("CONFIG_INVALID", { problem });
    }
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

/** The address without IPv6's wrapping of an IPv4 one, so that "::ffff:192.0.2.1" and "192.0.2.1" are the same. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unknown";
  const mapped = address.toLowerCase().startsWith("::ffff:") ? address.slice(7) : address;
  return isIP(mapped) === 4 ? mapped : address;
}

/**
 * The client behind a chain of trusted proxies: the last address of X-Forwarded-For that is none of them. What
 * stands left of it was written by the client itself and means nothing.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  isProxy: TrustedProxies,
): string {
  if (forwardedFor === undefined || !isProxy(peer)) return peer;
  let nearest = peer;
  for (const text of forwardedFor.split(",").reverse()) {
    const address = plainAddress(withoutPort(text.trim()));
    if (isIP(address) === 0) return nearest;
    nearest = address;
    if (!isProxy(address)) return address;
  }
  return nearest;
}

/** IPv4 by address, IPv6 by its /64: one household or attacker has a whole /64 (RFC 6177) to pick addresses from. */
export function limitKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups =
    tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

function addEntry(list: BlockList, entry: string): void {
  const [address = "", prefix] = entry.split("/");
  if (prefix === undefined) list.addAddress(address, familyOf(address));
  else list.addSubnet(address, Number(prefix), familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  return /^[\d.]+:\d+$/.test(text) ? (text.split(":")[0] ?? text) : text;
}
