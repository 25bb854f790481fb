// The whole daemon and a stand-in for Google: a byte in shared memory makes a phone ring, whatever Google answers.
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFcmChannel, type FcmOptions } from "../../src/channels/fcm/fcm.ts";
import { explainAlarm } from "../../src/delivery/history.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { createSite, type Site } from "../support/daemon.ts";
import { type Google, startGoogle } from "../support/google.ts";
import { fcmOptions, type Phones, startPhones } from "../support/phones.ts";

const WAIT = { timeout: 15_000, interval: 20 };
const logger = pino({ level: "silent" });

describe("an alarm on phones", () => {
  let google: Google;
  let phones: Phones;
  let site: Site;

  beforeEach(async () => {
    [google, phones] = await Promise.all([startGoogle(), startPhones(logger)]);
    phones.register();
    phones.register({ token: "b3RoZXI:APA91b-long-enough-9f665f", lists: { monlist: "2", intlist: "0" } });
  });
  afterEach(async () => {
    await site.remove();
    await Promise.all([google.stop(), phones.stop()]);
  });

  async function start(change: Partial<FcmOptions> = {}): Promise<void> {
    const channel = createFcmChannel({
      options: fcmOptions({ fcm_service_account_file: google.keyFile, ...change }),
      devices: phones.devices,
      picture: async () => null,
      clock: systemClock,
      logger,
      target: { origin: google.origin, ca: google.ca },
    });
    site = createSite(undefined, [channel]);
    await site.start();
  }

  function why(event: number): string {
    const history = openHistory(site.dataFile, { write: false });
    try {
      return history.alarmsOfEvent(event).flatMap(explainAlarm).join("\n");
    } finally {
      history.close();
    }
  }

  it("reaches those who want it, and is explained", async () => {
    await start();
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion:Porch" });
    await vi.waitFor(() => expect(google.accepted).toHaveLength(1), WAIT);
    expect(google.accepted[0]?.body).toMatchObject({
      message: { notification: { title: "Front Door Alarm" }, data: { mid: "1", eid: "5060" } },
    });
    await vi.waitFor(() => {
      expect(why(5060)).toMatch(/phone \.\.\.27a387: sent to FCM .*accepted by FCM/);
      expect(why(5060)).toContain("phone ...9f665f: not sent, monitor 1 is outside its list");
    }, WAIT);
  });

  it("is sent again after Google was busy, under the same collapse id", async () => {
    await start();
    google.answer = (_token, attempt) => (attempt < 3 ? { status: 503 } : "ok");
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "" });
    await vi.waitFor(() => expect(google.accepted).toHaveLength(1), WAIT);
    expect(google.counts.messages).toBe(3);
    expect(JSON.stringify(google.accepted[0])).toContain('"tag":"1:5060:1"');
  });

  it("is no longer sent to a phone that Google calls gone", async () => {
    await start();
    google.answer = () => "unregistered";
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "" });
    await vi.waitFor(() => expect(phones.devices.all()).toHaveLength(1), WAIT);
    await vi.waitFor(() => expect(why(5060)).toMatch(/phone \.\.\.27a387: .*UNREGISTERED/), WAIT);
    site.cameras[0].endAlarm();
    site.cameras[1].beginAlarm({ eventId: 5061, cause: "" });
    await vi.waitFor(() => expect(why(5061)).toContain("phone ...9f665f"), WAIT);
    expect(why(5061)).not.toContain("27a387");
  });

  it("without a key says why no phone rang", async () => {
    await start({ fcm_service_account_file: null });
    site.cameras[0].beginAlarm({ eventId: 5060, cause: "" });
    await vi.waitFor(() => expect(why(5060)).toMatch(/phone \.\.\.27a387: .*there is no key for push/), WAIT);
  });
});
