import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLateAlarms, type LateAlarms } from "../../src/channels/late-alarms.ts";
import type { LiveReceiver } from "../../src/channels/live-receiver.ts";
import { anAlarm, aRecipient, briefed } from "../support/builders.ts";

const SECOND = 1000;
let connected: LiveReceiver[];
let told: LiveReceiver[];
let late: LateAlarms;

beforeEach(() => {
  vi.useFakeTimers();
  connected = [];
  told = [];
  const clock = { now: () => Date.now(), monotonic: () => Date.now() };
  const sessions = { receivers: () => [...connected] };
  late = createLateAlarms({ sessions, clock, tellTo: (receivers) => told.push(...receivers) });
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

function connectAndWait(user?: string, address?: string): LiveReceiver {
  const receiver = connect(user, address);
  vi.advanceTimersByTime(3 * SECOND);
  return receiver;
}
