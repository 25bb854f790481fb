import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { fixture, shortened } from "./temporary-files.ts";

describe("the file of version 1.0", () => {
  const loaded = loadConfig({ path: fixture("v1.0.ini") });

  it("is read as it is", () => {
    expect(loaded.problems).toEqual([]);
    expect(loaded.dialect).toBe("ini-1.0");
    expect(loaded.config.ssl).toEqual({
      enable: true,
      cert: "/etc/apache2/ssl/zoneminder.crt",
      key: "/etc/apache2/ssl/zoneminder.key",
    });
    expect(loaded.config.fcm.token_file).toBe("/etc/private/tokens.txt");
    expect(loaded.config.customize.read_alarm_cause).toBe(true);
  });

  it("is warned about nothing but push without a key and the check interval", () => {
    expect(shortened(loaded.warnings).map((line) => line.slice(0, 45))).toEqual([
      "v1.0.ini:12 fcm.enable: push to phones is on,",
      "v1.0.ini:23 customize.event_check_interval: t",
    ]);
  });
});

describe("the file shipped with 3.2, without its [mqtt] header", () => {
  const loaded = loadConfig({ path: fixture("v3.2.ini") });

  it("leaves push on and MQTT off", () => {
    expect(loaded.problems).toEqual([]);
    expect(loaded.config.fcm.enable).toBe(true);
    expect(loaded.config.mqtt.enable).toBe(false);
  });

  it("is told of the doubled key and of the missing header", () => {
    expect(shortened(loaded.warnings)).toEqual(
      expect.arrayContaining([
        "v3.2.ini:16 fcm.enable is given again; the first one, in line 12, counts",
        "v3.2.ini:17 fcm.server is not known and ignored; it belongs to section mqtt, whose header is missing (as in the file shipped with 3.2)",
      ]),
    );
  });

  it("has its old hook keys read under their present names", () => {
    expect(loaded.dialect).toBe("ini-1.0");
    expect(loaded.config.hook).toMatchObject({
      hook_script: "'/usr/bin/detect_wrapper.sh'",
      use_hook_description: true,
      hook_skip_monitors: [3, 7],
      hook_pass_image_path: true,
    });
    expect(loaded.config.general.skip_monitors).toEqual([]);
  });
});

describe("the file of version 6, with secrets and templates", () => {
  const loaded = loadConfig({ path: fixture("v6.ini") });

  it("is read as it is", () => {
    expect(loaded.problems).toEqual([]);
    expect(loaded.dialect).toBe("ini-5.0");
    expect(loaded.config.general.skip_monitors).toEqual([2, 4]);
    expect(loaded.config.hook.event_end_notify_on_hook_success).toEqual(["fcm", "web", "api"]);
  });

  it("has its secrets looked up, with every character of theirs", () => {
    expect(loaded.config.mqtt.password).toBe("planted#broker;word");
    expect(loaded.config.customize.picture_portal_password).toBe("planted=portal=word");
    expect(loaded.config.ssl.cert).toBe("/etc/zm/ssl/zm.crt");
  });

  it("has its templates filled in", () => {
    expect(loaded.config.fcm.token_file).toBe("/srv/zmes/push/tokens.txt");
    expect(loaded.config.hook.event_start_hook).toBe("'/srv/zmes/bin/zm_event_start.sh'");
  });
});

describe("the file of version 7, with secrets and templates", () => {
  const loaded = loadConfig({ path: fixture("v7.yml") });

  it("is read as it is", () => {
    expect(loaded.problems).toEqual([]);
    expect(loaded.dialect).toBe("yaml-7");
    expect(loaded.config.auth).toEqual({ enable: true, timeout: 20 });
    expect(loaded.config.general.use_escontrol_interface).toBe(false);
    expect(loaded.config.mqtt.tls_insecure).toBe(false);
  });

  it("has its secrets looked up, quoted or not", () => {
    expect(loaded.config.mqtt.username).toBe("planted-broker-user");
    expect(loaded.config.mqtt.password).toBe("planted#broker;word");
    expect(loaded.config.customize.picture_portal_password).toBe("0123456789");
  });

  it("has its templates filled in", () => {
    expect(loaded.config.fcm.token_file).toBe("/srv/zmes/push/tokens.txt");
    expect(loaded.config.general.escontrol_interface_file).toBe("/srv/zmes/misc/escontrol_interface.dat");
  });
});

it("gives what is not set as null, and lists as numbers, in every file", () => {
  for (const name of ["v1.0.ini", "v3.2.ini", "v6.ini", "v7.yml"]) {
    const { config } = loadConfig({ path: fixture(name) });
    expect(config.customize.es_rules).toBeNull();
    expect(config.zoneminder.map_path).toBeNull();
    expect(config.general.skip_monitors.every(Number.isInteger)).toBe(true);
  }
});
