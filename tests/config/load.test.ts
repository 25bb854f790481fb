import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { aFolder, load, shortened } from "./temporary-files.ts";

const NO_TLS = "ssl:\n  enable: no\nfcm:\n  enable: no\n";

describe("the file that is read", () => {
  it("is the one named on the command line, before the environment and the usual places", () => {
    const folder = aFolder({ "a.yml": NO_TLS, "b.yml": NO_TLS, "c.yml": NO_TLS });
    const env = { ZMES_CONFIG: join(folder, "b.yml") };
    const searchPath = [join(folder, "c.yml")];
    const read = (path: string | null, variables: object) =>
      loadConfig({ path, env: variables, searchPath }).source.path;
    expect(read(join(folder, "a.yml"), env)).toBe(join(folder, "a.yml"));
    expect(read(null, env)).toBe(join(folder, "b.yml"));
    expect(read(null, {})).toBe(join(folder, "c.yml"));
  });

  it("is the first that exists of the usual places", () => {
    const folder = aFolder({ "2.yml": NO_TLS, "3.ini": "[ssl]\nenable=0" });
    const searchPath = ["1.yml", "2.yml", "3.ini"].map((name) => join(folder, name));
    expect(loadConfig({ searchPath }).source).toEqual({ path: searchPath[1], read: true, absent: false });
  });

  it("is a problem when it is named and missing", () => {
    const loaded = loadConfig({ path: "/nowhere/zmes.yml" });
    expect(loaded.problems).toEqual([
      "/nowhere/zmes.yml: cannot read the configuration named by --config: it does not exist",
    ]);
  });

  it("is a problem when it is a folder, named or not", () => {
    const folder = aFolder();
    mkdirSync(join(folder, "zmes.yml"));
    const [problem] = loadConfig({ searchPath: [join(folder, "zmes.yml"), "/nowhere"] }).problems;
    expect(problem).toContain("it is a folder");
  });

  it("is a problem when it is there and cannot be opened", () => {
    const path = join(aFolder(), "zmes.yml");
    symlinkSync(path, path);
    expect(loadConfig({ searchPath: [path] }).problems).toEqual([
      `${path}: cannot read the configuration: its symbolic links go in a circle`,
    ]);
  });

  it("is recognised as INI or YAML by its first line when its name does not tell", () => {
    expect(load("zmes.conf", "# x\n[ssl]\nenable = 0\n").dialect).toBe("ini-1.0");
    expect(load("zmes.conf", `# x\n${NO_TLS}`).dialect).toBe("yaml-7");
  });

  it("may be absent: then the defaults hold, and the missing certificate is told with the way out", () => {
    const loaded = loadConfig({ searchPath: ["/nowhere/a.yml", "/nowhere/b.ini"] });
    expect(loaded.config).toEqual(defaultConfig());
    expect(loaded.source).toEqual({ path: "/nowhere/a.yml", read: false, absent: true });
    expect(loaded.problems).toEqual([
      'ssl.enable: TLS is on, but neither ssl.cert nor ssl.key is set. Name certificate and key in ssl.cert and ssl.key, or serve without TLS by "enable: no" in section ssl.',
    ]);
  });
});

describe("what stands above what", () => {
  it("is the command line above the file above the default", () => {
    const folder = aFolder({ "a.yml": `network:\n  port: 9001\n  address: 127.0.0.1\n${NO_TLS}` });
    const overrides = [{ path: "network.port", text: "9002", option: "--port" }];
    const { config } = loadConfig({ path: join(folder, "a.yml"), overrides });
    expect(config.network).toEqual({ port: 9002, address: "127.0.0.1", trusted_proxies: [] });
    expect(config.auth.timeout).toBe(20);
  });

  it("lets the command line switch TLS off that the file cannot serve", () => {
    const folder = aFolder({ "a.ini": "[fcm]\nenable=0" });
    const overrides = [{ path: "ssl.enable", text: "no", option: "--enable-ssl" }];
    expect(loadConfig({ path: join(folder, "a.ini"), overrides }).problems).toEqual([]);
  });

  it("refuses a wrong value of the command line by the name of its option", () => {
    const overrides = [{ path: "network.port", text: "90x0", option: "--port" }];
    expect(loadConfig({ searchPath: [], overrides }).problems).toContain(
      '--port: expected a whole number from 1 to 65535, got "90x0"',
    );
  });
});

