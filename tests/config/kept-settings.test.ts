import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findEditable } from "../../src/config/kept-settings.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createRunningConfig } from "../../src/config/running.ts";
import { defaultConfig, knownKeys } from "../../src/config/schema.ts";
import { aFolder } from "./temporary-files.ts";

const ON = "general:\n  use_escontrol_interface: yes\n";

function loadWith(settings: Readonly<Record<string, string>>, text = ON, options: readonly string[] = []) {
  const kept = { settings: new Map(Object.entries(settings)), problem: null };
  const overrides = options.map((cooldown) => ({
    path: "customize.monitor_reload_interval",
    text: cooldown,
    option: "--monitor-reload-interval",
  }));
  const path = join(aFolder({ "zmes.yml": `${text}ssl:\n  enable: no\n` }), "zmes.yml");
  return loadConfig({ path, overrides, keptIn: () => kept });
}

describe("a key that may be edited", () => {
  it("is named with its section, or by its bare name where that means one key", () => {
    for (const name of ["customize.repeat_cooldown", "repeat_cooldown", " repeat_cooldown "])
      expect(findEditable(name)).toMatchObject({ found: true, key: { path: "customize.repeat_cooldown" } });
  });

  it("is not guessed where several have the name: they are listed", () => {
    expect(findEditable("enable")).toMatchObject({
      found: false,
      fault: "key",
      candidates: ["auth.enable", "fcm.enable", "mqtt.enable", "ssl.enable", "detection.enable"],
    });
  });

  it("is proposed for one that nearly has its name", () => {
    const found = findEditable("customize.repeat_coldown");
    expect(found).toMatchObject({
      fault: "key",
      problem: expect.stringContaining("customize.repeat_cooldown"),
    });
    expect(findEditable("repeat_coldown")).toMatchObject({
      fault: "key",
      problem: "there is no such key; did you mean repeat_cooldown?",
    });
    for (const name of ["", ".", "__proto__", "constructor", "general.constructor"])
      expect(findEditable(name)).toMatchObject({ found: false, fault: "key" });
  });

  it("names no program, file, host, secret or user, and does not decide who is let in", () => {
    const editable = [...knownKeys.keys()].filter((path) => findEditable(path).found);
    const suspicious =
      /script|hook|file|path|url|server|address|user|password|key|cert|token|secret|auth|prox|ssl/;
    // Switches, times and numbers: none of them names anything.
    expect(editable.filter((path) => suspicious.test(path) && !isHarmless(path))).toEqual([]);
    const texts = editable.filter((path) => knownKeys.get(path)?.kind === "text");
    expect(texts).toEqual([
      "fcm.date_format",
      "fcm.fcm_log_message_id",
      "mqtt.topic",
      "mqtt.server_name",
      "mqtt.home_assistant_prefix",
      "detection.model_layout",
      "detection.pattern",
      "detection.frame_set",
    ]);
  });

  it("has to do with those wherever its name says so", () => {
    const rooms = /^(auth|ssl|network)\./;
    const open = [...knownKeys.keys()].filter((path) => rooms.test(path) && findEditable(path).found);
    expect(open).toEqual(["network.port", "auth.timeout"]);
  });

  it.each([
    ["general.escontrol_interface_password", "a secret"],
    ["general.secrets", "a file"],
    ["general.base_data_path", "a file"],
    ["general.use_escontrol_interface", "authentication"],
    ["pictures.allow_credentials_in_url", "a secret"],
    ["pictures.allow_public", "authentication"],
    ["auth.enable", "authentication"],
    ["network.address", "a host"],
    ["network.trusted_proxies", "a host"],
    ["limits.failed_logins_per_address", "authentication"],
    ["push.api_push_script", "a program"],
    ["hook.event_start_hook", "a program"],
    ["hook.hook_script", "a program"],
    ["hook.event_end_hook_notify_userscript", "a program"],
    ["fcm.fcm_v1_url", "a host"],
    ["fcm.fcm_v1_key", "a secret"],
    ["mqtt.server", "a host"],
    ["mqtt.username", "a user"],
    ["ssl.enable", "authentication"],
    ["ssl.cert", "a file"],
    ["customize.picture_portal_username", "a user"],
    ["customize.picture_url", "a host"],
    ["customize.es_rules", "a file"],
    ["zoneminder.config", "a file"],
    ["escontrol_interface_password", "a secret"],
  ])("is never %s", (name, guarded) => {
    const refusal = { found: false, fault: "guarded", problem: expect.stringContaining(guarded) };
    expect(findEditable(name)).toMatchObject(refusal);
  });
});

