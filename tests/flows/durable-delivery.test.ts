// The whole daemon: an alarm in shared memory reaches sockets and a durable channel, over restarts, and is explained.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { explainAlarm } from "../../src/delivery/history.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { mid } from "../support/builders.ts";
import { createSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";

let channel: FakeChannel;
let site: Site;

beforeEach(() => {
  channel = createFakeChannel();
  channel.people = [aPerson("27a387"), aPerson("9f665f", { monitors: new Set([mid(2)]) })];
  site = createSite((config) => config, [channel]);
});
afterEach(() => site.remove());

function why(event: number): string {
  const history = openHistory(site.dataFile, { write: false });
  try {
    return history.alarmsOfEvent(event).flatMap(explainAlarm).join("\n");
  } finally {
    history.close();
  }
}

describe("an alarm", () => {
  it("is told over the sockets, then delivered, and both are explained while the daemon runs", async () => {
    await site.start();
    const client = await site.logIn();
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion:Porch" });
    await client.next();
    await eventually(() => expect(channel.accepted.map(({ id }) => id)).toEqual(["1:5060:1/fcm:27a387"]));
    await eventually(() => {
      expect(why(5060)).toMatch(/^Front Door \(monitor 1\), Motion:Porch: seen at /);
      expect(why(5060)).toContain("sockets: 1 client told");
      expect(why(5060)).toMatch(/phone \.\.\.27a387: sent to FCM at .* after the alarm: accepted/);
      expect(why(5060)).toContain("phone ...9f665f: not sent, monitor 1 is outside its list");
    });
  });

  it("that waits when the daemon ends is delivered by the next one, once", async () => {
    await site.start();
    channel.answer = () => "hang";
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "" });
    await eventually(() => expect(channel.attempts).toHaveLength(1));
    channel.answer = () => "accept";
    await site.restart();
    await eventually(() => expect(channel.accepted).toHaveLength(1));
    await site.restart();
    site.cameras[1].beginAlarm({ eventId: 5061, cause: "" });
    await eventually(() =>
      expect(channel.accepted.map(({ alarm }) => alarm.eventId)).toEqual([5060, 5061, 5061]),
    );
  });

  it("ends the daemon in time however the other side hangs", async () => {
    await site.start();
    channel.deliver = () => new Promise(() => undefined);
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "" });
    await eventually(() => expect(why(5060)).toContain("waits for its first attempt"));
    const begun = performance.now();
    await site.stop();
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
