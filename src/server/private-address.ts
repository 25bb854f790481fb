// Tells addresses that only a local network has from those of the internet.
import { BlockList, isIP } from "node:net";

/** True for loopback, private, link-local and shared address space (RFC 1918, 3927, 4193, 4291, 6598). */
export function isPrivateAddress(address: string): boolean {
  const [plain = ""] = address.split("%");
  const family = isIP(plain);
  return family !== 0 && networks.check(plain, family === 6 ? "ipv6" : "ipv4");
}

const networks = new BlockList();
networks.addSubnet("127.0.0.0", 8);
networks.addSubnet("10.0.0.0", 8);
networks.addSubnet("172.16.0.0", 12);
networks.addSubnet("192.168.0.0", 16);
networks.addSubnet("169.254.0.0", 16);
networks.addSubnet("100.64.0.0", 10);
networks.addAddress("::1", "ipv6");
networks.addSubnet("fc00::", 7, "ipv6");
networks.addSubnet("fe80::", 10, "ipv6");