function isHarmless(path: string): boolean {
  return (
    path === "mqtt.server_name" ||
    ["flag", "number", "numbers", "texts"].includes(knownKeys.get(path)?.kind ?? "")
  );
}

describe("what escontrol changed", () => {
  it("stands above the file and below the command line", () => {
    const file = `${ON}customize:\n  monitor_reload_interval: 100\n  repeat_cooldown: 7\n`;
    const kept = { "customize.monitor_reload_interval": "200", repeat_cooldown: "30" };
    const loaded = loadWith(kept, file);
    expect(loaded.config.customize).toMatchObject({ monitor_reload_interval: 200, repeat_cooldown: 30 });
    expect(loaded.origins.get("customize.repeat_cooldown")).toEqual({ from: "escontrol", secret: false });
    const above = loadWith(kept, file, ["300"]);
    expect(above.config.customize.monitor_reload_interval).toBe(300);
    expect(above.origins.get("customize.monitor_reload_interval")?.from).toBe("command line");
  });

  it("has no effect while the interface is switched off", () => {
    const loaded = loadWith({ repeat_cooldown: "30" }, "");
    expect(loaded.config.customize.repeat_cooldown).toBe(60);
  });

  it("is never a reason not to start: what cannot be is named and left out", () => {
    const loaded = loadWith({
      "customize.repeat_cooldown": "often",
      enable: "no",
      "hook.event_start_hook": "/bin/planted",
      "mqtt.password": "planted",
    });
    expect(loaded.config).toEqual({
      ...defaultConfig(),
      general: { ...defaultConfig().general, use_escontrol_interface: true },
      ssl: { ...defaultConfig().ssl, enable: false },
    });
    expect(loaded.problems).toEqual([]);
    const warnings = loaded.warnings.filter((warning) => warning.includes("escontrol"));
    expect(warnings).toHaveLength(4);
    expect(warnings.join()).not.toContain("planted");
  });

  it("may not be a reference to a secret", () => {
    const loaded = loadWith({ "fcm.date_format": "!MQTT_PASSWORD" });
    expect(loaded.config.fcm.date_format).toBe("!MQTT_PASSWORD");
  });
});

describe("the running configuration", () => {
  it("changes in place what can change, and names what waits", () => {
    const running = createRunningConfig(defaultConfig());
    const { limits, network } = running.config;
    const next = {
      ...defaultConfig(),
      limits: { ...limits, connections: 5 },
      network: { ...network, port: 9001 },
      general: { ...running.config.general, skip_monitors: [3], restart_interval: 5 },
    };
    expect(running.take(next)).toEqual({
      changed: ["general.skip_monitors", "limits.connections"],
      waiting: ["network.port"],
    });
    expect([limits.connections, network.port]).toEqual([5, 9000]);
    expect(running.take(next)).toEqual({ changed: [], waiting: ["network.port"] });
    expect(running.take(defaultConfig()).changed).toEqual(["general.skip_monitors", "limits.connections"]);
  });

  it("leaves the one it was made from as it is", () => {
    const loaded = defaultConfig();
    const running = createRunningConfig(loaded);
    running.take({ ...loaded, history: { keep: 3 } });
    expect([loaded.history.keep, running.config.history.keep]).toEqual([14, 3]);
  });
});
