import pino from "pino";
import { describe, expect, it } from "vitest";
import { defaultConfig } from "../../src/config/schema.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import type { Decision, ToldMark } from "../../src/domain/decision.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createPipeline, type PipelineDeps } from "../../src/pipeline/pipeline.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";

function setUp(change: Partial<PipelineDeps> = {}) {
  const told: Alarm[] = [];
  const marks: ToldMark[] = [];
  const decisions: Decision[] = [];
  const pipeline = createPipeline({
    options: defaultConfig().customize,
    hook: defaultConfig().hook,
    isOldDialect: false,
    live: { tell: (alarms) => told.push(...alarms.map(({ alarm }) => alarm)) },
    marks: { put: (more) => marks.push(...more) },
    recipients: { all: () => [], expiresAfterMs: () => 0 },
    outbox: {
      put(more) {
        decisions.push(...more);
        marks.push(...more.flatMap(({ mark }) => mark ?? []));
      },
    },
    events: { notes: async () => null },
    clock: systemClock,
    logger: pino({ level: "silent" }),
    ...change,
  });
  return { pipeline, told, marks, decisions };
}

const ended = (alarm: Alarm): Alarm => ({ ...alarm, phase: "ended" });

describe("the pipeline", () => {
  it("tells the sockets before it returns, all alarms of a scan at once", () => {
    const batches: number[] = [];
    const { pipeline } = setUp({ live: { tell: (alarms) => batches.push(alarms.length) } });
    pipeline.handle([anAlarm(), anAlarm({ monitor: aMonitor({ id: mid(2) }), eventId: eid(7) })]);
    expect(batches).toEqual([2]);
  });

  it("decides for the recipients of durable channels after the sockets were told", () => {
    const order: string[] = [];
    const { pipeline } = setUp({
      live: { tell: () => order.push("sockets") },
      recipients: {
        all: () => {
          order.push("recipients");
          return [];
        },
        expiresAfterMs: () => 0,
      },
      outbox: { put: () => order.push("outbox") },
    });
    pipeline.handle([anAlarm()]);
    expect(order).toEqual(["sockets", "recipients", "outbox"]);
  });

  it("keeps for the history that a repeated alarm was told to nobody", () => {
    const { pipeline, decisions } = setUp();
    pipeline.handle([anAlarm({ edge: 1, seenAt: 0 })]);
    pipeline.handle([anAlarm({ edge: 2, seenAt: 10_000 })]);
    expect(decisions.map(({ withheld }) => withheld)).toEqual([null, "repeat"]);
  });

  it("notes what was told, and that it is over", () => {
    const { pipeline, marks } = setUp();
    const alarm = anAlarm();
    pipeline.handle([alarm]);
    pipeline.handle([ended(alarm)]);
    expect(marks.map(({ event, open }) => ({ event, open }))).toEqual([
      { event: 5060, open: true },
      { event: 5060, open: false },
    ]);
  });

  it("notes the alarm that runs where one ended and the next began in the same look", () => {
    const customize = { ...defaultConfig().customize, send_event_end_notification: false };
    const { pipeline, marks } = setUp({ options: customize });
    const next = anAlarm({ eventId: eid(5061) });
    pipeline.handle([anAlarm()]);
    pipeline.handle([ended(anAlarm()), next]);
    const last = { monitor: next.monitor.id, event: 5061, open: true };
    expect(marks.at(-1)).toMatchObject(last);
    expect(pipeline.marks([])).toMatchObject([last]);
  });

  it("does not tell the end of an alarm as an alarm", () => {
    const { pipeline, told } = setUp();
    pipeline.handle([anAlarm(), ended(anAlarm())]);
    expect(told).toHaveLength(1);
  });

  it("does not tell a repeat within its cooldown, and notes it all the same", () => {
    const { pipeline, told, marks } = setUp();
    pipeline.handle([anAlarm({ edge: 1, seenAt: 0 })]);
    pipeline.handle([anAlarm({ edge: 2, seenAt: 10_000 })]);
    expect(told.map((alarm) => alarm.edge)).toEqual([1]);
    expect(marks.map((mark) => mark.edge)).toEqual([1, 2]);
  });

  it("adds the zones of a continuous event from its notes", async () => {
    const { pipeline, told } = setUp({ events: { notes: async () => "Continuous: Motion: Drive" } });
    pipeline.handle([anAlarm({ cause: "Continuous" })]);
    await eventually(() => expect(told.map((alarm) => alarm.cause)).toEqual(["Motion: Drive"]));
  });

  it("keeps the order of one camera behind a database that is slow, and delays no other", async () => {
    const notes = Promise.withResolvers<string | null>();
    const { pipeline, told } = setUp({ events: { notes: () => notes.promise } });
    const other = anAlarm({ monitor: aMonitor({ id: mid(2) }), eventId: eid(9) });
    pipeline.handle([anAlarm({ cause: "Continuous" })]);
    pipeline.handle([anAlarm({ eventId: eid(5061) }), other]);
    expect(told.map((alarm) => alarm.eventId)).toEqual([9]);
    notes.resolve(null);
    await eventually(() => expect(told.map((alarm) => alarm.eventId)).toEqual([9, 5060, 5061]));
  });

  it.each([
    ["cannot be read", () => Promise.reject(new Error("away"))],
    ["do not come in time", () => new Promise<null>(() => undefined)],
  ])("tells an alarm whose notes %s as it is", async (_, notes) => {
    const { pipeline, told } = setUp({ events: { notes } });
    pipeline.handle([anAlarm({ cause: "Continuous" })]);
    await eventually(() => expect(told.map((alarm) => alarm.cause)).toEqual(["Continuous"]));
  });

  it("drops a missed alarm whose event was told live meanwhile", () => {
    const { pipeline, told } = setUp();
    pipeline.handle([anAlarm()]);
    pipeline.handleMissed([anAlarm({ late: true }), anAlarm({ late: true, eventId: eid(5059) })]);
    expect(told.map(({ eventId, late }) => ({ eventId, late }))).toEqual([
      { eventId: 5060, late: false },
      { eventId: 5059, late: true },
    ]);
  });

  it("tells a missed alarm inside an event of which it told another one", () => {
    const { pipeline, told } = setUp();
    const recording = { cause: "Motion", monitor: aMonitor({ recording: "always" }) };
    pipeline.handle([anAlarm({ ...recording, edge: 1, seenAt: 0 })]);
    pipeline.handleMissed([anAlarm({ ...recording, edge: 2, seenAt: 90_000, late: true })]);
    expect(told.map(({ edge, late }) => ({ edge, late }))).toEqual([
      { edge: 1, late: false },
      { edge: 2, late: true },
    ]);
  });

  it("tells a missed alarm that is found twice once, though a newer one keeps the mark", () => {
    const { pipeline, told } = setUp();
    pipeline.handle([anAlarm()]);
    const missed = anAlarm({ late: true, eventId: eid(5059), seenAt: 2_000_000 });
    pipeline.handleMissed([missed]);
    pipeline.handleMissed([{ ...missed, seenAt: 3_000_000 }]);
    expect(told.map(({ eventId }) => eventId)).toEqual([5060, 5059]);
  });

  it("keeps the mark of the newest event when an older one is found late", () => {
    const { pipeline } = setUp();
    pipeline.handle([anAlarm()]);
    pipeline.handleMissed([anAlarm({ late: true, eventId: eid(5059) })]);
    expect(pipeline.marks([])).toMatchObject([{ event: 5060 }]);
  });
});
