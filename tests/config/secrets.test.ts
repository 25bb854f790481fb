// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates of configuration files look the same
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reportConfig } from "../../src/cli/check-config.ts";
import { parseOptions } from "../../src/config/cli-options.ts";
import { loadConfig } from "../../src/config/load.ts";
import { showValue, withoutCredentials } from "../../src/config/shown-value.ts";
import { fixture, load, shortened } from "./temporary-files.ts";

const START = "ssl:\n  enable: no\nfcm:\n  enable: no\n";
const SECRETS = "secrets:\n  MQTT_PASSWORD: planted\n  EMPTY: ''\n";

function mqtt(password: string, secrets = SECRETS) {
  const text = `general:\n  secrets: secrets.yml\n${START}mqtt:\n  password: ${password}\n`;
  return load("zmes.yml", text, { "secrets.yml": secrets });
}

describe("a secret", () => {
  it("is looked up by its exact name first, then in any case with a warning", () => {
    expect(mqtt('"!MQTT_PASSWORD"').config.mqtt.password).toBe("planted");
    const other = mqtt('"!mqtt_password"', "secrets:\n  MQTT_PASSWORD: a\n");
    expect(other.config.mqtt.password).toBe("a");
    expect(other.warnings.join()).toContain("written with other capitals");
    const both = mqtt("!x", "secrets:\n  X: wrong\n  x: right\n");
    expect([both.config.mqtt.password, both.warnings]).toEqual(["right", []]);
  });

  it("may come from an INI file whatever the configuration is", () => {
    const text = `general:\n  secrets: s.ini\n${START}mqtt:\n  password: !A_B\n`;
    const loaded = load("zmes.yml", text, { "s.ini": "[secrets]\nA_B = one # two\n" });
    expect(loaded.config.mqtt.password).toBe("one # two");
  });

  it("that is missing is an error with the key, the secret and the file", () => {
    expect(shortened(mqtt('"!NO_SUCH_NAME"').problems)).toEqual([
      "zmes.yml:8 mqtt.password: the secret NO_SUCH_NAME cannot be used: it is not in secrets.yml",
    ]);
  });

  it("that is empty is an error", () => {
    expect(mqtt("!EMPTY").problems.join()).toContain("it is empty in ");
  });

  it("cannot be looked up without a secrets file", () => {
    const { problems } = load("zmes.yml", `${START}mqtt:\n  password: "!MQTT_PASSWORD"\n`);
    expect(shortened(problems)).toEqual([
      "zmes.yml:6 mqtt.password: it names a secret (a value beginning with !), but general.secrets names no file: set it, or write the value itself here",
    ]);
  });

  it("may serve for any kind of value, which is checked without being shown", () => {
    const text = `general:\n  secrets: s.yml\n${START}network:\n  port: !PORT_NUMBER\n`;
    expect(load("a.yml", text, { "s.yml": "secrets:\n  PORT_NUMBER: 9001" }).config.network.port).toBe(9001);
    expect(shortened(load("a.yml", text, { "s.yml": "secrets:\n  PORT_NUMBER: planted" }).problems)).toEqual([
      "a.yml:8 network.port: expected a whole number from 1 to 65535, got a value that is not shown",
    ]);
  });

  it("is a plain value in a file of 3.2, which knew no secrets", () => {
    const { config, warnings } = load("a.ini", "[mqtt]\npassword = !planted\n[ssl]\nenable = 0\n");
    expect(config.mqtt.password).toBe("!planted");
    expect(warnings.join()).toContain("mqtt.password: the value begins with ! and is taken as it is");
  });
});

describe("the secrets file", () => {
  it("is an error with the line that names it when it is missing", () => {
    const { problems } = load("a.yml", `general:\n  secrets: nowhere.yml\n${START}`);
    expect(shortened(problems)).toEqual([
      "a.yml:2 general.secrets: cannot read nowhere.yml: it does not exist",
    ]);
  });

  it("is an error with its own lines when it is broken", () => {
    const { problems } = mqtt("!MQTT_PASSWORD", "secrets:\n  MQTT_PASSWORD: @planted\n");
    expect(shortened(problems)).toEqual([
      "zmes.yml:8 mqtt.password: the secret MQTT_PASSWORD cannot be used: it is not in secrets.yml",
      "secrets.yml:2 a value beginning with this character needs quotes",
    ]);
  });

  it("is an error when it has no section secrets", () => {
    expect(mqtt("x", "other:\n  a: b\n").problems.join()).toContain("expected a section called secrets");
  });
});

describe("a template", () => {
  const template = (value: string, general = "") =>
    load(
      "a.ini",
      `[general]\nx = 1\n${general}\n[ssl]\nenable = 0\n[fcm]\nenable = 0\ntoken_file = ${value}\n`,
    );

  it.each(["${base_data_path}/t", "{{base_data_path}}/t", "{{ base_data_path }}/t"])(
    "%s takes the default of a key that the file does not set",
    (value) => expect(template(value).config.fcm.token_file).toBe("/var/lib/zmeventnotification/t"),
  );

  it("takes what the file sets, in general before the same section", () => {
    expect(template("${base_data_path}/t", "base_data_path = /srv").config.fcm.token_file).toBe("/srv/t");
    expect(template("${date_format}").config.fcm.token_file).toBe("%I:%M %p, %d-%b");
  });

  it("may name a key of general that only the file knows", () => {
    expect(template("${x}/t").config.fcm.token_file).toBe("1/t");
  });

  it("is left as it is, with a warning, when it names no key", () => {
    const { config, warnings } = template("${nothing}/t");
    expect(config.fcm.token_file).toBe("${nothing}/t");
    expect(warnings.join()).toContain("fcm.token_file: ${nothing} names no key; it is left as it is");
  });
});

