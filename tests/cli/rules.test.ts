// `zmes rules test` and `zmes rules replay`, and what --check-config says of a rules file.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkConfig } from "../../src/cli/check-config.ts";
import { parseRulesOptions } from "../../src/cli/rules/options.ts";
import { replayRules } from "../../src/cli/rules/replay.ts";
import { readRules } from "../../src/config/rules-file.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { aFolder } from "../config/temporary-files.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { testIo } from "../support/command-io.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel } from "../support/fake-channel.ts";
import { aDecision, createOutboxSite, type OutboxSite } from "../support/outbox.ts";

const NIGHT = `notifications:
  monitors:
    1:
      rules:
        - comment: night
          from: 9:30 pm
          to: 6 am
          cause_has: "^(?!.*person)"
          action: mute
    all:
      rules:
        - channels: [fcm]
          action: critical_notify
`;

let site: OutboxSite;

beforeEach(async () => {
  // The alarms of these tests are of a certain day, however long ago.
  site = createOutboxSite([createFakeChannel()], { keep: 36_500 });
  await site.start();
  // The folder belongs to whoever runs the tests; the command becomes the owner that zm.conf names.
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  writeFileSync(join(site.folder, "zm.conf"), `ZM_WEB_USER=${user}\nZM_WEB_GROUP=${user}\n`);
  writeFileSync(join(site.folder, "rules.yml"), NIGHT);
  configure(`customize:\n  es_rules: ${site.folder}/rules.yml\n`);
});
afterEach(() => site.remove());

function configure(text: string): void {
  const folder = site.folder;
  const own = `general:\n  base_data_path: ${folder}\nzoneminder:\n  config: ${folder}/zm.conf\n`;
  writeFileSync(join(folder, "zmes.yml"), own + text);
}

/** A process of its own: as root it becomes another user, for good. */
function zmes(...args: readonly string[]) {
  const program = join(import.meta.dirname, "../../src/main.ts");
  const all = [program, "rules", ...args, "--config", join(site.folder, "zmes.yml")];
  const env = { ...process.env, TZ: "Europe/Berlin" };
  const { stdout, stderr, status } = spawnSync(process.execPath, all, { encoding: "utf8", env });
  return { stdout, stderr, status };
}

describe("zmes rules test", () => {
  test("prints every test that was made, and which rule decides", () => {
    const { stdout, status } = zmes(
      "test",
      "--monitor",
      "1",
      "--at",
      "2026-03-28 23:10",
      "--cause=Motion All",
    );
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        'Monitor 1, Saturday 2026-03-28 23:10:00, cause "Motion All"',
        '  monitors 1, rule 1 (night): time 9:30 pm to 6 am: yes (it is 23:10:00); cause has /^(?!.*person)/: yes ("Motion All")',
        "  monitors 1, rule 1 (night) decides: muted",
        "Decision: muted, by monitors 1, rule 1 (night).",
        "",
      ].join("\n"),
    );
  });

  test("says when the clocks leave the time out", () => {
    const { stdout } = zmes("test", "--monitor", "1", "--at", "2026-03-29 02:30", "--cause", "Motion");
    expect(stdout).toContain("Sunday 2026-03-29 03:30:00");
    expect(stdout).toContain("The clocks leave this time out");
  });

  test("answers for each channel where that matters, or for the one it is asked about", () => {
    const asked = ["test", "--monitor", "1", "--at", "12:00"];
    const { stdout } = zmes(...asked);
    expect(stdout).toContain(
      "On channel web: told.\nOn channel fcm: told as critical, by monitors all, rule 1.\n",
    );
    expect(zmes(...asked, "--channel", "fcm").stdout).toMatch(
      /Decision: told as critical, by monitors all, rule 1\.\n$/,
    );
  });

  test("takes the groups the server saw last, or those it is given", async () => {
    const rules = "notifications: { groups: { Outside: { rules: [{ action: mute }] } } }\n";
    writeFileSync(join(site.folder, "rules.yml"), rules);
    site.store.putFact("monitors", { monitors: [{ id: 1, groups: ["3", "Outside"] }], version: null });
    await site.store.flush();
    expect(zmes("test", "--monitor", "1").stdout).toMatch(
      /^Monitor 1 \(groups 3, Outside\), [\s\S]*Decision: muted, by groups Outside, rule 1\.\n$/,
    );
    expect(zmes("test", "--monitor", "2").stdout).toMatch(/Decision: told\.\n$/);
    expect(zmes("test", "--monitor", "2", "--group", "outside").stdout).toMatch(/Decision: muted/);
  });

  test("names the line of a mistake in a draft, and exits with 1", () => {
    const draft = join(site.folder, "draft.yml");
    writeFileSync(draft, NIGHT.replace("9:30 pm", "half nine"));
    const { stdout, stderr, status } = zmes("test", "--monitor", "1", "--file", draft);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `${draft}:6 monitors 1, rule 1: from: expected a time such as 9:30 pm or 21:30, got "half nine"\n`,
    );
    expect(stdout).toContain("it could not be read (line 5)");
  });

  test("says what it takes, and when there are no rules", () => {
    expect(zmes("test")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--monitor N is missing"),
    });
    expect(zmes("tset", "--monitor", "1")).toMatchObject({ status: 2 });
    expect(zmes("test", "--monitor", "1", "--at", "noon").stderr).toContain("--at takes a local time");
    configure("");
    expect(zmes("test", "--monitor", "1")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("customize.es_rules is not set"),
    });
  });

  test.each(["2026-02-30 10:00", "24:00", "10:60", "2026-13-01 10:00", "tomorrow"])(
    "refuses --at %s",
    (text) => {
      expect(parseRulesOptions(["--at", text], 0)).toContain("--at takes");
    },
  );
});

