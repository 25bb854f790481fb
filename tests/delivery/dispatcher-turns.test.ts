// What a crowd of recipients costs everybody else in the process.
import { afterEach, expect, test } from "vitest";
import { anAlarm } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel } from "../support/fake-channel.ts";
import { aDecision, createOutboxSite, type OutboxSite } from "../support/outbox.ts";

const CROWD = 500;

let site: OutboxSite;
afterEach(() => site.remove());

test("a crowd is told a few at a time, so that alarms and sockets have their turns in between", async () => {
  let turn = 0;
  const begun = new Map<number, number>();
  const channel = createFakeChannel({ concurrency: CROWD });
  channel.answer = () => {
    begun.set(turn, (begun.get(turn) ?? 0) + 1);
    return "accept";
  };
  site = createOutboxSite([channel]);
  await site.start();
  const people = Array.from({ length: CROWD }, (_, index) => aPerson(String(index)));
  const count = (): void => {
    turn += 1;
    if (channel.accepted.length < CROWD) setImmediate(count);
  };
  setImmediate(count);
  site.outbox.put([aDecision(anAlarm(), people)]);
  await eventually(() => expect(channel.accepted).toHaveLength(CROWD));
  // The test's own turns begin somewhere between two of the queue's.
  expect(Math.max(...begun.values())).toBeLessThanOrEqual(32);
});
