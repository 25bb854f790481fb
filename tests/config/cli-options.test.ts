import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { options, parseOptions } from "../../src/config/cli-options.ts";
import { loadConfig } from "../../src/config/load.ts";
import { knownKeys } from "../../src/config/schema.ts";

/** The overrides as "section.key=text". */
function overrides(...argv: string[]): string[] {
  return parseOptions(argv).overrides.map(({ path, text }) => `${path}=${text}`);
}

describe("an option", () => {
  it.each([
    ["two dashes", ["--port", "9001"]],
    ["one dash", ["-port", "9001"]],
    ["an equals sign", ["--port=9001"]],
    ["capitals", ["--PORT=9001"]],
    ["an abbreviation", ["--po", "9001"]],
    ["one dash and an abbreviation", ["-por=9001"]],
  ])("is understood with %s", (_, argv) => expect(overrides(...argv)).toEqual(["network.port=9001"]));

  it.each([
    ["--no-enable-auth", "auth.enable=no"],
    ["--noenable-auth", "auth.enable=no"],
    ["--no_enable_auth", "auth.enable=no"],
    ["--enable_auth", "auth.enable=yes"],
    ["--no-enable-a", "auth.enable=no"],
    ["--store_frame_in_zm", "hook.hook_pass_image_path=yes"],
    ["--nostore_frame_in_zm", "hook.hook_pass_image_path=no"],
    ["--no-verb", "customize.verbose=no"],
  ])("%s means %s", (argument, override) => expect(overrides(argument)).toEqual([override]));

  it("takes what follows as its value even when that begins with a dash", () => {
    expect(overrides("--mqtt-password", "--secret")).toEqual(["mqtt.password=--secret"]);
  });

  it("keeps equals signs in its value, and an empty value", () => {
    expect(overrides("--picture-url=https://h/?a=b")).toEqual(["customize.picture_url=https://h/?a=b"]);
    expect(overrides("--address=")).toEqual(["network.address="]);
  });

  it("counts as it was given last", () => {
    expect(overrides("--port=1", "--verbose", "--port=2", "--noverbose")).toEqual([
      "network.port=2",
      "customize.verbose=no",
    ]);
  });

  it("of the command itself is told apart", () => {
    expect(parseOptions(["--config", "/x", "--check-config", "--debug", "--help", "--version"])).toEqual({
      overrides: [],
      configPath: "/x",
      checkConfig: true,
      debug: true,
      help: true,
      version: true,
      warnings: [],
      rest: [],
    });
  });
});

describe("what is not understood is ignored with a warning", () => {
  it.each([
    ["--prot=1", "Unknown option: prot is ignored; did you mean --port?"],
    ["--nonsense-of-all-kinds", "Unknown option: nonsense-of-all-kinds is ignored"],
    [
      "--enable",
      "Option enable is ambiguous (--enable-auth, --enable-fcm, --enable-mqtt, --enable-ssl) and ignored",
    ],
    ["--verbose=1", "Option verbose does not take an argument and is ignored"],
    ["--port", "Option port requires an argument and is ignored"],
    ["--no-port", "Unknown option: no-port is ignored"],
  ])("%s", (argument, warning) => {
    const parsed = parseOptions([argument]);
    expect(parsed.overrides).toEqual([]);
    expect(parsed.warnings[0]).toContain(warning);
  });

  it("and what stands around it still counts", () => {
    expect(overrides("--whatever", "--port=9001", "stray", "--enable-mqtt")).toEqual([
      "network.port=9001",
      "mqtt.enable=yes",
    ]);
  });

  it("and what is no option is kept", () => {
    expect(parseOptions(["a", "--verbose", "-", "--", "--port=1", "b"]).rest).toEqual([
      "a",
      "-",
      "--port=1",
      "b",
    ]);
  });
});

describe("the table of options", () => {
  it("names only keys that exist", () => {
    for (const { path } of options) expect(path === null || knownKeys.has(path)).toBe(true);
  });

  it("has every option of 3.2 reach its key", () => {
    const argv = options.flatMap(({ name, value, path }) => {
      if (path === null) return [];
      return value === null
        ? [`--no-${name}`]
        : [`--${name}`, value === "N" || value === "LIST" ? "7" : "text"];
    });
    const parsed = parseOptions(argv);
    const { config, problems } = loadConfig({ searchPath: [], overrides: parsed.overrides });
    expect([parsed.warnings, problems]).toEqual([[], []]);
    expect(config.network).toMatchObject({ port: 7, address: "text" });
    expect(config.ssl).toEqual({ enable: false, cert: "text", key: "text" });
    expect(config.mqtt).toMatchObject({ enable: false, server: "text", username: "text", password: "text" });
    expect(config.hook).toMatchObject({
      hook_script: "text",
      keep_frame_match_type: false,
      hook_skip_monitors: [7],
    });
    expect(config.customize).toMatchObject({
      monitor_reload_interval: 7,
      picture_url: "text",
      verbose: false,
    });
  });
});

it("never throws, whatever the arguments", () => {
  const known = fc.constantFrom(
    "--",
    "-",
    "--no",
    "--port",
    "--port=",
    "-p",
    "--enable-auth",
    "--=",
    "---",
    "--constructor",
  );
  const argument = fc.oneof(
    fc.string({ unit: "binary" }),
    known,
    fc.string().map((text) => `--${text}`),
  );
  fc.assert(
    fc.property(fc.array(argument), (argv) => void parseOptions(argv)),
    { numRuns: 500 },
  );
});