describe("zmes rules replay", () => {
  test("says of past alarms who would be told otherwise", async () => {
    const people = [aPerson("27a387"), aPerson("9f665f", { monitors: new Set([mid(7)]) })];
    const alarms = [
      anAlarm({ eventId: eid(5060), seenAt: Date.parse("2026-03-28T23:10:00+01:00") }),
      anAlarm({
        eventId: eid(5061),
        seenAt: Date.parse("2026-03-29T12:00:00+02:00"),
        monitor: aMonitor({ id: mid(2) }),
      }),
    ];
    for (const alarm of alarms) {
      site.outbox.put([aDecision(alarm, people)]);
      site.outbox.noteSockets([{ alarm, counts: { told: 2, refused: {} } }]);
    }
    await site.store.flush();
    await eventually(() => expect(site.deliveries(5061)).toHaveLength(2));
    const { stdout, status } = zmes("replay");
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        "2026-03-28 23:10:00.000 event 5060, Garage (monitor 1), Motion All",
        "  2 on sockets, phone ...27a387: would be muted (monitors 1, rule 1 (night))",
        "2026-03-29 12:00:00.000 event 5061, Garage (monitor 2), Motion All",
        "  phone ...27a387: would be told as critical (monitors all, rule 1)",
        "2 alarms from 2026-03-28 23:10:00.000 to 2026-03-29 12:00:00.000: 2 would be told otherwise.",
        "",
      ].join("\n"),
    );
    expect(zmes("replay", "--last", "1").stdout).toMatch(/^2026-03-29[\s\S]*1 alarm from [\s\S]*: 1 would/);
  });

  test("counts a cooldown from alarm to alarm, and leaves out whom rules have no say about", () => {
    const { rules } = readRules("notifications: { monitors: { all: { rules: [{ cooldown: 60 }] } } }");
    const records = [0, 30, 70].map((second) => ({
      alarm: anAlarm({ seenAt: second * 1000 }),
      withheld: null,
      sockets: { told: 1, refused: { "too-soon": 3 } },
      deliveries: [],
    }));
    const lines = replayRules(rules, records);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe("  1 on sockets: would be muted (monitors all, rule 1, cooldown)");
    expect(lines[2]).toMatch(/^3 alarms from .*: 1 would be told otherwise\.$/);
  });

  test("has nothing to say without a past", () => {
    expect(zmes("replay")).toMatchObject({ status: 0, stdout: "No past alarm is known.\n" });
    expect(zmes("replay", "--last", "0")).toMatchObject({ status: 2 });
  });

  test("reads the history beside the running server", () => {
    const history = openHistory(site.file, { write: false });
    expect([history.lastAlarms(5), history.fact("nothing")]).toEqual([[], null]);
    history.close();
  });
});

test("--check-config names the lines of a broken rules file, and is content", async () => {
  const folder = aFolder({ "rules.yml": NIGHT.replace("action: mute", "action: silent") });
  const config = `general: { base_data_path: ${folder} }\nssl: { enable: no }\ncustomize: { es_rules: ${folder}/rules.yml }\n`;
  writeFileSync(join(folder, "zmes.yml"), config);
  const io = testIo();
  expect(await checkConfig.run(["--config", join(folder, "zmes.yml")], io)).toBe(0);
  expect(io.out()).toContain(
    `  ${folder}/rules.yml:9 monitors 1, rule 1: action: expected mute, critical_notify or notify, got "silent"\n`,
  );
  expect(io.out()).toContain(`${folder}/rules.yml is broken: only what can be read of the rules is used`);
  expect(io.out()).not.toContain("customize.es_rules: rules come");
});
