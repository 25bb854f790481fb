import { describe, expect, it } from "vitest";
import { type Briefing, createRefusals, decideFor, plainBriefing } from "../../src/domain/briefing.ts";
import { type Circumstances, decide, NOTHING_SPECIAL, type Refusal } from "../../src/domain/policy.ts";
import { anAlarm, aRecipient, mid } from "../support/builders.ts";

const under = (change: Partial<Circumstances>, recipient = aRecipient()) =>
  decide(anAlarm(), recipient, 0, { ...NOTHING_SPECIAL, ...change });
const elsewhere = aRecipient({ monitors: new Set([mid(2)]) });
const rule = (outcome: "none" | "mute" | "critical" | "cooldown") => ({
  rule: { outcome, rule: "monitors 1, rule 1" },
});

describe("circumstances", () => {
  it.each<[string, Partial<Circumstances>, Refusal]>([
    ["a mute", { control: "muted", ...rule("mute") }, "muted"],
    ["a muting rule", { ...rule("mute"), channel: "off" }, "rule"],
    ["a cooldown", rule("cooldown"), "rule"],
    ["a channel that is off", { channel: "off" }, "channel-off"],
    ["the answer of a hook", { channel: "hook-said-no" }, "hook-said-no"],
  ])("of %s keep an alarm back, before list and interval", (_, change, reason) => {
    expect(under(change)).toMatchObject({ send: false, reason });
    expect(under(change, elsewhere)).toMatchObject({ reason });
  });

  it("of an order to tell override list and interval, never permission", () => {
    const blind = aRecipient({ rights: new Set([mid(2)]) });
    expect(under({ control: "forced" }, elsewhere).send).toBe(true);
    expect(under({ control: "forced" }, blind)).toMatchObject({ reason: "not-permitted" });
    expect(under({ control: "forced", ...rule("mute") })).toMatchObject({ reason: "rule" });
  });

  it("name the rule in the trace, and mark what is critical", () => {
    expect(under(rule("mute")).trace).toContainEqual({
      test: "rule",
      passed: false,
      by: "monitors 1, rule 1",
    });
    expect(under(rule("critical"))).toMatchObject({ send: true, critical: true });
  });
});

describe("the end of an alarm", () => {
  const to = { channel: "fcm", user: null, token: null } as const;
  const briefing = (phase: "started" | "ended" | "updated", refusals = createRefusals()): Briefing => ({
    ...plainBriefing(anAlarm({ phase })),
    refusals,
  });

  it.each<[Refusal, boolean]>([
    ["not-permitted", false],
    ["monitor-off", false],
    ["too-soon", false],
    ["muted", false],
    ["rule", false],
    ["channel-off", true],
    ["hook-said-no", true],
  ])("after a start refused as %s is told: %s", (reason, isTold) => {
    const refusals = createRefusals([["a", reason]]);
    expect(decideFor(briefing("ended", refusals), "a", to, aRecipient(), 0).send).toBe(isTold);
    expect(decideFor(briefing("ended", refusals), "b", to, aRecipient(), 0).send).toBe(true);
    const update = decideFor(briefing("updated", createRefusals([["a", reason]])), "a", to, aRecipient(), 0);
    // Rules judge the final cause, so an update asks them again.
    expect(update.send).toBe(reason === "rule");
  });

  it("is told when a rule kept back the start, but not its update", () => {
    const refusals = createRefusals([["a", "rule"]]);
    const patient = aRecipient({ intervals: new Map([[mid(1), 60]]), lastTold: new Map([[mid(1), 0]]) });
    expect(decideFor(briefing("updated", refusals), "a", to, patient, 1_000)).toMatchObject({
      reason: "too-soon",
    });
    const again = createRefusals([["a", "rule"]]);
    expect(decideFor(briefing("updated", again), "a", to, aRecipient(), 0).send).toBe(true);
    expect(decideFor(briefing("ended", again), "a", to, aRecipient(), 0).send).toBe(true);
  });

  it("remembers the refusals of its start, and counts no interval of its own", () => {
    const refusals = createRefusals();
    const client = {};
    const patient = aRecipient({ intervals: new Map([[mid(1), 60]]), lastTold: new Map([[mid(1), 0]]) });
    expect(decideFor(briefing("started", refusals), client, to, patient, 1_000).send).toBe(false);
    expect(decideFor(briefing("ended", refusals), client, to, patient, 1_000)).toMatchObject({
      reason: "too-soon",
    });
    expect(decideFor(briefing("ended"), {}, to, patient, 1_000).send).toBe(true);
  });
});
