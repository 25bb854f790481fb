/** `zmes export`: what it writes is read by the original, and read back it means the same. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { exportCommand } from "../../src/cli/export.ts";
import { planImport } from "../../src/cli/import/plan.ts";
import { loadConfig } from "../../src/config/load.ts";
import { knownKeys, valueAt } from "../../src/config/schema.ts";
import { parseTokenFile } from "../../src/store/token-file.ts";
import { testIo } from "../support/command-io.ts";

const CONFIG = `
general:
  secrets: secrets.yml
  skip_monitors: [2, 4]
network:
  port: 9001
  trusted_proxies: [10.0.0.0/8]
auth:
  timeout: 30
fcm:
  token_file: TOKENS
  fcm_v1_url: https://push.example.org/send
  fcm_v1_key: "!KEY"
  date_format: "%H:%M"
  monthly_cap: 100
mqtt:
  enable: yes
  server: mqtts://broker.example.org:8883
  username: alice
  password: "#planted = !word; "
ssl:
  enable: no
customize:
  es_rules: RULES
  picture_url: https://zm.example.org/index.php?eid=EVENTID&password=planted
  include_picture: yes
  use_hooks: yes
  repeat_cooldown: 60
hook:
  event_start_hook: "'/usr/bin/my hook' --fast"
  event_start_notify_on_hook_success: [fcm, web]
  hook_skip_monitors: [3]
  tag_detected_objects: yes
  timeout: 10
pictures:
  public_url: https://cameras.example.org
`;
const RULES = `notifications:
  monitors:
    4:
      rules:
        - {from: "21:30", to: "1:00", action: mute}
        - {cause_has: cat, cooldown: 5}
    all:
      rules: [{action: mute, from: "1:00", to: "2:00"}]
`;
const TOKENS =
  '{"tokens":{"dXy:APA91b":{"platform":"android","pushstate":"enabled","monlist":"2,4","intlist":"0,60","zmes":{"owner":"alice"}}}}';

function aServer() {
  const folder = mkdtempSync(join(tmpdir(), "zmes-export-test-"));
  // The server's user reads its own files there.
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "zmes.yml");
  writeFileSync(
    config,
    CONFIG.replace("TOKENS", join(folder, "phones.txt")).replace("RULES", join(folder, "rules.yml")),
  );
  writeFileSync(join(folder, "secrets.yml"), "secrets:\n  KEY: planted-key\n");
  writeFileSync(join(folder, "rules.yml"), RULES);
  writeFileSync(join(folder, "phones.txt"), TOKENS);
  return { folder, config, out: join(folder, "out") };
}

async function run(...argv: string[]) {
  const io = testIo();
  const code = await exportCommand.run(argv, io);
  return { code, out: io.out(), err: io.err() };
}

describe.each(["7", "6"])("for version %s", (to) => {
  test("what both know means the same when it is imported again", async () => {
    const { config, out } = aServer();
    expect((await run("--to", to, "--out", out, "--config", config)).code).toBe(0);
    const plan = await planImport({ root: "/", from: [out], serverReads: async () => true });
    const again = join(out, "again.yml");
    writeFileSync(again, plan?.config ?? "");
    const [before, after] = [loadConfig({ path: config }).config, loadConfig({ path: again }).config];
    const known = [...knownKeys.values()].filter(
      ({ since, status }) => since !== "8" && status === "used" && (to === "7" || !since.startsWith("7")),
    );
    const different = known.filter(
      ({ path }) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path)),
    );
    const mayDiffer = ["general.secrets", "fcm.token_file", "mqtt.server", "customize.es_rules"];
    expect(different.map(({ path }) => path).filter((path) => !mayDiffer.includes(path))).toEqual([]);
    expect(after.mqtt.password).toBe("#planted = !word;");
    expect(after.mqtt.server).toBe("broker.example.org:8883");
  });

  test("it says what that version has no place for", async () => {
    const { config, out } = aServer();
    const said = (await run("--to", to, "--out", out, "--config", config)).out;
    for (const what of [
      "mqtt.server",
      "network.trusted_proxies",
      "fcm.monthly_cap",
      "hook.timeout",
      "pictures.public_url",
    ])
      expect(said).toContain(`  ${what} `);
    expect(said).toMatch(/1 rules? over midnight/);
    expect(said).toMatch(/1 rules for all monitors/);
    expect(said.includes("hook.tag_detected_objects")).toBe(to === "6");
    expect(said).not.toContain("repeat_cooldown");
    expect(said).not.toContain("planted");
  });

  test("the phones are there in both forms, without fields of ours", async () => {
    const { config, out } = aServer();
    await run("--to", to, "--out", out, "--config", config);
    expect(JSON.parse(readFileSync(join(out, "tokens.txt"), "utf8")).tokens["dXy:APA91b"]).toEqual({
      platform: "android",
      pushstate: "enabled",
      monlist: "2,4",
      intlist: "0,60",
    });
    const lines = readFileSync(join(out, "tokens-before-6.txt"), "utf8");
    expect(lines).toBe("dXy:APA91b:2,4:0,60:android:enabled\n");
    expect(parseTokenFile(lines)).toMatchObject({ format: "colon", unreadable: 0 });
  });

  test("secrets stand in their own file only, and no other user may read it", async () => {
    const { config, out } = aServer();
    await run("--to", to, "--out", out, "--config", config);
    for (const name of readdirSync(out)) {
      if (!name.startsWith("secrets."))
        expect(readFileSync(join(out, name), "utf8")).not.toContain("planted");
      expect(statSync(join(out, name)).mode & 0o007).toBe(0);
    }
  });
});

test("version 7 gets lists and truth as it writes them, and is told to read causes", async () => {
  const { config, out } = aServer();
  await run("--to", "7", "--out", out, "--config", config);
  const text = readFileSync(join(out, "zmeventnotification.yml"), "utf8");
  expect(text).toContain('skip_monitors: "2,4"\n');
  expect(text).toContain("  enable: yes\n");
  expect(text).toContain("read_alarm_cause: yes\n");
  expect(text).toContain('password: "!MQTT_PASSWORD"');
  expect(
    parse(readFileSync(join(out, "es_rules.yml"), "utf8")).notifications.monitors["4"].rules,
  ).toHaveLength(2);
});

test("version 6 gets its rules as JSON", async () => {
  const { config, out } = aServer();
  await run("--to", "6", "--out", out, "--config", config);
  expect(
    JSON.parse(readFileSync(join(out, "es_rules.json"), "utf8")).notifications.monitors["4"].rules,
  ).toHaveLength(2);
});

/** The libraries that versions 6 and 7 read their files with; Perl comes with neither. */
const readers = {
  "6": ["Config::IniFiles", "tie my %f, 'Config::IniFiles', (-file => shift); print encode_json(\\%f)"],
  "7": ["YAML::XS", "print encode_json(YAML::XS::LoadFile(shift))"],
} as const;

