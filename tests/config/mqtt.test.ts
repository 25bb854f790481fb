import { describe, expect, it } from "vitest";
import { load, shortened } from "./temporary-files.ts";

const REST = "ssl:\n  enable: no\nfcm:\n  enable: no\n";
const mqtt = (lines: string) => load("a.yml", `mqtt:\n  enable: yes\n${lines}\n${REST}`);

describe("the section mqtt", () => {
  it("is told what cannot work, each on its line, without the password in the address", () => {
    const lines = "  server: http://me:hidden@broker\n  topic: house/#\n  home_assistant_prefix: +";
    const problems = shortened(mqtt(lines).problems);
    expect(problems).toEqual([
      "a.yml:3 mqtt.server: expected host, host:port, or a URL that begins with mqtt://, mqtts://, ws:// or wss://",
      "a.yml:4 mqtt.topic: expected the first part of a topic, without + and # in it",
      "a.yml:5 mqtt.home_assistant_prefix: expected the first part of a topic, without + and # in it",
    ]);
  });

  it("may say what it likes while it is switched off", () => {
    expect(load("a.yml", `mqtt:\n  server: http://broker\n${REST}`).problems).toEqual([]);
  });

  it("is warned of a certificate without its key, which the original ignored as well", () => {
    const loaded = mqtt("  tls_cert: /tmp/c.pem");
    expect(loaded.problems).toEqual([]);
    expect(shortened(loaded.warnings).join()).toContain("a certificate needs its key");
  });

  it("takes MQTT 5 as a number, and no other version", () => {
    expect(shortened(mqtt("  protocol: 3").problems)).toEqual([
      'a.yml:3 mqtt.protocol: expected one of 3.1.1, 5, got "3"',
    ]);
    expect(mqtt("  protocol: 5").config.mqtt.protocol).toBe("5");
  });
});
