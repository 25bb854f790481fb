import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Answers, configText, SECRETS, secretsText } from "../../../src/cli/setup/config-text.ts";
import { loadConfig } from "../../../src/config/load.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-config-text-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const nothing: Answers = {
  zmConf: null,
  dataDirectory: null,
  port: null,
  ssl: null,
  publicUrl: null,
  serviceAccount: null,
  relayUrl: null,
  mqtt: null,
  detection: false,
  secrets: null,
};

function load(answers: Answers) {
  const file = join(folder, "zmes.yml");
  writeFileSync(file, configText(answers));
  return loadConfig({ path: file });
}

test("everything that was answered is read back, and the server could start with it", () => {
  const secrets = join(folder, "zmes-secrets.yml");
  const password = `p"a'ss: #!{}\\`;
  const values = { [SECRETS.relayKey]: "r", [SECRETS.mqttUser]: "u", [SECRETS.mqttPassword]: password };
  writeFileSync(secrets, secretsText(values) ?? "");
  const { config, problems, warnings } = load({
    zmConf: "/etc/zm.conf",
    dataDirectory: "/srv/zm es",
    port: 9443,
    ssl: { cert: "/c.pem", key: "/k.pem" },
    publicUrl: "https://zm.example.org:9443",
    serviceAccount: null,
    relayUrl: "https://push.example.org/send",
    mqtt: { server: "mqtts://broker", hasLogin: true },
    detection: true,
    secrets,
  });
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect(config.ssl).toEqual({ enable: true, cert: "/c.pem", key: "/k.pem" });
  expect(config.network.port).toBe(9443);
  expect(config.fcm).toMatchObject({ fcm_v1_key: "r", token_file: "/srv/zm es/push/tokens.txt" });
  expect(config.mqtt).toMatchObject({ enable: true, server: "mqtts://broker", username: "u", password });
  expect(config.detection.enable).toBe(true);
  expect(config.pictures.public_url).toBe("https://zm.example.org:9443");
});

test("with nothing answered it serves without TLS, and has nothing in it but that", () => {
  const { config, problems } = load(nothing);
  expect(problems).toEqual([]);
  expect(config.ssl.enable).toBe(false);
  expect(
    configText(nothing)
      .split("\n")
      .filter((line) => /^\w/.test(line)),
  ).toEqual(["ssl:"]);
});

test("secrets are never in the configuration itself", () => {
  const text = configText({
    ...nothing,
    relayUrl: "https://p.example.org",
    mqtt: { server: "b", hasLogin: true },
  });
  expect(text).toContain('fcm_v1_key: "!FCM_V1_KEY"');
  expect(text).toContain('password: "!MQTT_PASSWORD"');
});

test("where there is no secret, there is no file of them", () => {
  expect(secretsText({ A: "", B: "" })).toBeNull();
});