describe.each(["6", "7"] as const)("read by the library of version %s", (to) => {
  const [library, program] = readers[to];
  const hasLibrary = spawnSync("perl", [`-M${library}`, "-e", "1"]).status === 0;
  const read = (file: string) =>
    JSON.parse(
      execFileSync("perl", [`-M${library}`, "-MJSON::PP", "-e", program, file], { encoding: "utf8" }),
    );

  test.runIf(hasLibrary)("every value is the one that was meant", async () => {
    const { config, out } = aServer();
    await run("--to", to, "--out", out, "--config", config);
    const ending = to === "7" ? "yml" : "ini";
    const settings = read(join(out, `zmeventnotification.${ending}`));
    expect(settings).toMatchObject({
      general: { skip_monitors: "2,4", secrets: join(out, `secrets.${ending}`) },
      fcm: { date_format: "%H:%M", fcm_v1_key: "!FCM_V1_KEY" },
      mqtt: { enable: "yes", password: "!MQTT_PASSWORD", server: "broker.example.org:8883" },
      customize: { include_picture: "yes", use_hooks: "yes" },
      hook: { event_start_hook: "'/usr/bin/my hook' --fast", event_start_notify_on_hook_success: "fcm,web" },
    });
    expect(Number(settings.network.port)).toBe(9001);
    const { secrets } = read(join(out, `secrets.${ending}`));
    expect(secrets).toMatchObject({ MQTT_PASSWORD: "#planted = !word;", FCM_V1_KEY: "planted-key" });
  });
});

