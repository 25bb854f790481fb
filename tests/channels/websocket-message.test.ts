import type { AddressInfo, Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { alarmFrame, alarmMessage, textFrame } from "../../src/channels/websocket-message.ts";
import { aMonitor, anAlarm, eid, mid } from "../support/builders.ts";
import { connectClient, type TestClient } from "../support/ws-client.ts";

// A real ws connection: frames are written to the socket of its server end, and read by its client end.
let bare: WebSocketServer;
let socket: Socket;
let client: TestClient;
beforeAll(async () => {
  bare = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => bare.once("listening", resolve));
  const connected = new Promise<Socket>((resolve) =>
    bare.on("connection", (_ws, request) => resolve(request.socket)),
  );
  client = await connectClient(`ws://127.0.0.1:${(bare.address() as AddressInfo).port}/`);
  socket = await connected;
});
afterAll(() => {
  client.ws.terminate();
  bare.close();
});

test("an alarm has exactly the fields clients read, ids as strings", () => {
  const alarm = anAlarm({
    monitor: aMonitor({ id: mid(1), name: "Garáž" }),
    eventId: eid(5060),
    cause: "Motion",
  });
  expect(alarmMessage(alarm)).toEqual({
    event: "alarm",
    type: "",
    status: "Success",
    events: [
      {
        Name: "Garáž",
        MonitorName: "Garáž",
        MonitorId: "1",
        EventId: "5060",
        Cause: "Motion",
        DetectionJson: [],
        RulesObject: {},
      },
    ],
  });
});

test("an alarm without an event has the event id 0, as a string", () => {
  expect(alarmMessage(anAlarm({ eventId: null })).events[0].EventId).toBe("0");
});

test("an empty cause stays an empty string", () => {
  expect(alarmMessage(anAlarm({ cause: "" })).events[0].Cause).toBe("");
});

test("the end of an event is told by the prefix End:, however often it is built", () => {
  const alarm = anAlarm({ phase: "ended", cause: "Motion" });
  alarmMessage(alarm);
  expect(alarmMessage(alarm).events[0].Cause).toBe("End:Motion");
});

test("what a hook printed, a critical rule and an update have their fields", () => {
  const hook = { result: 0, text: "x", json: { labels: ["dog"] }, note: "ran" } as const;
  const [event] = alarmMessage(anAlarm({ hook, critical: true, phase: "updated" })).events;
  expect(event).toMatchObject({
    DetectionJson: { labels: ["dog"] },
    RulesObject: { notification_type: "critical" },
    Update: "true",
  });
});

test("only a late alarm carries Late, as the string true", () => {
  expect(alarmMessage(anAlarm({ late: true })).events[0].Late).toBe("true");
  expect("Late" in alarmMessage(anAlarm()).events[0]).toBe(false);
});

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])(
  "a text of %i bytes is framed as ws reads it",
  async (size) => {
    const text = "x".repeat(size);
    socket.write(textFrame(text));
    expect(await client.nextText()).toBe(text);
  },
);

test("any text comes out of its frame as it went in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
      socket.write(textFrame(text));
      expect(await client.nextText()).toBe(text);
    }),
  );
});

test("frames written one after the other stay one message each", async () => {
  const alarms = [anAlarm(), anAlarm({ eventId: eid(2) })];
  socket.write(Buffer.concat(alarms.map((alarm) => alarmFrame(alarm))));
  for (const alarm of alarms) expect(await client.next()).toEqual(alarmMessage(alarm));
});
