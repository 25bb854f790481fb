import { describe, expect, test } from "vitest";
import { readRules } from "../../src/config/rules-file.ts";
import { createRuleCooldowns } from "../../src/domain/rule-cooldowns.ts";
import { decideByRules, type RuleQuestion, type RuleSet, rulesFor } from "../../src/domain/rules.ts";
import { mid } from "../support/builders.ts";

/** Rules as people write them; each list is a list of rules in YAML's flow form. */
function rulesOf(lists: { monitors?: Record<string, string>; groups?: Record<string, string> }): RuleSet {
  const part = (name: string, part_: Record<string, string> = {}) =>
    `  ${name}:\n${Object.entries(part_).map(([key, list]) => `    "${key}": { rules: [${list}] }\n`)}`;
  const text = `notifications:\n${part("monitors", lists.monitors)}${part("groups", lists.groups)}`;
  return readRules(text.replaceAll("\n,", "\n")).rules;
}

const noon = new Date(2026, 0, 14, 12, 0).getTime(); // a Wednesday

function ask(rules: RuleSet, change: Partial<Parameters<typeof decideByRules>[1]> = {}) {
  return decideByRules(rules, { monitor: mid(4), groups: [], cause: "Motion All", at: noon, ...change });
}

describe("rules", () => {
  test("without any, the alarm is told", () => {
    expect(ask(rulesOf({}))).toMatchObject({ outcome: "none", rule: null });
  });

  test("the first one that matches decides", () => {
    const rules = rulesOf({
      monitors: { 4: "{ action: mute, from: '1 pm' }, { action: critical_notify }, { action: mute }" },
    });
    expect(ask(rules)).toMatchObject({ outcome: "critical", rule: "monitors 4, rule 2" });
  });

  test("without times hold all day", () => {
    const rules = rulesOf({ monitors: { 4: "{ action: mute }" } });
    for (let hour = 0; hour < 24; hour++)
      expect(ask(rules, { at: new Date(2026, 0, 14, hour, 17).getTime() }).outcome).toBe("mute");
  });

  test("of one monitor are none of another", () => {
    expect(ask(rulesOf({ monitors: { 5: "{ action: mute }" } })).outcome).toBe("none");
  });

  test("those of the monitor come before those of its groups, and those for all come last", () => {
    const all = "{ action: mute, comment: all }";
    const groups = { outside: "{ action: critical_notify, comment: group }", "3": "{ action: mute }" };
    expect(ask(rulesOf({ monitors: { "*": all } })).rule).toBe("monitors *, rule 1 (all)");
    expect(ask(rulesOf({ monitors: { all }, groups }), { groups: ["Outside"] }).rule).toBe(
      "groups outside, rule 1 (group)",
    );
    expect(ask(rulesOf({ monitors: { all }, groups }), { groups: ["3", "Inside"] }).outcome).toBe("mute");
    const own = { 4: "{ action: notify }", all };
    expect(ask(rulesOf({ monitors: own, groups }), { groups: ["Outside"] })).toMatchObject({
      outcome: "none",
      rule: "monitors 4, rule 1",
    });
  });

  test("search the cause whatever its case", () => {
    const rules = rulesOf({ monitors: { 4: "{ action: mute, cause_has: '^(?!.*(person)).*$' }" } });
    expect(ask(rules, { cause: "Motion: CAR" }).outcome).toBe("mute");
    expect(ask(rules, { cause: "detected:PERSON:97%" }).outcome).toBe("none");
  });

  test("for a channel pass over the others, and over recipients nobody knows", () => {
    const rules = rulesOf({ monitors: { 4: "{ action: mute, channels: [fcm, api] }" } });
    expect(ask(rules, { channel: "fcm" }).outcome).toBe("mute");
    expect(ask(rules, { channel: "script" }).outcome).toBe("mute");
    expect(ask(rules, { channel: "web" }).outcome).toBe("none");
    expect(ask(rules).outcome).toBe("none");
  });

  test("for a device know it by its user or by the end of its token", () => {
    const rules = rulesOf({ monitors: { 4: "{ action: mute, devices: [Anna, ...aa2baa57e387] }" } });
    const of = (user: string | null, token: string | null) => ask(rules, { device: { user, token } }).outcome;
    expect(of("anna", null)).toBe("mute");
    expect(of("hanna", null)).toBe("none");
    expect(of("bert", "cQx:APA91bFaa2baa57e387")).toBe("mute");
    expect(of("bert", "57e387")).toBe("mute");
    expect(of("bert", "cQx:APA91bFaa2baa57e388")).toBe("none");
    expect(of(null, "e387")).toBe("none");
    expect(ask(rules).outcome).toBe("none");
  });

  test("say every test they made", () => {
    const rules = rulesOf({
      monitors: {
        4: "{ comment: a, action: mute, from: '11:00', to: '13:00', daysofweek: Mon }, { action: mute, cause_has: person }",
      },
    });
    expect(ask(rules).why).toEqual([
      "monitors 4, rule 1 (a): time 11:00 to 13:00: yes (it is 12:00:00); days Mon: no (Wed)",
      'monitors 4, rule 2: cause has /person/: no ("Motion All")',
      "no rule matches",
    ]);
  });

  test("never show a whole token", () => {
    const token = `cQx:APA91b${"x".repeat(140)}aa2baa57e387`;
    const { why } = ask(rulesOf({ monitors: { 4: `{ action: mute, devices: ['${token}'] }` } }));
    expect(why.join()).not.toContain("xxxxxxxxx");
    expect(why.join()).toContain("...2baa57e387");
  });

  test("that cannot be read end the search, and the alarm is told", () => {
    const rules = rulesOf({
      monitors: { 4: "{ action: mute, from: '13:00' }, { action: quiet }, { action: mute }" },
    });
    expect(ask(rules)).toMatchObject({ outcome: "none", rule: "monitors 4, rule 2" });
    expect(ask(rules, { at: noon + 3_600_000 }).outcome).toBe("mute");
  });

  test("give one and the same decision to all recipients where none of them is asked for", () => {
    const question: RuleQuestion = { monitor: mid(4), groups: [], cause: "", at: noon };
    const tell = rulesFor(
      rulesOf({ monitors: { 4: "{ action: mute }, { action: mute, channels: fcm }" } }),
      question,
    );
    expect(tell({ channel: "fcm" })).toBe(tell({ channel: "web" }));
  });

  test("for a channel give one decision to all on it, and for a device one to each", () => {
    const question: RuleQuestion = { monitor: mid(4), groups: [], cause: "", at: noon };
    const anna = { user: "anna", token: null };
    const bert = { user: "bert", token: null };
    const byChannel = rulesFor(rulesOf({ monitors: { 4: "{ action: mute, channels: fcm }" } }), question);
    expect(byChannel({ channel: "web", device: anna })).toBe(byChannel({ channel: "web", device: bert }));
    expect(byChannel({ channel: "fcm" }).outcome).toBe("mute");
    const byDevice = rulesFor(rulesOf({ monitors: { 4: "{ action: mute, devices: anna }" } }), question);
    expect(byDevice({ device: anna }).outcome).toBe("mute");
    expect(byDevice({ device: bert }).outcome).toBe("none");
  });
});

