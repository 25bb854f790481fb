/** What changes its meaning, and what no longer reaches people, is said with the line that restores it. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { machine, planFor, rowOf } from "./support.ts";

const lossesOf = async (root: string) =>
  (await planFor(root)).losses.map(({ what, restore }) => `${what} -> ${restore}`);

/** An installation of version 7 with these lines, TLS off. */
function version7(sections: string, files: Readonly<Record<string, string>> = {}): string {
  const text = `ssl:\n  enable: no\n${sections}`;
  return machine(null, { "etc/zm/zmeventnotification.yml": text, ...files });
}

describe("a hook of versions 1.5 to 4", () => {
  test("is switched on, and its exit code goes on deciding for everybody", async () => {
    const { config } = await planFor(machine("3.2"));
    expect(config).toMatch(/use_hooks: yes/);
    expect(config).toMatch(/event_start_notify_on_hook_success: \[all\]/);
    expect(config).toMatch(/event_start_notify_on_hook_fail: \[none\]/);
  });

  test("is said to put its text before the cause", async () => {
    const plan = await planFor(machine("3.2"));
    expect(rowOf(plan, "hook.hook_script")).toMatchObject({
      outcome: "changed",
      why: expect.stringContaining("before the cause"),
    });
  });

  test("of version 5 nothing is added to", async () => {
    const { rows } = await planFor(machine("5.15"));
    expect(rows.filter(({ why }) => why.includes("versions 1.5 to 4"))).toEqual([]);
  });
});

test("the settings of 3.2 without their [mqtt] header are not taken for those of push", async () => {
  const plan = await planFor(machine("3.2"));
  expect(plan.config).toMatch(/fcm:\n {2}enable: yes/);
  expect(rowOf(plan, "fcm.server")).toMatchObject({
    outcome: "not used",
    why: expect.stringContaining("header is missing"),
  });
});

test("a word that the original read as yes is told with its line", async () => {
  const row = rowOf(await planFor(machine("1.5")), "customize.verbose");
  expect(row).toMatchObject({ outcome: "changed", where: "/etc/zmeventnotification.ini:27" });
});

describe("phones", () => {
  test("of 1.0 are found where that version kept them, although its file does not say so", async () => {
    const plan = await planFor(machine("1.5"));
    expect(plan.copyTokens).toMatchObject({ to: "/var/lib/zmeventnotification/push/tokens.txt" });
    expect(plan.phones).toBe(1);
  });

  test("in the misspelt folder of 3.2 are copied to the right one", async () => {
    const root = machine("3.2");
    const plan = await planFor(root);
    expect(plan.copyTokens?.from).toBe(join(root, "var/lib/zmeeventnotification/push/tokens.txt"));
    expect(plan.config).toContain("token_file: /var/lib/zmeventnotification/push/tokens.txt");
  });

  test("of 6 and 7 stay in the file where they are", async () => {
    expect((await planFor(machine("7.0"))).copyTokens).toBeNull();
  });

  test("in a damaged file are said to be lost", async () => {
    const root = version7("fcm:\n  enable: yes\n", {
      "var/lib/zmeventnotification/push/tokens.txt": '{"tok',
    });
    expect(rowOf(await planFor(root), "phones")).toMatchObject({
      outcome: "not used",
      why: expect.stringContaining("damaged"),
    });
  });
});

