import { expect, test } from "vitest";
import { eventMessage, oldMessage } from "../../../src/channels/mqtt/message.ts";
import { aMonitor, anAlarm, mid } from "../../support/builders.ts";
import { aNotice } from "../../support/mqtt-channel.ts";

const alarm = anAlarm({ monitor: aMonitor({ id: mid(7), name: "Front, Drive" }), cause: "Motion All" });

test("the old message has the keys of the original in their order, every value a string, and an id of ours", () => {
  const text = oldMessage(aNotice(alarm));
  expect(text).toBe(
    '{"monitor":"7","name":"Front, Drive:(5060) Motion All","state":"alarm","eventid":"5060","hookvalue":"0",' +
      '"eventtype":"event_start","detection":[],"zmes_id":"7:5060:1/mqtt"}',
  );
});

test("at the end the old message has Ended: in front of the name, the same state and an id of its own", () => {
  const message = JSON.parse(oldMessage(aNotice({ ...alarm, phase: "ended" })));
  expect(message).toMatchObject({
    name: "Ended:Front, Drive:(5060) Motion All",
    state: "alarm",
    eventtype: "event_end",
    zmes_id: "7:5060:1:end/mqtt",
  });
});

test("result and JSON of a hook are in the old message, and whether a rule calls it critical", () => {
  const hook = { result: 1, text: "x", json: [{ label: "dog" }], note: "ran" } as const;
  expect(JSON.parse(oldMessage(aNotice({ ...alarm, hook, critical: true })))).toMatchObject({
    hookvalue: "1",
    detection: [{ label: "dog" }],
    critical: "true",
  });
});

test("scripts that cut the name at its brackets get name, event and cause", () => {
  const { name } = JSON.parse(oldMessage(aNotice(alarm)));
  const [camera, rest] = name.split(":(");
  expect([camera, ...rest.split(") ")]).toEqual(["Front, Drive", "5060", "Motion All"]);
});

test("an alarm without an event carries event 0", () => {
  const without = anAlarm({ eventId: null });
  expect(JSON.parse(oldMessage(aNotice(without)))).toMatchObject({
    eventid: "0",
    name: "Garage:(0) Motion All",
  });
  expect(JSON.parse(eventMessage(aNotice(without)))).toMatchObject({ event_id: "0" });
});

test("our own message says when the alarm was seen, and whether it was found late", () => {
  const message = JSON.parse(eventMessage(aNotice({ ...alarm, seenAt: 1_700_000_000_000, late: true })));
  expect(message).toEqual({
    event_type: "event_start",
    event_id: "5060",
    monitor_id: "7",
    monitor: "Front, Drive",
    cause: "Motion All",
    seen_at: "2023-11-14T22:13:20.000Z",
    late: "true",
    zmes_id: "7:5060:1/mqtt",
  });
});
