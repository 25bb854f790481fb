import pino from "pino";
import { describe, expect, it } from "vitest";
import { readRules } from "../../src/config/rules-file.ts";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { MonitorControl } from "../../src/domain/control.ts";
import type { Decision } from "../../src/domain/decision.ts";
import type { HookOutcome } from "../../src/domain/hook.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createPipeline, type PipelineDeps } from "../../src/pipeline/pipeline.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson } from "../support/fake-channel.ts";

const yes: HookOutcome = { result: 0, text: "detected:dog", json: { labels: ["dog"] }, note: "ran" };
const no: HookOutcome = { result: 1, text: "", json: null, note: "ran" };

function setUp(hook: Partial<Config["hook"]> = {}, change: Partial<PipelineDeps> = {}) {
  const live: Alarm[] = [];
  const decisions: Decision[] = [];
  const asked: { readonly alarm: Alarm; answer(outcome: HookOutcome): void }[] = [];
  const notes: string[] = [];
  const config = defaultConfig();
  const pipeline = createPipeline({
    options: { ...config.customize, send_event_end_notification: true },
    hook: {
      ...config.hook,
      use_hook_description: true,
      tag_detected_objects: true,
      event_start_notify_on_hook_success: ["all"],
      ...hook,
    },
    isOldDialect: false,
    live: { tell: (briefings) => live.push(...briefings.map(({ alarm }) => alarm)) },
    marks: { put: () => undefined },
    recipients: { all: () => [{ ...aPerson("27a387"), takesUpdates: true }], expiresAfterMs: () => 1000 },
    outbox: { put: (more) => decisions.push(...more) },
    events: { notes: async () => null },
    hooks: {
      plan: ({ phase, monitor }) => (phase === "started" && monitor.id === 1 ? "run" : "none"),
      enter: () => (alarm) => {
        const { promise, resolve } = Promise.withResolvers<HookOutcome>();
        asked.push({ alarm, answer: resolve });
        return promise;
      },
    },
    notes: {
      prepend: (event, text) => notes.push(`${event} ${text}`),
      tag: (event, names) => notes.push(`${event} tag ${names.join()}`),
    },
    clock: systemClock,
    logger: pino({ level: "silent" }),
    ...change,
  });
  const notices = () => decisions.flatMap((each) => each.notices.map(({ id }) => id));
  const reasons = () =>
    decisions.map(({ verdicts: [first] }) => (first?.verdict.send === false ? first.verdict.reason : "told"));
  const nextQuestion = async () => {
    await eventually(() => expect(asked.length).toBeGreaterThan(0));
    return asked.shift() as (typeof asked)[number];
  };
  return { pipeline, live, decisions, asked, notes, notices, reasons, nextQuestion };
}

describe("an alarm with a hook", () => {
  it("is told when the hook has answered, with its text; notes and tags are written", async () => {
    const site = setUp();
    site.pipeline.handle([anAlarm()]);
    const { answer } = await site.nextQuestion();
    expect(site.live).toEqual([]);
    answer(yes);
    await site.pipeline.idle();
    expect(site.live.map(({ cause }) => cause)).toEqual(["detected:dog Motion All"]);
    expect(site.notes).toEqual(["5060 detected:dog", "5060 tag dog"]);
    expect(site.decisions[0]?.found).toEqual(["hook: said yes: detected:dog"]);
  });

  it("is told to nobody when the hook says no and no list is set for that", async () => {
    const site = setUp();
    site.pipeline.handle([anAlarm()]);
    (await site.nextQuestion()).answer(no);
    await site.pipeline.idle();
    expect(site.reasons()).toEqual(["hook-said-no"]);
    expect(site.notes).toEqual([]);
  });

  it.each(["timed-out", "dropped"] as const)("is told, marked, when the hook is %s", async (note) => {
    const site = setUp();
    site.pipeline.handle([anAlarm()]);
    (await site.nextQuestion()).answer({ ...no, note });
    await site.pipeline.idle();
    expect(site.reasons()).toEqual(["told"]);
    expect(site.live[0]?.hook?.note).toBe(note);
  });

  it("delays no other camera, which is told before handle returns", () => {
    const site = setUp();
    site.pipeline.handle([anAlarm(), anAlarm({ monitor: aMonitor({ id: mid(2) }), eventId: eid(9) })]);
    expect(site.live.map(({ eventId }) => eventId)).toEqual([9]);
  });

  it("keeps its end behind its beginning", async () => {
    const site = setUp();
    site.pipeline.handle([anAlarm()]);
    site.pipeline.handle([anAlarm({ phase: "ended" })]);
    (await site.nextQuestion()).answer(yes);
    await site.pipeline.idle();
    expect(site.live.map(({ phase, cause }) => `${phase} ${cause}`)).toEqual([
      "started detected:dog Motion All",
      "ended detected:dog Motion All",
    ]);
  });

  it("whose hook says no has no end, unless the configuration wants it", async () => {
    for (const wanted of [false, true]) {
      const site = setUp({ event_end_notify_if_start_success: !wanted });
      site.pipeline.handle([anAlarm()]);
      (await site.nextQuestion()).answer(no);
      site.pipeline.handle([anAlarm({ phase: "ended" })]);
      await site.pipeline.idle();
      expect(site.reasons()).toEqual(["hook-said-no", wanted ? "told" : "hook-said-no"]);
    }
  });

  it("is not asked about again when it repeats too soon", async () => {
    const site = setUp();
    site.pipeline.handle([anAlarm({ edge: 1, seenAt: 0 })]);
    (await site.nextQuestion()).answer(yes);
    site.pipeline.handle([anAlarm({ edge: 2, seenAt: 1_000 })]);
    await site.pipeline.idle();
    expect(site.asked).toEqual([]);
    expect(site.decisions.map(({ withheld }) => withheld)).toEqual([null, "repeat"]);
  });

  it("is not told twice when it is found in the database while its hook runs", async () => {
    const site = setUp();
    site.pipeline.handle([anAlarm()]);
    site.pipeline.handleMissed([anAlarm({ late: true })]);
    (await site.nextQuestion()).answer(yes);
    await site.pipeline.idle();
    expect(site.live).toHaveLength(1);
  });
});