describe("what must not be seen", () => {
  const everything = (loaded: ReturnType<typeof loadConfig>) =>
    [reportConfig(loaded, { warnings: [], problems: [] }).text, ...loaded.warnings, ...loaded.problems].join(
      "\n",
    );

  it.each(["v3.2.ini", "v6.ini", "v7.yml"])("is in no output about %s", (name) => {
    expect(readFileSync(fixture(name), "utf8") + readFileSync(fixture("secrets.ini"), "utf8")).toContain(
      "planted",
    );
    const text = everything(loadConfig({ path: fixture(name) }));
    expect(text).not.toMatch(/planted|0123456789/);
  });

  it.each([
    ["a password with a name's mark before it", "mqtt:\n  password: !plantedWord\n"],
    ["a password in capitals with a name's mark before it", "mqtt:\n  password: !PLANTED\n"],
    ["a password that looks like a template", "mqtt:\n  password: a${planted}b\n"],
    ["a password that is a mapping", "mqtt:\n  password: { planted: planted }\n"],
    ["a password that is a list", "mqtt:\n  password: [planted, planted]\n"],
    ["a password given twice", "mqtt:\n  password: planted\n  password: planted\n"],
    ["a password that is not YAML", "mqtt:\n  password: @planted\n"],
    ["a password without the blank before it", "mqtt:\n  password:planted\n"],
    ["a password as the name of a key", "mqtt:\n  password=planted : 1\n"],
    ["a password put into another value", "mqtt:\n  password: planted\n  topic: x/${password}\n"],
    ["a password put into a number", "network:\n  port: ${escontrol_interface_password}\n"],
    ["a password in the name of the broker", "mqtt:\n  server: me:planted@broker\n"],
    ["a password in the address of the push proxy", "fcm:\n  fcm_v1_url: https://a:planted@host/x\n"],
    ["a legacy key", "fcm:\n  api_key: planted\n"],
  ])("is not shown: %s", (_, yaml) => {
    const general = "general:\n  secrets: s.yml\n  escontrol_interface_password: planted\n";
    const loaded = load("a.yml", `${general}ssl:\n  enable: no\n${yaml}`, {
      "s.yml": "secrets:\n  A: planted\n",
    });
    expect(everything(loaded)).not.toMatch(/planted/i);
  });

  it.each([
    "[mqtt]\npassword planted",
    "[mqtt]\npassword = <<planted",
    "password: planted",
    "[mqtt]\npassword:planted = 1",
  ])("is not shown of a broken INI line: %j", (ini) => {
    expect(everything(load("a.ini", ini))).not.toMatch(/planted/i);
  });

  it("is not shown even of a value whose origin nobody kept", () => {
    const { config } = load("a.yml", `${START}mqtt:\n  password: planted\n`);
    expect(showValue({ config, origins: new Map() }, "mqtt.password")).toBe("(defined)");
  });

  it("is not shown of the command line", () => {
    const parsed = parseOptions([
      "--mqtt-password=planted",
      "--fcm-api-kex=planted",
      "--fcm-api-key",
      "planted",
    ]);
    const loaded = loadConfig({ searchPath: [], overrides: parsed.overrides });
    expect(loaded.config.mqtt.password).toBe("planted");
    expect([...parsed.warnings, everything(loaded)].join()).not.toMatch(/planted/i);
  });
});

describe("an address that is shown", () => {
  it.each([
    [
      "https://zm.example.org/zm/index.php?view=image&eid=EVENTID&width=600",
      "https://zm.example.org/zm/index.php?view=image&eid=EVENTID&width=600",
    ],
    ["https://u:planted@zm.example.org:8443/zm", "https://zm.example.org:8443/zm"],
    ["https://h/zm?view=image&username=u&password=planted&eid=1", "https://h/zm?view=image&eid=1&..."],
    ["https://h/zm?view=image&pass=p&planted&eid=1", "https://h/zm?view=image&eid=1&..."],
    ["https://h/zm?token=planted", "https://h/zm?..."],
    ["https://u:pa/planted@h/zm", "(defined)"],
    ["https://u:pa#planted@h/zm", "(defined)"],
    ["https://u:pa?planted@h/zm", "(defined)"],
    ["https://[::1]:9000/x", "https://[::1]:9000/x"],
    ["me:planted@broker:1883", "broker:1883"],
    ["127.0.0.1:1883", "127.0.0.1:1883"],
  ])("%s has lost what gives it away", (address, shown) => {
    expect(withoutCredentials(address)).toBe(shown);
  });
});
