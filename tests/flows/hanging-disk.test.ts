// The whole daemon over a disk that does not answer: it starts, tells from memory, and takes the disk up when it is back.
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { explainAlarm } from "../../src/delivery/history.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { anAlarm, eid, mid } from "../support/builders.ts";
import { createSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";

const HANGING = {
  thread: new URL("../support/hanging-store-thread.ts", import.meta.url),
  patienceMs: 300,
};

let isHanging = false;
let channel: FakeChannel;
let site: Site;

beforeEach(() => {
  isHanging = false;
  channel = createFakeChannel({ people: [aPerson("anna")] });
  site = createSite(undefined, [channel], null, () => (isHanging ? HANGING : {}));
});
afterEach(() => site.remove());

const answer = () => writeFileSync(`${site.dataFile}.answers`, "");
const accepted = () => channel.accepted.map(({ alarm }) => Number(alarm.eventId));
const messages = () => site.log.map(({ msg }) => String(msg));

function why(event: number): string {
  const history = openHistory(site.dataFile, { write: false });
  try {
    return history.alarmsOfEvent(event).flatMap(explainAlarm).join("\n");
  } finally {
    history.close();
  }
}

test("the start does not wait for it, alarms are told from memory, and the history has them once it answers", async () => {
  isHanging = true;
  const begun = performance.now();
  await site.start();
  expect(performance.now() - begun).toBeLessThan(8_000);
  expect(messages()).toContain("The store cannot be written; what it should hold is kept in memory");
  const client = await site.logIn();
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  expect(await client.next()).toMatchObject({ events: [{ EventId: "5060" }] });
  await eventually(() => expect(accepted()).toEqual([5060]));
  expect(messages()).toContain("Notices could not be saved: they are sent from memory, unsaved");
  answer();
  await eventually(() => expect(messages()).toContain("The store is written again"));
  await eventually(() => expect(why(5060)).toContain("phone ...anna: sent to FCM"));
});

test("what waited on it is delivered when it answers", async () => {
  await site.start();
  channel.answer = () => "busy";
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  await eventually(() => expect(channel.attempts.length).toBeGreaterThan(0));
  await eventually(() => expect(why(5060)).toContain("waits"));
  isHanging = true;
  await site.restart(() => site.cameras[0].endAlarm());
  channel.answer = () => "accept";
  site.cameras[1].beginAlarm({ eventId: 5061, cause: "Motion" });
  await eventually(() => expect(accepted()).toEqual([5061]));
  answer();
  await eventually(() => expect(accepted()).toEqual([5061, 5060]));
});

test("what came while nobody watched is looked for once the marks of earlier runs are known", async () => {
  await site.start();
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  await eventually(() => expect(accepted()).toEqual([5060]));
  site.cameras[0].endAlarm();
  isHanging = true;
  const asked: number[] = [];
  await site.restart(() => {
    site.zoneminder.missedAlarms = async (monitors, marks) => {
      const last = marks.find(({ monitor }) => monitor === 1)?.event ?? 0;
      asked.push(last);
      const monitor = monitors.find(({ id }) => id === mid(1));
      return last === 5060 && monitor !== undefined
        ? [anAlarm({ monitor, eventId: eid(5061), seenAt: Date.now(), late: true })]
        : [];
    };
  });
  site.cameras[0].beginAlarm({ eventId: 5062, cause: "Motion" });
  await eventually(() => expect(accepted()).toEqual([5060, 5062]));
  expect(asked).toEqual([]);
  answer();
  await eventually(() => expect(accepted()).toEqual([5060, 5062, 5061]));
  expect(asked).toEqual([5060]);
});
