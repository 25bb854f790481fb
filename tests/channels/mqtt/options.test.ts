import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTopic, parseBroker } from "../../../src/channels/mqtt/options.ts";

const broker = (server: string, files: { tls_ca?: string; tls_cert?: string; tls_key?: string } = {}) =>
  parseBroker({ server, tls_ca: null, tls_cert: null, tls_key: null, ...files });

describe("mqtt.server", () => {
  test.each([
    ["127.0.0.1", "mqtt", "127.0.0.1", 1883],
    ["broker", "mqtt", "broker", 1883],
    ["my_broker.lan:1884", "mqtt", "my_broker.lan", 1884],
    [" broker:80 ", "mqtt", "broker", 80],
    ["::1", "mqtt", "::1", 1883],
    ["[::1]:1885", "mqtt", "::1", 1885],
    ["mqtt://broker", "mqtt", "broker", 1883],
    ["mqtts://broker/", "mqtts", "broker", 8883],
    ["ssl://broker:9", "mqtts", "broker", 9],
    ["MQTTS://broker", "mqtts", "broker", 8883],
    ["ws://broker", "ws", "broker", 80],
    ["wss://broker:9001/mqtt", "wss", "broker", 9001],
  ])("%s is a broker", (server, scheme, host, port) => {
    expect(broker(server)).toMatchObject({ scheme, host, port, login: null });
  });

  test.each([
    "",
    " ",
    "two words",
    "http://broker",
    "broker:99999",
    "broker:0",
    "mqtt://",
    "mqtt://broker/path",
    "mqtt://broker#x",
    "mqtt://u:%zz@broker",
  ])("%j is none", (server) => {
    expect(broker(server)).toBeNull();
  });

  test("no text makes the parser throw", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl()), (text) => void broker(text)));
    fc.assert(fc.property(fc.string(), (text) => void broker(`mqtt://${text}`)));
  });

  test("an authority or a certificate of one's own means TLS, with its port, whatever the scheme says", () => {
    expect(broker("broker", { tls_ca: "ca.pem" })).toMatchObject({ scheme: "mqtts", port: 8883 });
    const pair = { tls_cert: "c.pem", tls_key: "k.pem" };
    expect(broker("ws://broker", pair)).toMatchObject({ scheme: "wss", port: 443 });
    expect(broker("broker", { tls_cert: "c.pem" })).toMatchObject({ scheme: "mqtt", port: 1883 });
  });

  test("a path is kept where there are paths", () => {
    expect(broker("ws://broker/mqtt?x=1")?.path).toBe("/mqtt?x=1");
    expect(broker("wss://broker")?.path).toBe("/");
  });

  test("user and password in the address are taken out of what people are shown", () => {
    const found = broker("mqtt://me:p%40ss@broker:1884");
    expect(found?.login).toEqual({ username: "me", password: "p@ss" });
    expect(found?.label).toBe("broker:1884");
  });
});

test("wildcards and the broker's own topics are no topics to publish to", () => {
  expect(["zoneminder", "/zoneminder", "a/b"].map(isTopic)).toEqual([true, true, true]);
  expect(["", "a/#", "+/a", "$SYS", "a\0"].map(isTopic)).toEqual([false, false, false, false, false]);
});