describe("telling in two steps", () => {
  it("tells at once and then anew with the answer, in a notice of its own", async () => {
    const site = setUp({ notify_first: true });
    site.pipeline.handle([anAlarm()]);
    const { answer } = await site.nextQuestion();
    expect(site.live.map(({ phase }) => phase)).toEqual(["started"]);
    answer(yes);
    await site.pipeline.idle();
    expect(site.live.map(({ phase, cause }) => `${phase} ${cause}`)).toEqual([
      "started Motion All",
      "updated detected:dog Motion All",
    ]);
    expect(site.notices().map((id) => id.split("/")[0])).toEqual(["1:5060:1", "1:5060:1:update"]);
  });

  it("asks the rules again: what was muted without the answer is told with it, and so is its end", async () => {
    const { rules } = readRules(
      "notifications: {monitors: {1: {rules: [{action: mute, cause_has: '^(?!.*dog)'}]}}}",
    );
    const patient = { ...aPerson("27a387"), takesUpdates: false };
    const site = setUp(
      { notify_first: true },
      {
        rules: { current: () => rules },
        recipients: { all: () => [patient], expiresAfterMs: () => 1000 },
        events: { notes: async () => "detected:dog Motion" },
      },
    );
    site.pipeline.handle([anAlarm()]);
    (await site.nextQuestion()).answer(yes);
    site.pipeline.handle([anAlarm({ phase: "ended" })]);
    await site.pipeline.idle();
    expect(site.reasons()).toEqual(["rule", "told", "told"]);
  });

  it("stays with the first step when the hook is dropped", async () => {
    const site = setUp({ notify_first: true });
    site.pipeline.handle([anAlarm()]);
    (await site.nextQuestion()).answer({ ...no, note: "dropped" });
    await site.pipeline.idle();
    expect(site.live.map(({ phase }) => phase)).toEqual(["started"]);
  });
});

