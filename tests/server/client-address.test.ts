import fc from "fast-check";
import { expect, test } from "vitest";
import { clientAddress, limitKey, plainAddress, trustedProxies } from "../../src/server/client-address.ts";

const isProxy = trustedProxies(["10.0.0.0/8", "::1", "fd00::/8"]);

test("an IPv4 client of a dual-stack port has its IPv4 address", () => {
  expect(plainAddress("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(plainAddress("2001:db8::1")).toBe("2001:db8::1");
  expect(plainAddress(undefined)).toBe("unknown");
});

test.each([
  ["10.1.2.3", "192.0.2.1", "192.0.2.1"],
  ["10.1.2.3", "6.6.6.6, 192.0.2.1", "192.0.2.1"],
  ["10.1.2.3", "192.0.2.1, 10.9.9.9", "192.0.2.1"],
  ["::1", "[2001:db8::1]:4711", "2001:db8::1"],
  ["fd00::5", "192.0.2.1:4711", "192.0.2.1"],
  ["10.1.2.3", "::ffff:192.0.2.1", "192.0.2.1"],
  ["10.1.2.3", "nonsense", "10.1.2.3"],
  ["10.1.2.3", "10.4.4.4", "10.4.4.4"],
  ["10.1.2.3", undefined, "10.1.2.3"],
  ["192.0.2.9", "192.0.2.1", "192.0.2.9"],
])("behind %s, X-Forwarded-For %s is the client %s", (peer, header, client) => {
  expect(clientAddress(peer, header, isProxy)).toBe(client);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:0DB8::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["unknown", "unknown"],
])("limits of %s are counted for %s", (address, key) => {
  expect(limitKey(address)).toBe(key);
});

test("no header and no address throws", () => {
  const octets = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(octets, fc.array(octets), (peer, header) => {
      limitKey(clientAddress(plainAddress(peer), header.join(","), isProxy));
    }),
  );
});

test("addresses of one /64 share a key, of another do not", () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
      const canonical = (address: string) => new URL(`http://[${address}]`).hostname;
      if (canonical(one) === canonical(other)) expect(limitKey(one)).toBe(limitKey(other));
      expect(limitKey(one)).toMatch(/^([0-9a-f]{1,4}:){4}:\/64$/);
    }),
  );
});
