import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../../src/domain/policy.ts";
import { parseFilter } from "../../src/domain/recipient.ts";
import { createRepeatGuard } from "../../src/domain/repeats.ts";
import { anAlarm, aRecipient, eid, mid } from "../support/builders.ts";

describe("decide", () => {
  const alarm = anAlarm();

  it("tells a recipient without list and interval", () => {
    expect(decide(alarm, aRecipient(), 0)).toMatchObject({ send: true });
  });

  it("lets no list widen what the user may see", () => {
    const recipient = aRecipient({ rights: new Set([mid(2)]), monitors: new Set([mid(1)]) });
    expect(decide(alarm, recipient, 0)).toEqual({
      send: false,
      reason: "not-permitted",
      trace: [{ test: "permission", passed: false }],
    });
  });

  it("leaves open what nobody knows yet, and tests the rest", () => {
    const unknown = { ...aRecipient(), rights: "unknown" as const };
    const verdict = decide(anAlarm(), unknown, 0);
    expect(verdict).toMatchObject({ send: true, trace: [{ test: "permission", open: true }, {}, {}] });
    expect(decide(anAlarm(), { ...unknown, monitors: new Set([mid(99)]) }, 0)).toMatchObject({
      send: false,
      reason: "monitor-off",
    });
  });

  it("keeps to the recipient's own list", () => {
    expect(decide(alarm, aRecipient({ monitors: new Set([mid(2)]) }), 0)).toMatchObject({
      reason: "monitor-off",
    });
  });

  it("waits out the interval of the monitor, to the millisecond", () => {
    const recipient = aRecipient({
      intervals: new Map([[mid(1), 60]]),
      lastTold: new Map([[mid(1), 1_000]]),
    });
    expect(decide(alarm, recipient, 60_999)).toMatchObject({ reason: "too-soon" });
    expect(decide(alarm, recipient, 61_000)).toMatchObject({ send: true });
  });

  it("does not wait out an interval that began in the future: the clock was set back since", () => {
    const recipient = aRecipient({
      intervals: new Map([[mid(1), 60]]),
      lastTold: new Map([[mid(1), 3_600_000]]),
    });
    expect(decide(alarm, recipient, 10_000)).toMatchObject({ send: true });
  });

  it("says in its trace which tests it made, in order", () => {
    expect(decide(alarm, aRecipient(), 0).trace.map((step) => step.test)).toEqual([
      "permission",
      "list",
      "interval",
    ]);
  });
});

describe("a client's filter", () => {
  it.each(["", " ", "-1", "0"])("means every monitor when the list is %j", (list) => {
    expect(parseFilter(list, "60").monitors).toBe("all");
  });

  it("pairs monitors and seconds by position, blanks ignored", () => {
    expect(parseFilter(" 1, 2 ,5", "0, 60,3600")).toEqual({
      monitors: new Set([1, 2, 5]),
      intervals: new Map([
        [2, 60],
        [5, 3600],
      ]),
    });
  });

  it("takes 0 for seconds that are missing", () => {
    expect(parseFilter("1,2", "30").intervals).toEqual(new Map([[1, 30]]));
  });

  it("throws for no text whatever", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (monlist, intlist) => {
        expect(parseFilter(monlist, intlist).intervals).toBeInstanceOf(Map);
      }),
    );
  });
});

describe("alarms inside one event", () => {
  const first = anAlarm({ edge: 1, seenAt: 0 });
  const soon = anAlarm({ edge: 2, seenAt: 30_000 });
  const later = anAlarm({ edge: 3, seenAt: 60_000 });

  it("are told again after the cooldown", () => {
    const guard = createRepeatGuard({ notify_each_alarm: true, repeat_cooldown: 60 });
    expect([first, soon, later].map(guard.isWorthTelling)).toEqual([true, false, true]);
  });

  it("are told once when each alarm is not wanted", () => {
    const guard = createRepeatGuard({ notify_each_alarm: false, repeat_cooldown: 60 });
    expect([first, soon, later].map(guard.isWorthTelling)).toEqual([true, false, false]);
  });

  it("are told again when the clock was set back", () => {
    const guard = createRepeatGuard({ notify_each_alarm: true, repeat_cooldown: 60 });
    const before = anAlarm({ edge: 1, seenAt: 3_600_000 });
    expect([before, later].map(guard.isWorthTelling)).toEqual([true, true]);
  });

  it("never hold back the next event", () => {
    const guard = createRepeatGuard({ notify_each_alarm: true, repeat_cooldown: 60 });
    const next = anAlarm({ eventId: eid(5061), seenAt: 1_000 });
    expect([first, next].map(guard.isWorthTelling)).toEqual([true, true]);
  });
});
