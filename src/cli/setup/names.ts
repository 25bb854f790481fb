// The names and addresses under which phones reach this machine.
import { isIP, isIPv4 } from "node:net";
import { hostname, networkInterfaces } from "node:os";

/** More than anybody has; each goes into the certificate. */
export const MAX_NAMES = 20;

/**
 * What the machine knows of itself: its host name, in the local network where it is a single word, and its IPv4
 * addresses. A word alone is not offered: an authority for "zm" may sign for all of Zambia (RFC 5280, 4.2.1.10).
 */
export function ownNames(): readonly string[] {
  const name = tidyName(hostname());
  const named = name === null || name === "localhost" ? [] : [isWord(name) ? `${name}.local` : name];
  return [...new Set([...named, ...ownAddresses()])].slice(0, MAX_NAMES);
}

/** Whether it is a name without a dot, and so may be the end of other people's names. */
export function isWord(name: string): boolean {
  return !isIP(name) && !name.includes(".");
}

/** A host name or an address as a certificate holds it (lower case, international names in ASCII); null if it is neither. */
export function tidyName(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/\/.*$/, "")
    .replace(/^\[(.*)\](:\d+)?$/, "$1");
  if (isIP(bare)) return bare.toLowerCase();
  const host = bare.replace(/:\d+$/, "").replace(/\.$/, "");
  // What URL would cut off or decode was no name in the first place.
  const url = host === "" || /[\s?#@%\\]/.test(host) ? null : URL.parse(`http://${host}`);
  const name = url?.hostname ?? "";
  // What URL takes for an address ("1.2", "0x7f.1") is not what somebody meant as a name.
  if (isIP(name) || name.length > 253) return isIPv4(host) ? host : null;
  return /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(name) ? name : null;
}

/** Names with commas or blanks between them. Gives what cannot be one as `bad`. */
export function parseNames(text: string): {
  readonly names: readonly string[];
  readonly bad: readonly string[];
} {
  const words = text.split(/[\s,]+/).filter(Boolean);
  const tidy = words.map((word) => ({ word, name: tidyName(word) }));
  return {
    names: [...new Set(tidy.flatMap(({ name }) => (name === null ? [] : [name])))],
    bad: tidy.filter(({ name }) => name === null).map(({ word }) => word),
  };
}

/** Networks inside this machine, where no phone is. */
const INSIDE = /^(?:lo|docker|br-|veth|virbr|lxc|lxd|podman|cni)/;

function ownAddresses(): readonly string[] {
  return Object.entries(networkInterfaces()).flatMap(([device, addresses = []]) =>
    INSIDE.test(device)
      ? []
      : addresses.flatMap(({ family, internal, address }) =>
          family === "IPv4" && !internal ? [address] : [],
        ),
  );
}