describe("the end of an alarm", () => {
  const ends = (change: Partial<PipelineDeps> = {}, hook: Partial<Config["hook"]> = {}) => {
    const asked: Alarm[] = [];
    const outcome: HookOutcome = { ...yes, text: "detected:cat" };
    const waitedSince: (number | undefined)[] = [];
    const enter = (_: Alarm, since?: number) => async (alarm: Alarm) => {
      asked.push(alarm);
      waitedSince.push(since);
      return outcome;
    };
    const plan = ({ phase }: Alarm) => (phase === "ended" ? ("run" as const) : ("none" as const));
    return { ...setUp(hook, { hooks: { plan, enter }, ...change }), asked, waitedSince };
  };

  it("has what its hook found written into the notes", async () => {
    const site = ends();
    site.pipeline.handle([anAlarm()]);
    site.pipeline.handle([anAlarm({ phase: "ended" })]);
    await site.pipeline.idle();
    expect(site.notes.filter((line) => line.trim() !== "5060")).toEqual(["5060 detected:cat"]);
  });

  it("does not count the time in which its beginning was looked at as waiting", async () => {
    for (const [note, isFresh] of [
      ["ran", true],
      ["dropped", false],
    ] as const) {
      const stored = anAlarm({ hook: { ...yes, note } });
      const starts = { startOf: async () => ({ alarm: stored, withheld: null, refused: [] }) };
      const site = ends({ starts });
      site.pipeline.handle([anAlarm({ phase: "ended" })]);
      await site.pipeline.idle();
      expect(site.waitedSince.map((since) => since === undefined)).toEqual([isFresh]);
    }
  });

  it("has the text of its beginning written again when an earlier run told of it", async () => {
    const options = { ...defaultConfig().customize, send_event_end_notification: false };
    const stored = anAlarm({ hook: yes });
    const starts = { startOf: async () => ({ alarm: stored, withheld: null, refused: [] }) };
    const site = setUp({}, { starts, options });
    site.pipeline.handle([anAlarm({ phase: "ended" })]);
    await site.pipeline.idle();
    expect(site.notes).toEqual(["5060 detected:dog"]);
    expect(site.live).toEqual([]);
  });

  it.each([
    ["nobody can say", async () => null],
    ["the database does not say in time", () => new Promise<null>(() => undefined)],
  ])("has its hook given the cause of its beginning when %s what its notes are", async (_why, notes) => {
    const site = ends({ events: { notes } });
    site.pipeline.handle([anAlarm()]);
    site.pipeline.handle([anAlarm({ phase: "ended", cause: "" })]);
    await site.pipeline.idle();
    expect(site.asked.map(({ cause }) => cause)).toEqual(["Motion All"]);
  });

  it("is told without the mark of the frame where nobody wants to read it; its hook is given the notes", async () => {
    const marked = "[a] detected:dog Motion: All";
    const site = ends({ events: { notes: async () => marked } }, { keep_frame_match_type: false });
    site.pipeline.handle([anAlarm()]);
    site.pipeline.handle([anAlarm({ phase: "ended" })]);
    await site.pipeline.idle();
    expect(site.asked.map(({ cause }) => cause)).toEqual([marked]);
    expect(site.live.at(-1)?.cause).toBe("detected:cat detected:dog Motion: All");
  });

  it("is not looked at by a hook when its beginning was a repeat", async () => {
    const site = ends();
    site.pipeline.handle([anAlarm({ edge: 1, seenAt: 0 }), anAlarm({ edge: 1, phase: "ended" })]);
    const again = { id: "1:5060:2" as Alarm["id"], edge: 2, seenAt: 1_000 };
    site.pipeline.handle([anAlarm(again), anAlarm({ ...again, phase: "ended" })]);
    await site.pipeline.idle();
    expect(site.asked.map(({ edge }) => edge)).toEqual([1]);
  });
});

describe("a muted monitor", () => {
  const control = (order: MonitorControl) => ({ control: { of: () => order } });

  it("is told to nobody, neither beginning nor end", async () => {
    let order: MonitorControl = "muted";
    const site = setUp({}, { control: { of: () => order } });
    const other = { monitor: aMonitor({ id: mid(2) }) };
    site.pipeline.handle([anAlarm(other)]);
    order = "default";
    site.pipeline.handle([anAlarm({ ...other, phase: "ended" })]);
    await site.pipeline.idle();
    expect(site.reasons()).toEqual(["muted", "muted"]);
    expect(site.decisions[0]?.found).toEqual(["control: monitor 2 is muted"]);
  });

  it("is not told of the end either when nobody was there to be refused, and the program began anew", async () => {
    const nobody = { all: () => [], expiresAfterMs: () => 1 };
    const alarm = anAlarm({ monitor: aMonitor({ id: mid(2) }) });
    const before = setUp({}, { ...control("muted"), recipients: nobody });
    before.pipeline.handle([alarm]);
    const stored = before.decisions[0]?.alarm ?? alarm;
    const after = setUp(
      {},
      { starts: { startOf: async () => ({ alarm: stored, withheld: null, refused: [] }) } },
    );
    after.pipeline.handle([{ ...alarm, phase: "ended" }]);
    await after.pipeline.idle();
    expect(after.reasons()).toEqual(["muted"]);
    expect(after.decisions[0]?.found).toEqual(["control: monitor 2 was muted when it began"]);
  });

  it("is not told of the end either when people are told in two steps", async () => {
    let order: MonitorControl = "muted";
    const site = setUp({ notify_first: true }, { control: { of: () => order } });
    const alarm = anAlarm();
    site.pipeline.handle([alarm]);
    (await site.nextQuestion()).answer(yes);
    await site.pipeline.idle();
    order = "default";
    site.pipeline.handle([{ ...alarm, phase: "ended" }]);
    await site.pipeline.idle();
    expect(site.decisions.at(-1)?.found).toContain("control: monitor 1 was muted when it began");
  });

  it("that is forced overrides the list of a phone", () => {
    const everywhere = {
      all: () => [aPerson("27a387", { monitors: new Set([mid(7)]) })],
      expiresAfterMs: () => 1,
    };
    const site = setUp({}, { ...control("forced"), recipients: everywhere });
    site.pipeline.handle([anAlarm({ monitor: aMonitor({ id: mid(2) }) })]);
    expect(site.reasons()).toEqual(["told"]);
  });
});