describe("a file with many mistakes", () => {
  it("is told all of them at once, each with its line", () => {
    const loaded = load(
      "zmes.yml",
      `network:
  port: 90x0
  trusted_proxies: [10.0.0.0/8, 10.0.0.0/99]
auth:
  enable: perhaps
  timeout: 0
limits:
  connections: 1.5
zoneminder:
  scan_interval_ms: 1
logging:
  level: loud
general:
  skip_monitors: 1,two
fcm:
  enable: no
  token_file: { a: b }
  fcm_android_priority: [high]
hook:
  event_start_notify_on_hook_fail: fcm,pager
ssl:
  enable: yes
  cert: /tmp/x.crt
`,
    );
    expect(shortened(loaded.problems)).toEqual([
      'zmes.yml:2 network.port: expected a whole number from 1 to 65535, got "90x0"',
      'zmes.yml:3 network.trusted_proxies: expected addresses or networks such as 192.168.1.1,10.0.0.0/8, got "10.0.0.0/8,10.0.0.0/99"',
      'zmes.yml:5 auth.enable: expected yes or no, got "perhaps"',
      'zmes.yml:6 auth.timeout: expected a whole number from 1 to 3600, got "0"',
      'zmes.yml:8 limits.connections: expected a whole number from 1 to 1000000, got "1.5"',
      'zmes.yml:10 zoneminder.scan_interval_ms: expected auto or a whole number from 2 to 1000, got "1"',
      'zmes.yml:12 logging.level: expected one of fatal, error, warn, info, debug, trace, got "loud"',
      'zmes.yml:14 general.skip_monitors: expected monitor numbers such as 1,2,5, got "1,two"',
      "zmes.yml:17 fcm.token_file: expected text, got a mapping",
      'zmes.yml:18 fcm.fcm_android_priority: expected one of high, normal, got "high"',
      'zmes.yml:20 hook.event_start_notify_on_hook_fail: expected a list of all, none, fcm, web, mqtt, api, got "fcm,pager"',
      'zmes.yml:22 ssl.enable: TLS is on, but ssl.key is not set. Name certificate and key in ssl.cert and ssl.key, or serve without TLS by "enable: no" in section ssl.',
    ]);
  });

  it("is told of a comment behind a value, which is part of it", () => {
    const { problems } = load("a.ini", "[network]\nport = 9000 # the usual\n[ssl]\nenable=0");
    expect(shortened(problems)).toEqual([
      'a.ini:2 network.port: expected a whole number from 1 to 65535, got "9000 # the usual"; a comment needs a line of its own',
    ]);
  });

  it("is not told that TLS lacks a certificate when the certificate's own line is wrong", () => {
    const { problems } = load("a.yml", 'ssl:\n  cert: "!NOWHERE"\n  key: /tmp/k');
    expect(problems).toHaveLength(1);
  });

  it("is not told of what is missing when it cannot be read as a whole", () => {
    expect(shortened(load("a.yml", "ssl:\n\tenable: no").problems)).toEqual([
      "a.yml:2 a tab cannot indent in YAML; use blanks",
    ]);
  });
});

describe("a key that is not known", () => {
  const warned = (yaml: string) => shortened(load("a.yml", `${yaml}\n${NO_TLS}`).warnings);

  it("is a warning with the nearest key of its section", () => {
    expect(warned("network:\n  prot: 1")).toEqual([
      "a.yml:2 network.prot is not known and ignored; did you mean network.port?",
    ]);
  });

  it("is a warning that names the section it belongs to", () => {
    expect(warned("network:\n  token_file: x")).toEqual([
      "a.yml:2 network.token_file is not known and ignored; token_file belongs to section fcm",
    ]);
  });

  it("is a warning that finds a misspelt key of another section", () => {
    expect(warned("general:\n  scan_intervall_ms: 10")).toEqual([
      "a.yml:2 general.scan_intervall_ms is not known and ignored; did you mean zoneminder.scan_interval_ms?",
    ]);
  });

  it("is a warning without a guess when nothing is near", () => {
    expect(warned("general:\n  colour_of_the_sky: blue")).toEqual([
      "a.yml:2 general.colour_of_the_sky is not known and ignored",
    ]);
  });

  it("is one warning for a whole section", () => {
    expect(warned("netwrok:\n  port: 1\n  address: x")).toEqual([
      "a.yml:1 section netwrok is not known and ignored; did you mean network?",
    ]);
  });

  it("differs by case, as it always did", () => {
    expect(warned("network:\n  Port: 1")[0]).toContain("did you mean network.port?");
  });
});

describe("old homes", () => {
  it.each([
    ["[customize]\nhook = /x.sh", "hook_script", "/x.sh"],
    ["[customize]\nuse_hook_description = 1", "use_hook_description", true],
    ["[hook]\nhook_description = 1", "use_hook_description", true],
    ["[hook]\nskip_monitors = 4", "hook_skip_monitors", [4]],
    ["[hook]\nstore_frame_in_zm = 1", "hook_pass_image_path", true],
  ])("%j is read", (ini, key, value) => {
    const { config, warnings } = load("a.ini", `${ini}\n[ssl]\nenable=0\n[fcm]\nenable=0`);
    expect(config.hook).toMatchObject({ [key]: value });
    expect(warnings.join("\n")).toContain(`is now called hook.${key}`);
  });

  it("give way to the present name", () => {
    const { config, warnings } = load("a.ini", "[hook]\nskip_monitors = 1\nhook_skip_monitors = 2");
    expect(config.hook.hook_skip_monitors).toEqual([2]);
    expect(warnings.join("\n")).toContain("which is set as well and counts");
  });
});