describe("what no longer reaches people", () => {
  test("phones without a key for push: where the original has it", async () => {
    const root = machine("7.0", { "etc/zm/zmeventnotification.yml": "fcm:\n  enable: yes\n" });
    expect(await lossesOf(root)).toContainEqual(
      expect.stringMatching(/Push does not work, so 3 phones.*grep DEFAULT_FCM_V1 \/usr\/share\/perl5/),
    );
  });

  test("phones with a key of the legacy interface", async () => {
    expect(await lossesOf(machine("1.5"))).toContainEqual(
      expect.stringMatching(/legacy interface.*fcm\.fcm_v1_url/),
    );
  });

  test("pictures whose address has a password in it", async () => {
    expect(await lossesOf(machine("2.2"))).toContainEqual(
      expect.stringMatching(/no picture.*pictures\.public_url/),
    );
    expect(await lossesOf(machine("1.0"))).not.toContainEqual(expect.stringContaining("picture"));
  });

  test("phones that belong to nobody, after a month", async () => {
    expect(await lossesOf(machine("3.3"))).toContainEqual(
      expect.stringMatching(/1 phone is nobody's.*devices\.adopt_days/),
    );
  });

  test("a certificate that is not there", async () => {
    expect(await lossesOf(machine("1.0"))).toContainEqual(
      expect.stringContaining("/etc/apache2/ssl/zoneminder.crt is not there"),
    );
  });

  test("a script that is not there", async () => {
    expect(await lossesOf(machine("6.1"))).toContainEqual(
      expect.stringContaining("bin/zm_event_start.sh (hook.event_start_hook) is not there"),
    );
    expect(await lossesOf(machine("5.15"))).not.toContainEqual(expect.stringContaining("zm_event_start.sh"));
  });

  test("what escontrol muted", async () => {
    expect(await lossesOf(machine("5.15"))).toContainEqual(expect.stringContaining("by escontrol"));
  });

  test("models that the built-in detector has no engine for, when it takes the script's place", async () => {
    const lost = async (version: string, detection: boolean) =>
      (await planFor(machine(version), { detection })).losses.map(({ what }) => what);
    const coral = expect.stringMatching(/object\.sequence\[0\] in line 10 \(a Coral TPU is not used/);
    expect(await lost("6.1", true)).toContainEqual(coral);
    // It is asked: Plate Recognizer.
    expect((await lost("6.1", true)).join("\n")).not.toContain("alpr");
    expect(await lost("6.1", false)).not.toContainEqual(coral);
    expect((await lost("7.0", true)).join("\n")).not.toContain("built-in detector");
  });

  test("an objectconfig of which nothing can be used is not named, and the table says why", async () => {
    const coral = "[object]\nobject_framework = coral_edgetpu\nobject_weights = /x.tflite\n";
    const root = machine("6.1", { "etc/zm/objectconfig.ini": coral });
    const plan = await planFor(root, { detection: true });
    expect(rowOf(plan, "objectconfig")).toMatchObject({
      outcome: "not used",
      why: expect.stringMatching(/^\/etc\/zm\/objectconfig\.ini it names no model/),
    });
    expect(plan.config).toMatch(/^detection:\n {2}enable: yes\n$/m);
  });

  test.each([
    ["  tls_ca: /etc/ca.pem\n", "TLS"],
    ['  server: "http://broker"\n', "mqtt.server"],
  ])("MQTT with a mistake of the operator's own: %j", async (lines, said) => {
    const plan = await planFor(version7(`mqtt:\n  enable: yes\n${lines}`));
    expect(JSON.stringify([plan.losses, plan.problems])).toContain(said);
  });

  test("nothing, where all is well", async () => {
    expect(await lossesOf(version7("fcm:\n  enable: no\n"))).toEqual([]);
  });
});

test("rules that hold at other times than before are counted", async () => {
  const plan = await planFor(machine("6.1"));
  expect(rowOf(plan, "rules (2)")).toMatchObject({
    outcome: "changed",
    where: "/etc/zm/es_rules.json",
    why: expect.stringMatching(/1 over midnight.*1 without times/),
  });
});

test("a secret that cannot be found costs its line, with the reason", async () => {
  const root = version7(
    'mqtt:\n  enable: yes\n  password: "!NOT_THERE"\ngeneral:\n  secrets: /etc/zm/s.yml\n',
    {
      "etc/zm/s.yml": "secrets:\n  OTHER: x\n",
    },
  );
  const row = rowOf(await planFor(root), "mqtt.password");
  expect(row).toMatchObject({ outcome: "not used", where: "/etc/zm/zmeventnotification.yml:5" });
});

test("a section and a key that nobody knows are told", async () => {
  const { rows } = await planFor(version7("network:\n  prot: 9000\nmine:\n  a: b\n"));
  const told = rows.filter(({ outcome }) => outcome === "not used").map(({ what }) => what);
  expect(told).toEqual(expect.arrayContaining(["network.prot", "mine.a"]));
});

test("phones of a copied folder go into an empty token file, and not over one that has some", async () => {
  const backup = machine("7.0");
  const from = [join(backup, "etc/zm"), join(backup, "var/lib/zmeventnotification/push")];
  const place = "var/lib/zmeventnotification/push/tokens.txt";
  const empty = await planFor(machine(null, { [place]: '{"tokens":{}}' }), { from });
  expect(empty.copyTokens).toEqual({ from: join(backup, place), to: `/${place}` });
  const filled = await planFor(machine(null, { [place]: "a:b:::ios:enabled\n" }), { from });
  expect(filled.copyTokens).toBeNull();
});

test("where ZoneMinder's own configuration is elsewhere, as on Fedora, the new file says so", async () => {
  const plan = await planFor(machine("7.0", { "etc/zm.conf": "ZM_WEB_USER=apache\n" }));
  expect(plan.config).toContain(
    "zoneminder:\n  # ZoneMinder's own configuration is there\n  config: /etc/zm.conf\n",
  );
});

test("a value that would be read differently is left out and named", async () => {
  const ini =
    "[ssl]\nenable = 0\n[mqtt]\nenable = yes\ntopic = home\nusername = {{topic}}\nserver = {{username}}\n";
  const plan = await planFor(machine(null, { "etc/zm/zmeventnotification.ini": ini }));
  expect(rowOf(plan, "mqtt.server")).toMatchObject({
    outcome: "not used",
    why: expect.stringContaining("by hand"),
  });
  expect(plan.config).not.toContain("server:");
  expect(plan.config).toContain("username: home");
});

test("of a key under its old and its present name, the old line is said not to be used", async () => {
  const ini = "[ssl]\nenable = 0\n[hook]\nskip_monitors = 1\nhook_skip_monitors = 2\n";
  const plan = await planFor(machine(null, { "etc/zm/zmeventnotification.ini": ini }));
  expect(rowOf(plan, "hook.skip_monitors")).toMatchObject({ outcome: "not used" });
  expect(rowOf(plan, "hook.hook_skip_monitors")).toMatchObject({ outcome: "taken" });
  expect(plan.config).toContain("hook_skip_monitors: [2]");
});
