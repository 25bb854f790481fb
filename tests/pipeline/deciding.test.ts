import { describe, expect, test } from "vitest";
import { plainBriefing } from "../../src/domain/briefing.ts";
import type { Decision, ToldMark } from "../../src/domain/decision.ts";
import type { DurableRecipient } from "../../src/domain/notice.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { createDeciding } from "../../src/pipeline/deciding.ts";
import { anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson } from "../support/fake-channel.ts";

const now = 5_000_000;

function setUp(people: readonly DurableRecipient[], clock: Clock = { now: () => now, monotonic: () => 0 }) {
  const puts: (readonly Decision[])[] = [];
  const deciding = createDeciding({
    recipients: { all: () => people, expiresAfterMs: () => 3_600_000 },
    outbox: { put: (decisions) => puts.push(decisions) },
    clock,
  });
  const add = (events: readonly number[], withheld: Decision["withheld"] = null) =>
    deciding.add(
      events.map((event) => ({
        briefing: plainBriefing(anAlarm({ eventId: eid(event) })),
        found: [],
        mark: () => mark,
        withheld,
      })),
    );
  return { add, puts, decisions: () => puts.flat() };
}

const mark: ToldMark = { monitor: mid(1), event: eid(5060), edge: 1, at: 1_000_000, open: true };

describe("deciding", () => {
  test("gives every recipient a verdict, and a notice to those who are told", () => {
    const people = [aPerson("anna"), aPerson("ben", { monitors: new Set([mid(9)]) })];
    const { add, decisions } = setUp(people);
    add([5060]);
    const [decision] = decisions();
    expect(decision?.verdicts.map(({ verdict }) => verdict.send)).toEqual([true, false]);
    expect(decision?.notices).toEqual([
      {
        id: "1:5060:1/fcm:anna",
        channel: "fcm",
        recipient: "fcm:anna",
        alarm: anAlarm(),
        createdAt: now,
        expiresAt: now + 3_600_000,
      },
    ]);
    expect(decision?.mark).toBe(mark);
  });

  test("holds an interval against the next alarm", () => {
    const { add, decisions } = setUp([aPerson("anna", { intervals: new Map([[mid(1), 60]]) })]);
    add([5060, 5061]);
    expect(decisions().map(({ notices }) => notices.length)).toEqual([1, 0]);
  });

  test("tells nobody of an alarm that is withheld, and keeps that", () => {
    const { add, decisions } = setUp([aPerson("anna")]);
    add([5060], "repeat");
    expect(decisions()).toMatchObject([{ withheld: "repeat", notices: [], verdicts: [] }]);
  });

  test("hands over the alarms of one scan together", () => {
    const { add, puts } = setUp([aPerson("anna")]);
    add([1, 2, 3]);
    expect(puts.map((each) => each.length)).toEqual([3]);
  });

  test("stops after its slice and goes on in the next turn, in order", async () => {
    let ms = 0;
    const { add, puts, decisions } = setUp([aPerson("anna")], { now: () => now, monotonic: () => (ms += 2) });
    add([1, 2, 3, 4, 5, 6]);
    expect(puts).toHaveLength(1);
    expect(decisions().length).toBeLessThan(6);
    add([7]);
    await eventually(() => expect(decisions()).toHaveLength(7));
    expect(decisions().map(({ alarm }) => alarm.eventId)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