describe("the generation of an INI file", () => {
  it.each([
    ["[hook]\nhook_script = /x", "ini-1.0"],
    ["[hook]\nhook_script = /x\ntimeout = 5\n[pictures]\npublic_url = https://a.example", "ini-1.0"],
    ["[customize]\nconsole_logs = yes", "ini-3.3"],
    ["[general]\nsecrets = /dev/null", "ini-3.3"],
    ["[customize]\nuse_hooks = no", "ini-5.0"],
    ["[hook]\nevent_start_notify_on_hook_success = all", "ini-5.0"],
  ])("of %j is %s", (ini, dialect) => {
    expect(load("a.ini", ini).dialect).toBe(dialect);
  });
});

describe("a hook that will not run", () => {
  const about = (name: string, text: string) =>
    load(name, text).warnings.filter((line) => line.includes("customize.use_hooks"));

  it.each([
    ["a.yml", "ssl:\n  enable: no\nhook:\n  event_start_hook: /x\n"],
    ["a.yml", "ssl:\n  enable: no\nhook:\n  event_end_hook: /x\n"],
    ["a.ini", "[ssl]\nenable=no\n[hook]\nhook_script=/x\nevent_start_notify_on_hook_success=all\n"],
  ])("because nothing switches hooks on is named (%s %j)", (name, text) => {
    expect(about(name, text)).toEqual([expect.stringContaining("hooks are switched off")]);
  });

  it("is none in a file of the first versions, which had no switch", () => {
    expect(about("a.ini", "[ssl]\nenable=no\n[hook]\nhook_script=/x\n")).toEqual([]);
  });
});

describe("push without a usable key", () => {
  const about = (yaml: string) =>
    load("a.yml", `ssl:\n  enable: no\n${yaml}`).warnings.filter((line) => line.includes("fcm."));

  it("is one warning with the way out, never a problem", () => {
    expect(about("")).toEqual([
      expect.stringMatching(
        /fcm.enable: push to phones is on, but there is no key for push; phones register and everything else works\. Copy the key .*\.$/,
      ),
    ]);
  });

  it("is one warning for a legacy key, which is not shown", () => {
    const lines = about("fcm:\n  api_key: AAAAplanted");
    expect(lines).toEqual([expect.stringContaining("legacy interface, which Google ended in 2024")]);
    expect(lines.join()).not.toContain("planted");
  });

  it("is one warning for a key of the push proxy without its address", () => {
    expect(about("fcm:\n  fcm_v1_key: planted")).toEqual([
      expect.stringMatching(/but fcm\.fcm_v1_url, the address it belongs to, is not; /),
    ]);
  });

  it.each([
    "enable: no",
    "fcm_v1_key: k\n  fcm_v1_url: https://push.example.org/send",
    "fcm_service_account_file: /x.json",
  ])("is nothing with %s", (line) => {
    expect(about(`fcm:\n  ${line}`)).toEqual([]);
  });
});

it("warns at every start when the login is switched off", () => {
  expect(shortened(load("a.yml", `auth:\n  enable: no\n${NO_TLS}`).warnings)).toEqual([
    "a.yml:2 auth.enable: login is switched off: anyone who reaches the port sees every alarm.",
  ]);
});

it("warns when an empty value leaves the default in force", () => {
  expect(shortened(load("a.ini", "[network]\naddress =\n[ssl]\nenable=0\n[fcm]\nenable=0").warnings)).toEqual(
    ["a.ini:2 network.address: the value is empty; the default [::] holds"],
  );
});

it("never throws, whatever is in the file", () => {
  const keys = [
    "port",
    "secrets",
    "enable",
    "cert",
    "skip_monitors",
    "hook",
    "base_data_path",
    "constructor",
  ];
  const words = fc.constantFrom(..."[general];[ssl];general:;ssl:;[__proto__];__proto__:".split(";"));
  const entry = fc.tuple(fc.constantFrom(...keys), fc.constantFrom("=", ": "), fc.string({ unit: "binary" }));
  const line = fc.oneof(
    words,
    entry.map(([key, sign, value]) => `  ${key}${sign}${value}`),
  );
  const folder = aFolder({ "a.ini": "", "a.yml": "" });
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom("a.ini", "a.yml"), (lines, name) => {
      writeFileSync(join(folder, name), lines.join("\n"));
      loadConfig({ path: join(folder, name) });
    }),
  );
});
