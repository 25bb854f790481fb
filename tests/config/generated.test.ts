import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configurationPage, jsonSchema } from "../../scripts/configuration-docs.ts";
import { exampleConfig } from "../../src/config/example.ts";
import { defaultConfig, knownKeys } from "../../src/config/schema.ts";
import { load } from "./temporary-files.ts";

describe("the example", () => {
  it("parses back to the defaults as it is printed", () => {
    expect(load("zmes.yml", exampleConfig()).config).toEqual(defaultConfig());
  });

  it("parses back to the defaults with every setting taken out of its comment", () => {
    const loaded = load("zmes.yml", exampleConfig().replaceAll(/^ {2}#(?=\w)/gm, "  "));
    expect(loaded.config).toEqual(defaultConfig());
    expect(loaded.problems).toEqual([expect.stringContaining("ssl.enable: TLS is on")]);
    expect(loaded.origins.size).toBeGreaterThan(80);
  });

  it("has every key that is still needed, and none that is not", () => {
    for (const known of knownKeys.values()) {
      const isThere = exampleConfig().includes(`\n  #${known.key}:`);
      if (known.status !== "no longer needed") expect([known.path, isThere]).toEqual([known.path, true]);
    }
    expect(exampleConfig()).not.toContain("restart_interval");
  });

  it("has lines that fit a terminal", () => {
    expect(
      exampleConfig()
        .split("\n")
        .filter((line) => line.length > 110),
    ).toEqual([]);
  });
});

describe("what is generated from the schema", () => {
  const docs = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

  it("is docs/configuration.md as it stands (npm run docs)", () => {
    expect(docs("configuration.md")).toBe(configurationPage());
  });

  it("is docs/zmes.schema.json as it stands (npm run docs)", () => {
    expect(docs("zmes.schema.json")).toBe(jsonSchema());
  });

  it("describes every key with its default", () => {
    const schema = JSON.parse(jsonSchema());
    for (const { section, key, fallback, about } of knownKeys.values()) {
      const described = schema.properties[section].properties[key];
      expect(described.default).toEqual(fallback);
      expect(described.description).toContain(about);
    }
  });
});

describe("the schema", () => {
  it("gives every key a description that is a sentence, and a reason where it is not used", () => {
    for (const { path, about, status, reason } of knownKeys.values()) {
      expect([path, about]).toEqual([path, expect.stringMatching(/^\S.*\.$/)]);
      expect([path, reason !== ""]).toEqual([path, status !== "used"]);
    }
  });

  it("marks every password and key as secret", () => {
    const secret = [...knownKeys.values()].filter((known) => known.secret).map((known) => known.path);
    expect(secret).toEqual([
      "general.escontrol_interface_password",
      "fcm.api_key",
      "fcm.fcm_v1_key",
      "mqtt.password",
      "customize.picture_portal_password",
    ]);
  });
});
