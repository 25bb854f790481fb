import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLateAlarms, type LateAlarms } from "../../src/channels/late-alarms.ts";
import type { LiveReceiver } from "../../src/channels/live-receiver.ts";
import { aMonitor, anAlarm, aRecipient, briefed, mid } from "../support/builders.ts";

const SECOND = 1000;
let connected: LiveReceiver[];
let told: LiveReceiver[];
let phases: string[];
let late: LateAlarms;

beforeEach(() => {
  vi.useFakeTimers();
  connected = [];
  told = [];
  phases = [];
  const clock = { now: () => Date.now(), monotonic: () => Date.now() };
  const sessions = { receivers: () => [...connected] };
  late = createLateAlarms({
    sessions,
    clock,
    tellTo: (receivers, alarms) => {
      told.push(...receivers);
      if (receivers.length > 0) phases.push(...alarms.map(({ alarm }) => alarm.phase));
    },
  });
});

afterEach(() => {
  late.stop();
  vi.useRealTimers();
});

function connect(user = "anna", address = "192.0.2.1"): LiveReceiver {
  const receiver: LiveReceiver = {
    user,
    address,
    loggedInAt: Date.now(),
    recipient: aRecipient(),
    supplementary: false,
    writable: () => true,
    write: () => undefined,
  };
  connected.push(receiver);
  return receiver;
}

function disconnect(receiver: LiveReceiver): void {
  connected = connected.filter((each) => each !== receiver);
}

const missed = [anAlarm({ late: true })];

describe("an alarm missed while the program was away", () => {
  it("is told to a client that comes back, once its login has settled", () => {
    late.keep(briefed(missed));
    const back = connect();
    vi.advanceTimersByTime(1 * SECOND);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(2 * SECOND);
    expect(told).toEqual([back]);
    vi.advanceTimersByTime(60 * SECOND);
    expect(told).toEqual([back]);
  });

  it("is not told again to those who were told when it was found", () => {
    connect();
    late.keep(briefed(missed));
    vi.advanceTimersByTime(10 * SECOND);
    expect(told).toEqual([]);
  });

  it("is not told again to a client that loses its connection and comes back once more", () => {
    late.keep(briefed(missed));
    disconnect(connectAndWait());
    connectAndWait();
    expect(told).toHaveLength(1);
  });

  it("is told to each of two clients of one user behind one address", () => {
    late.keep(briefed(missed));
    connectAndWait();
    connectAndWait();
    expect(told).toHaveLength(2);
  });

  it("is told to the same user at another address", () => {
    late.keep(briefed(missed));
    disconnect(connectAndWait("anna", "192.0.2.1"));
    connectAndWait("anna", "192.0.2.2");
    expect(told).toHaveLength(2);
  });

  it("is forgotten after the longest pause a client makes", () => {
    late.keep(briefed(missed));
    vi.advanceTimersByTime(151 * SECOND);
    connectAndWait();
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the end of an alarm that was late", () => {
  const over = () => late.before(briefed([anAlarm({ phase: "ended" })]));

  it("is kept with its beginning for a client that comes back after it", () => {
    late.keep(briefed(missed));
    over();
    connectAndWait();
    expect(phases).toEqual(["started", "ended"]);
  });

  it("comes after its beginning to a client that has only just logged in", () => {
    late.keep(briefed(missed));
    const back = connect();
    over();
    expect(told).toEqual([back]);
    expect(phases).toEqual(["started"]);
    vi.advanceTimersByTime(10 * SECOND);
    expect(told).toEqual([back]);
  });

  it("says that it is late to whoever hears of it late", () => {
    const texts: unknown[] = [];
    const sessions = { receivers: () => connected };
    const clock = { now: () => Date.now(), monotonic: () => Date.now() };
    late = createLateAlarms({ sessions, clock, tellTo: (_, alarms) => texts.push(...alarms) });
    late.keep(briefed(missed));
    over();
    connectAndWait();
    expect(texts).toMatchObject([{ alarm: { late: true } }, { alarm: { phase: "ended", late: true } }]);
  });

  it("is told to nobody whose earlier connection heard of the beginning and who was away when it came", () => {
    late.keep(briefed(missed));
    disconnect(connectAndWait());
    over();
    connectAndWait();
    expect(phases).toEqual(["started"]);
  });

  it("is not kept for another alarm", () => {
    late.keep(briefed(missed));
    late.before(briefed([anAlarm({ edge: 2, phase: "ended" })]));
    connectAndWait();
    expect(phases).toEqual(["started"]);
  });
});

describe("the next alarm", () => {
  it("of the same monitor, comes after the late one to a client that has only just logged in", () => {
    late.keep(briefed(missed));
    const back = connect();
    late.before(briefed([anAlarm({ edge: 2 })]));
    expect(told).toEqual([back]);
  });

  it("of another monitor, leaves a client the time to set its filter", () => {
    late.keep(briefed(missed));
    connect();
    late.before(briefed([anAlarm({ monitor: aMonitor({ id: mid(2) }) })]));
    expect(told).toEqual([]);
  });
});

function connectAndWait(user?: string, address?: string): LiveReceiver {
  const receiver = connect(user, address);
  vi.advanceTimersByTime(3 * SECOND);
  return receiver;
}
