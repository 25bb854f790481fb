import { describe, expect, test } from "vitest";
import { explainAlarm, explainWaiting, moment } from "../../src/delivery/history.ts";
import type { AlarmRecord, DeliveryRecord } from "../../src/domain/history.ts";
import { aMonitor, anAlarm, mid } from "../support/builders.ts";

const seenAt = new Date(2026, 10, 22, 10, 28, 55, 977).getTime();
const alarm = anAlarm({
  seenAt,
  cause: "Motion Porch",
  monitor: aMonitor({ id: mid(4), name: "Front Door" }),
});

function aDelivery(change: Partial<DeliveryRecord> = {}): DeliveryRecord {
  return {
    id: 17,
    channel: "fcm",
    label: "phone ...27a387",
    state: "delivered",
    reason: null,
    trace: [],
    words: "",
    attempts: 1,
    createdAt: seenAt + 2,
    dueAt: seenAt + 2,
    expiresAt: seenAt + 3_600_000,
    endedAt: seenAt + 143,
    ...change,
  };
}

function explain(change: Partial<AlarmRecord>): readonly string[] {
  return explainAlarm({
    alarm,
    withheld: null,
    sockets: { told: 3, refused: {} },
    deliveries: [],
    ...change,
  }).map((line) => line.trim());
}

const lineFor = (change: Partial<DeliveryRecord>) => explain({ deliveries: [aDelivery(change)] })[2];

describe("an alarm is explained", () => {
  test("by its camera, cause and moment", () => {
    expect(explain({})[0]).toBe("Front Door (monitor 4), Motion Porch: seen at 2026-11-22 10:28:55.977");
  });

  test("with what sets it apart: a later alarm of the event, found late, its end", () => {
    expect(explain({ alarm: { ...alarm, edge: 2, late: true } })[0]).toBe(
      "Front Door (monitor 4), Motion Porch: alarm 2 of the event, seen at 2026-11-22 10:28:55.977, found after the fact",
    );
    expect(explain({ alarm: { ...alarm, phase: "ended", cause: "" } })[0]).toBe(
      "Front Door (monitor 4): its end, seen at 2026-11-22 10:28:55.977",
    );
  });

  test("when it was told to nobody because it repeats another", () => {
    expect(explain({ withheld: "repeat" })[1]).toBe(
      "nobody was told: it came too soon after another alarm of the same event (customize.repeat_cooldown, notify_each_alarm)",
    );
  });

  test("with the clients on sockets in one line", () => {
    expect(explain({})[1]).toBe("sockets: 3 clients told");
    expect(explain({ sockets: { told: 1, refused: { "monitor-off": 2, "not-permitted": 1 } } })[1]).toBe(
      "sockets: 1 client told; 2 not: monitor 4 is outside their list; 1 not: their user may not see monitor 4",
    );
    expect(explain({ sockets: { told: 0, refused: {} } })[1]).toBe("sockets: nobody was connected");
    expect(explain({ sockets: null })[1]).toContain("the program ended");
  });
});

describe("a notice is explained", () => {
  test("that was delivered: how, when, how long after the alarm", () => {
    expect(lineFor({})).toBe("phone ...27a387: sent to FCM at 10:28:56.120, 143 ms after the alarm");
    expect(lineFor({ attempts: 3, endedAt: seenAt + 61_000, words: "accepted" })).toBe(
      "phone ...27a387: sent to FCM at 10:29:56.977, 61 s after the alarm, after 3 attempts: accepted",
    );
  });

  test.each([
    ["not-permitted", "its user may not see monitor 4"],
    ["monitor-off", "monitor 4 is outside its list"],
    ["too-soon", "its interval for monitor 4 was not over"],
    ["muted", "monitor 4 is muted (escontrol)"],
    ["rule", "a rule mutes it"],
    ["hook-said-no", "the hook said no, and the list for that leaves the channel out"],
  ] as const)("that was not sent: %s", (reason, words) => {
    expect(lineFor({ state: "refused", reason })).toBe(`phone ...27a387: not sent, ${words}`);
  });

  test("that waits", () => {
    const waiting = { state: "pending", endedAt: null, words: "503" } as const;
    expect(lineFor({ ...waiting, attempts: 0, words: "" })).toBe(
      "phone ...27a387: waits for its first attempt since 2026-11-22 10:28:55.979",
    );
    expect(lineFor({ ...waiting, attempts: 0, words: "nobody knows its rights" })).toBe(
      "phone ...27a387: waits for its first attempt since 2026-11-22 10:28:55.979: nobody knows its rights",
    );
    expect(lineFor({ ...waiting, attempts: 2, dueAt: seenAt + 40_000 })).toBe(
      "phone ...27a387: waits after 2 attempts, tried again at 2026-11-22 10:29:35.977: 503",
    );
  });

  test("that came to nothing", () => {
    expect(lineFor({ state: "expired", words: "503", attempts: 9 })).toBe(
      "phone ...27a387: not sent, it expired at 2026-11-22 11:28:55.977 after 9 attempts: 503",
    );
    expect(lineFor({ state: "dead", words: "400 INVALID_ARGUMENT" })).toBe(
      "phone ...27a387: given up at 2026-11-22 10:28:56.120 after 1 attempt: 400 INVALID_ARGUMENT (zmes outbox retry 17)",
    );
    expect(lineFor({ state: "dropped", words: "404 UNREGISTERED" })).toBe(
      "phone ...27a387: dropped at 2026-11-22 10:28:56.120: 404 UNREGISTERED",
    );
  });

  test("in the list of those that wait or were given up", () => {
    const say = (change: Partial<DeliveryRecord>) => explainWaiting({ alarm }, aDelivery(change), seenAt);
    const about = `phone ...27a387: event 5060 of Front Door, ${moment(seenAt + 2)}`;
    expect(say({ state: "pending", attempts: 0 })).toBe(`${about}; not tried yet`);
    expect(say({ state: "pending", attempts: 3, dueAt: seenAt + 39_500, words: "503" })).toBe(
      `${about}; 3 attempts, the next in 40 s: 503`,
    );
    expect(say({ state: "dead", words: "400" })).toBe(`${about}; given up after 1 attempt: 400`);
  });
});
