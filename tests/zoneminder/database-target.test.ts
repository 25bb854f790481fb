import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { databaseTarget, describeTarget } from "../../src/zoneminder/database-target.ts";

const DEFAULTS = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

function target(values: Record<string, string>) {
  return databaseTarget({ files: [], values: new Map(Object.entries(values)) });
}

describe("ZM_DB_HOST", () => {
  it.each([
    ["localhost", DEFAULTS, { host: "127.0.0.1", port: 3306 }],
    ["", DEFAULTS, { host: "127.0.0.1", port: 3306 }],
    ["localhost:3307", DEFAULTS, { host: "127.0.0.1", port: 3307 }],
    ["127.0.0.1", [], { host: "127.0.0.1", port: 3306 }],
    ["db.lan:3310", [], { host: "db.lan", port: 3310 }],
    ["db.lan:99999", [], { host: "db.lan", port: 3306 }],
    ["localhost:/run/my.sock", ["/run/my.sock"], null],
    ["ignored.lan:/run/my.sock", ["/run/my.sock"], null],
    [":/run/my.sock", ["/run/my.sock"], null],
    ["[::1]:3310", [], { host: "::1", port: 3310 }],
    ["::1", [], { host: "::1", port: 3306 }],
  ])("%j is understood as ZoneMinder does", (host, sockets, tcp) => {
    expect(target({ ZM_DB_HOST: host })).toMatchObject({ sockets, tcp });
  });

  it("never throws, whatever it says", () => {
    fc.assert(fc.property(fc.string(), (host) => void describeTarget(target({ ZM_DB_HOST: host }))));
  });
});

describe("TLS to the database", () => {
  it("is off when no CA is named, even with a client key", () => {
    expect(target({ ZM_DB_SSL_CLIENT_KEY: "/k" }).tls).toBeNull();
  });

  it.each([
    ["", "chain"],
    ["No", "off"],
    ["0", "off"],
    ["1", "identity"],
    ["yes", "identity"],
  ])("verifies as ZM_DB_SSL_VERIFY_SERVER_CERT=%j says", (word, verify) => {
    const tls = target({ ZM_DB_SSL_CA_CERT: "/ca", ZM_DB_SSL_VERIFY_SERVER_CERT: word }).tls;
    expect(tls).toEqual({ ca: "/ca", key: null, cert: null, verify });
  });
});

it("never puts the password into the words for a log line", () => {
  const words = describeTarget(target({ ZM_DB_HOST: "db:1", ZM_DB_NAME: "zm", ZM_DB_PASS: "geheim" }));
  expect(words).toBe("zm at db:1");
});