describe("a cooldown", () => {
  const rules = rulesOf({
    monitors: { all: "{ cooldown: 60, channels: [fcm, web] }, { action: mute, channels: mqtt }" },
  });

  function site() {
    const cooldowns = createRuleCooldowns();
    return (at: number, monitor = mid(4), isTold = true) => {
      const question = { monitor, groups: [], cause: "", at, lastToldAt: cooldowns.of(monitor) };
      const decision = decideByRules(rules, { ...question, channel: "fcm" });
      if (decision.outcome === "none" && isTold) cooldowns.told(monitor, decision, at);
      return decision.outcome;
    };
  }

  test("mutes what comes too soon after an alarm that was told, and counts from that one", () => {
    const alarm = site();
    expect([0, 30, 59, 60, 100, 120].map((s) => alarm(noon + s * 1000))).toEqual([
      "none",
      "cooldown",
      "cooldown",
      "none",
      "cooldown",
      "none",
    ]);
  });

  test("is of each monitor alone", () => {
    const alarm = site();
    expect([alarm(noon), alarm(noon + 1, mid(5)), alarm(noon + 2)]).toEqual(["none", "none", "cooldown"]);
  });

  test("does not begin with an alarm that nobody was told of", () => {
    const alarm = site();
    expect([alarm(noon, mid(4), false), alarm(noon + 1)]).toEqual(["none", "none"]);
  });

  test("holds nothing back from the other recipients of the same alarm", () => {
    const alarm = site();
    expect([alarm(noon), alarm(noon), alarm(noon + 1)]).toEqual(["none", "none", "cooldown"]);
  });

  test("forgets what lies in the future: the clock was set back", () => {
    const alarm = site();
    expect([alarm(noon), alarm(noon - 5000), alarm(noon - 4000)]).toEqual(["none", "none", "cooldown"]);
  });

  test("goes together with critical_notify", () => {
    const critical = rulesOf({ monitors: { 4: "{ action: critical_notify, cooldown: 60 }" } });
    expect(ask(critical).outcome).toBe("critical");
    expect(ask(critical, { lastToldAt: () => noon - 59_000 }).outcome).toBe("cooldown");
    expect(ask(critical, { lastToldAt: () => noon - 60_000 }).outcome).toBe("critical");
  });
});
