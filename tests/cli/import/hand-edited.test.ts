/** Originals as years of editing by hand leave them: whatever means something else now is told, with its place. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { machine, planFor, rowOf } from "./support.ts";

const YAML = "etc/zm/zmeventnotification.yml";
const INI = "etc/zm/zmeventnotification.ini";
const TOKENS = "var/lib/zmeventnotification/push/tokens.txt";

async function lossesOf(root: string): Promise<readonly string[]> {
  return (await planFor(root)).losses.map(({ what, restore }) => `${what} -> ${restore}`);
}

describe("lists of phones", () => {
  const why = async (tokens: string) => {
    const plan = await planFor(machine("5.15", { [TOKENS]: tokens }));
    return plan.rows.find(({ what }) => what.startsWith("phones"))?.why ?? "";
  };

  test("of -1 and 0 meant no camera in a file with colons, and are told to mean all", async () => {
    expect(await why("a:-1:-1:ios:enabled\nb:0:0:ios:enabled\nc:1,2:0,0:ios:enabled\n")).toContain(
      "2 with the list -1 or 0 were told of no camera by versions 1.0 to 5",
    );
    expect(await why("c:1,2:0,0:ios:enabled\nd:::ios:enabled\n")).not.toContain("list");
  });

  test("with blanks, and pauses for every camera, are told to mean something else", async () => {
    const said = await why("a:1, 2:0,0:ios:enabled\nb::0,60:ios:enabled\nc::0:ios:enabled\n");
    expect(said).toMatch(/1 with blanks.*1 without a list of cameras had a pause/);
  });

  test("in a file of version 6 and later mean the same", async () => {
    const tokens = '{"tokens":{"a":{"monlist":"-1","intlist":"-1","platform":"ios","pushstate":"enabled"}}}';
    expect(await why(tokens)).toBe("");
  });
});

test("phones that cannot be read are no longer told, and that is said", async () => {
  const config = "[ssl]\nenable = no\n[fcm]\nenable = yes\n";
  const damaged = await lossesOf(machine(null, { [INI]: config, [TOKENS]: '{"tok' }));
  expect(damaged).toContainEqual(expect.stringMatching(/No phone.*damaged.*-> open the app/));
  const odd = await lossesOf(machine(null, { [INI]: config, [TOKENS]: "a:::ios:enabled\nwhat is this\n" }));
  expect(odd).toContainEqual(expect.stringMatching(/1 line of.*cannot be read.*-> open the app/));
});

describe("rules", () => {
  const rules = (text: string, config = YAML) =>
    machine(null, {
      [config]: config === YAML ? "ssl: {enable: no}\ncustomize: {es_rules: /etc/zm/r}\n" : V6,
      "etc/zm/r": text,
    });
  const V6 = "[ssl]\nenable = no\n[customize]\nuse_hooks = no\nes_rules = /etc/zm/r\n";
  const oneRule = (rule: string) => `{"notifications":{"monitors":{"4":{"rules":[${rule}]}}}}`;

  test("that mute over midnight mute more, and the line that restores it is named", async () => {
    const root = rules(oneRule('{"from":"9:30 pm","to":"1:00 am","action":"mute"}'));
    expect(await lossesOf(root)).toContainEqual(
      expect.stringMatching(/before midnight as well.*-> from: "00:00" \(in \/etc\/zm\/r: .*4, rule 1/),
    );
  });

  test("that mute without times mute all day, and the line that restores it is named", async () => {
    const root = rules(oneRule('{"comment":"cats","cause_has":"cat","action":"mute"}'));
    expect(await lossesOf(root)).toContainEqual(
      expect.stringMatching(/mute all day.*-> from: "00:00", to: "00:00" .*rule 1 \(cats\)/),
    );
  });

  test("that mute nothing keep nothing from anybody", async () => {
    const root = rules(oneRule('{"cause_has":"cat","action":"critical_notify"}'));
    expect((await lossesOf(root)).join()).not.toContain("rule");
  });

  const withComment = `// mine\n${oneRule('{"from":"1:00 am","to":"2:00 am","action":"mute"}')}`;
  test.each([
    ["6", INI, withComment],
    ["7", YAML, withComment],
    ["6", INI, oneRule('{"from":"1:00 am","to":"2:00 am","action":"mute"},')],
  ])(
    "that version %s could not read at all hold from now on, and that is said (%s)",
    async (version, config, text) => {
      const root = rules(text, config);
      expect(await lossesOf(root)).toContainEqual(
        expect.stringMatching(
          new RegExp(`Version ${version} could not read.*1 rule.*mute.*-> customize.es_rules: ~`),
        ),
      );
      expect(rowOf(await planFor(root), "rules (1)")).toMatchObject({ outcome: "changed" });
    },
  );
});

describe("a value that cannot be used", () => {
  test("is told with its place, what holds instead, and what is expected", async () => {
    const ini = "[ssl]\nenable = 0\n[mqtt]\nenable = enabled # the broker\n[general]\nsecrets = s.ini\n";
    const root = machine(null, {
      [INI]: `${ini}[network]\nport = !NO_SUCH\n`,
      "etc/zm/s.ini": "[secrets]\nOTHER = 1\n",
    });
    const losses = await lossesOf(root);
    expect(losses).toContainEqual(
      expect.stringMatching(
        /mqtt\.enable \(\/etc\/zm\/zmeventnotification\.ini:4\).*so no holds.*-> mqtt\.enable: \(yes or no\)/,
      ),
    );
    expect(losses).toContainEqual(
      expect.stringMatching(/network\.port.*so 9000 holds.*not in \/etc\/zm\/s\.ini/),
    );
    expect(losses.join()).not.toContain(root);
  });

  test("of a file in Latin-1 is not written with another character in it", async () => {
    const root = machine(null, {});
    const file = join(root, INI);
    mkdirSync(join(root, "etc/zm"), { recursive: true });
    writeFileSync(
      file,
      Buffer.from("[ssl]\nenable = 0\n[mqtt]\nenable = 1\npassword = s\u00fcplanted\n", "latin1"),
    );
    const plan = await planFor(root);
    expect(rowOf(plan, "mqtt.password")).toMatchObject({
      outcome: "not used",
      why: expect.stringContaining("not UTF-8"),
    });
    expect(`${plan.config}${plan.secrets}`).not.toContain("planted");
  });
});

describe("in YAML", () => {
  test("a key that is given twice is told with what version 7 made of it", async () => {
    const root = machine(null, { [YAML]: "ssl: {enable: no}\nnetwork:\n  port: 9001\n  port: 9002\n" });
    const plan = await planFor(root);
    expect(plan.rows.find(({ where }) => where.endsWith(":4"))?.why).toContain("version 7 went by the last");
    expect(await lossesOf(root)).toContainEqual(
      expect.stringContaining(`${`/${YAML}`}:4: port is given twice`),
    );
    expect(plan.config).toContain("port: 9001");
  });

  test("of a section that is given twice, the line counts that is said to", async () => {
    const root = machine(null, {
      [YAML]: "ssl: {enable: no}\nnetwork:\n  port: 9001\nnetwork:\n  port: 9002\n",
    });
    const plan = await planFor(root);
    const rows = plan.rows.filter(({ what }) => what === "network.port");
    expect(rows.map(({ outcome, where }) => [outcome, where])).toEqual([
      ["taken", `/${YAML}:5`],
      ["not used", `/${YAML}:3`],
    ]);
    expect(rows.at(-1)?.why).toContain("line 5");
    expect(plan.config).toContain("port: 9002");
  });
});

test("the script of the instructions of 3.2 is known as one for detection", async () => {
  const hook = "[ssl]\nenable = 0\n[hook]\nhook_script = '/usr/bin/person_detect_wrapper.sh'\n";
  expect((await planFor(machine(null, { [INI]: hook }))).detection.join("\n")).toContain("enable: yes");
});

describe("paths", () => {
  const config = "ssl: {enable: no}\nfcm: {enable: no}\n";

  test("with blanks are found", async () => {
    const yaml = `${config}customize: {es_rules: /etc/zm/my rules.yml}\nhook: {event_start_hook: "'/opt/my hooks/run.sh' -x"}\n`;
    const root = machine(null, { [YAML]: yaml, "etc/zm/my rules.yml": "", "opt/my hooks/run.sh": "" });
    expect((await lossesOf(root)).join()).not.toMatch(/rules|run\.sh/);
  });

  test("of a script that another one stands for are not looked for", async () => {
    const yaml = `${config}hook: {hook_script: /opt/gone.sh, event_start_hook: /opt/run.sh}\n`;
    const losses = await lossesOf(machine(null, { [YAML]: yaml, "opt/run.sh": "" }));
    expect(losses.join()).not.toContain("gone.sh");
  });

  test("that are not whole are told, and so is a quote that is not closed", async () => {
    const yaml = `${config}hook: {event_start_hook: ./start.sh, event_end_hook: "'/opt/x"}\n`;
    const losses = await lossesOf(machine(null, { [YAML]: yaml }));
    expect(losses).toContainEqual(
      expect.stringMatching(/^\.\/start\.sh .* -> hook\.event_start_hook: its whole path/),
    );
    expect(losses).toContainEqual(expect.stringMatching(/^hook\.event_end_hook .*quote/));
  });
});

test("a file of secrets that keeps the server from starting is left alone", async () => {
  const ini =
    "[general]\nsecrets = /etc/zm/s.ini\n[ssl]\nenable = no\n[mqtt]\npassword = planted\nusername = !USER\n";
  const root = machine(null, { [INI]: ini, "etc/zm/s.ini": "USER = bob\n" });
  const plan = await planFor(root);
  expect([plan.problems, plan.config]).toEqual([[], expect.not.stringContaining("secrets: /etc/zm/s.ini")]);
  expect(await lossesOf(root)).toContainEqual(expect.stringContaining("mqtt.username"));
});

test("what was on because no meant yes is off, and the line that restores it is named", async () => {
  const ini = "[ssl]\nenable = no\n[mqtt]\nenable = off\n[customize]\nverbose = no\n";
  const losses = await lossesOf(machine(null, { [INI]: ini }));
  expect(losses).toContainEqual(expect.stringMatching(/^ssl\.enable \(.*:2\) was on.* -> ssl\.enable: yes/));
  expect(losses).toContainEqual(
    expect.stringMatching(/^mqtt\.enable \(.*:4\) was on.* -> mqtt\.enable: yes/),
  );
  expect(losses.join()).not.toContain("verbose");
});