test("the original can read the files, whatever umask root works with", async () => {
  const { config, out } = aServer();
  const umask = process.umask(0o077);
  try {
    await run("--to", "7", "--out", out, "--config", config);
  } finally {
    process.umask(umask);
  }
  expect(statSync(out).mode & 0o777).toBe(0o750);
  expect(statSync(join(out, "zmeventnotification.yml")).mode & 0o777).toBe(0o640);
});

test("nothing is overwritten", async () => {
  const { config, out } = aServer();
  await run("--to", "7", "--out", out, "--config", config);
  writeFileSync(join(out, "tokens.txt"), "mine");
  rmSync(join(out, "zmeventnotification.yml"));
  const { code, err } = await run("--to", "7", "--out", out, "--config", config);
  expect(code).toBe(1);
  expect(err).toContain("--out");
  expect(readFileSync(join(out, "tokens.txt"), "utf8")).toBe("mine");
  expect(readdirSync(out)).not.toContain("zmeventnotification.yml");
});

test("an export that fails in the middle leaves nothing", async () => {
  const { config, out } = aServer();
  mkdirSync(out);
  // A link to nowhere is no file that is there, and cannot be made one.
  symlinkSync(join(out, "no", "where"), join(out, "tokens.txt"));
  const { code, err } = await run("--to", "7", "--out", out, "--config", config);
  expect([code, err]).toEqual([1, expect.stringContaining("could not be written")]);
  expect(readdirSync(out)).toEqual(["tokens.txt"]);
});

test("a hook of version 3.2 that zmes runs from its old file gets today's switch and lists", async () => {
  const { out } = aServer();
  const old = join(import.meta.dirname, "../fixtures/originals/3.2/etc/zm/zmeventnotification.ini");
  await run("--to", "7", "--out", out, "--config", old);
  const text = readFileSync(join(out, "zmeventnotification.yml"), "utf8");
  expect(text).toContain("use_hooks: yes");
  expect(text).toContain('event_start_notify_on_hook_success: "all"');
});

test.runIf(process.getuid?.() === 0)("root is not led through a link to a file of its own", async () => {
  const { folder, config, out } = aServer();
  writeFileSync(join(folder, "of-root"), "root:planted:1:0:9:7:::\n", { mode: 0o600 });
  rmSync(join(folder, "phones.txt"));
  symlinkSync(join(folder, "of-root"), join(folder, "phones.txt"));
  expect((await run("--to", "7", "--out", out, "--config", config)).out).toContain("cannot read it");
  expect(readdirSync(out)).not.toContain("tokens.txt");
});

test("a value that begins with ! does not become the name of a secret", async () => {
  const { folder, out } = aServer();
  const config = join(folder, "old.ini");
  writeFileSync(config, "[mqtt]\nenable = 1\nusername = !alice\n[ssl]\nenable = 0\n");
  await run("--to", "7", "--out", out, "--config", config);
  expect(loadConfig({ path: join(out, "zmeventnotification.yml") }).config.mqtt.username).toBe("!alice");
});

test("called wrongly it says so", async () => {
  for (const argv of [[], ["--to", "5"], ["--too", "7"], ["now"]]) expect((await run(...argv)).code).toBe(2);
  expect((await run("--to", "7", "--config", "/nowhere.yml")).err).toContain("/nowhere.yml");
});
