import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel } from "../../../src/channels/channel.ts";
import { createFcmChannel, type FcmOptions } from "../../../src/channels/fcm/fcm.ts";
import { createTableDevices } from "../../../src/channels/fcm/notifications.ts";
import type { Notice } from "../../../src/domain/notice.ts";
import type { TablePhone } from "../../../src/domain/table-phone.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { recipientIdOf } from "../../../src/store/device-entry.ts";
import { aMonitor, mid } from "../../support/builders.ts";
import { eventually } from "../../support/eventually.ts";
import { type Google, type GoogleAnswer, startGoogle } from "../../support/google.ts";
import { fcmOptions, noticeFor, type Phones, startPhones } from "../../support/phones.ts";
import { type Relay, startRelay } from "../../support/relay.ts";

const never = new AbortController().signal;
let lines: { level: number; msg: string }[] = [];
const logger = pino({ level: "debug" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
let google: Google;
let relay: Relay;
let phones: Phones;
const channels: Channel[] = [];

beforeEach(async () => {
  lines = [];
  [google, relay, phones] = await Promise.all([startGoogle(), startRelay(), startPhones(logger)]);
});
afterEach(async () => {
  for (const channel of channels.splice(0)) await channel.stop();
  await Promise.all([google.stop(), relay.stop(), phones.stop()]);
});

function channelWith(
  change: Partial<FcmOptions>,
  picture: string | null = null,
  timeoutMs = 10_000,
): Channel {
  const channel = createFcmChannel({
    options: fcmOptions(change),
    devices: phones.devices,
    picture: async () => picture,
    clock: systemClock,
    logger,
    target: change.fcm_v1_url ? {} : { origin: google.origin, ca: google.ca, timeoutMs },
  });
  channels.push(channel);
  return channel;
}

const direct = (change: Partial<FcmOptions> = {}, picture: string | null = null) =>
  channelWith({ fcm_service_account_file: google.keyFile, ...change }, picture);
const byRelay = (change: Partial<FcmOptions> = {}) =>
  channelWith({ fcm_v1_url: relay.url, fcm_v1_key: relay.key, ...change });

const outcome = (channel: Channel, notice: Notice) =>
  channel.deliver(notice, never).then(
    (words) => ({ accepted: words }),
    ({ failure, message, retryAfterMs }) => ({ failure, message, retryAfterMs }),
  );

describe("a push straight to Google", () => {
  it("is accepted, counted, and raises the badge by one each time", async () => {
    const phone = phones.register({ platform: "ios" });
    const channel = direct();
    expect(await channel.deliver(noticeFor(phone), never)).toBe(
      "accepted by FCM as 0:1500415314455276%31bd1c96",
    );
    await channel.deliver(noticeFor(phone, { edge: 2 }), never);
    expect(google.complaints).toEqual([]);
    expect(google.accepted.map(({ body }) => JSON.stringify(body).match(/"badge":(\d+)/)?.[1])).toEqual([
      "1",
      "2",
    ]);
    expect(phone.invocations.count).toBe(2);
    expect(phone.lastSuccess).not.toBeNull();
  });

  it("carries the picture it is given, and is sent without one when the picture fails", async () => {
    const phone = phones.register({ platform: "ios" });
    await direct({}, "https://cameras.example.org/p/x").deliver(noticeFor(phone), never);
    expect(JSON.stringify(google.accepted[0])).toContain('"image":"https://cameras.example.org/p/x"');
    const broken = createFcmChannel({
      options: fcmOptions({ fcm_service_account_file: google.keyFile }),
      devices: phones.devices,
      picture: () => Promise.reject(new Error("no such frame")),
      clock: systemClock,
      logger,
      target: { origin: google.origin, ca: google.ca },
    });
    channels.push(broken);
    await broken.deliver(noticeFor(phone), never);
    expect(google.accepted).toHaveLength(2);
  });

  it.each(["unregistered", "bad-token"] as const)(
    "forgets the phone everywhere when Google says %s",
    async (answer) => {
      const phone = phones.register();
      google.answer = () => answer;
      expect(await outcome(direct(), noticeFor(phone))).toMatchObject({ failure: "gone" });
      expect(phones.devices.find(phone.id)).toBeNull();
      expect(phones.devices.recipients()).toEqual([]);
      expect(await outcome(direct(), noticeFor(phone))).toMatchObject({ failure: "gone" });
    },
  );

  it.each<[GoogleAnswer, string]>([
    ["bad-argument", "FCM answered 400 INVALID_ARGUMENT: Android message is too big"],
    ["sender-mismatch", "another Firebase project"],
    ["apns-key", "no valid APNs key"],
    [{ status: 404, body: "<html>Not Found</html>" }, "FCM answered 404: Not Found"],
    [
      { status: 403, body: '{"error":{"code":403,"status":"PERMISSION_DENIED","message":"disabled"}}' },
      "PERMISSION_DENIED: disabled",
    ],
  ])("is rejected with Google's words for %j, and the phone stays", async (answer, words) => {
    const phone = phones.register();
    google.answer = () => answer;
    expect(await outcome(direct(), noticeFor(phone))).toMatchObject({
      failure: "rejected",
      message: expect.stringContaining(words),
    });
    expect(phones.devices.find(phone.id)?.lastError?.reason).toContain(words);
  });

  it.each<[GoogleAnswer, number | null]>([
    [{ status: 503, retryAfter: "7" }, 7_000],
    [{ status: 500 }, null],
    [{ status: 429, retryAfter: "120" }, 120_000],
    [{ status: 429 }, 60_000],
    ["cut", null],
    ["hang", null],
  ])("is tried again later after %j", async (answer, retryAfterMs) => {
    const phone = phones.register();
    google.answer = () => answer;
    const impatient = channelWith({ fcm_service_account_file: google.keyFile }, null, 1_000);
    expect(await outcome(impatient, noticeFor(phone))).toMatchObject({ failure: "retry", retryAfterMs });
  });

  it("waits until the moment a Retry-After names", async () => {
    const phone = phones.register();
    google.answer = () => ({ status: 503, retryAfter: new Date(Date.now() + 30_000).toUTCString() });
    const { retryAfterMs } = (await outcome(direct(), noticeFor(phone))) as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(25_000);
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  it("shows the same badge when it is tried again", async () => {
    const phone = phones.register({ platform: "ios" });
    google.answer = (_token, attempt) => (attempt < 3 ? { status: 503 } : "ok");
    const channel = direct();
    const notice = noticeFor(phone);
    await outcome(channel, notice);
    await outcome(channel, notice);
    await channel.deliver(notice, never);
    expect(JSON.stringify(google.accepted[0])).toContain('"badge":1');
  });

  it("renews a refused access token once, and then waits", async () => {
    const phone = phones.register();
    const channel = direct();
    await channel.deliver(noticeFor(phone), never);
    google.revokeTokens();
    await channel.deliver(noticeFor(phone, { edge: 2 }), never);
    expect(google.counts).toMatchObject({ tokens: 2, messages: 3 });
    google.answer = () => ({ status: 401 });
    expect(await outcome(channel, noticeFor(phone, { edge: 3 }))).toMatchObject({ failure: "retry" });
    expect(google.counts).toMatchObject({ tokens: 3, messages: 5 });
  });

  it("to a thousand phones takes one access token and two connections for them", async () => {
    for (let each = 0; each < 1000; each++)
      phones.register({ token: `cGhvbmU:APA91b-long-enough-${each}`, user: `user${each}` });
    const channel = channelWith({ fcm_service_account_file: google.keyFile });
    google.latencyMs = 5;
    const waiting = phones.devices.all().map((phone) => noticeFor(phone));
    // As the dispatcher does: never more than the channel's own limit at once.
    await Promise.all(
      Array.from({ length: channel.concurrency }, async () => {
        for (let notice = waiting.pop(); notice; notice = waiting.pop()) await channel.deliver(notice, never);
      }),
    );
    expect(google.accepted).toHaveLength(1000);
    expect(google.counts).toMatchObject({ tokens: 1, connections: 3 });
  });

  it("never shows a token or a key in errors and logs", async () => {
    const phone = phones.register();
    google.answer = () => "bad-token";
    const { message } = (await outcome(direct(), noticeFor(phone))) as { message: string };
    expect(message).toContain("...");
    const shown = `${message}\n${JSON.stringify(lines)}`;
    expect(shown).not.toContain(phone.token);
    expect(shown).not.toMatch(/ya29|PRIVATE KEY/);
  });

  it("says once that nothing gets through, and once that it does again", async () => {
    const phone = phones.register();
    const channel = direct();
    google.answer = () => ({ status: 503 });
    for (let edge = 1; edge < 5; edge++) await outcome(channel, noticeFor(phone, { edge }));
    google.answer = () => "ok";
    for (let edge = 5; edge < 8; edge++) await outcome(channel, noticeFor(phone, { edge }));
    const said = lines.filter(({ level, msg }) => level >= 30 && msg.startsWith("Push messages"));
    expect(said.map(({ msg }) => msg)).toEqual([
      "Push messages do not get through and are tried again: FCM answered 503 ERROR: Something.",
      "Push messages get through again",
    ]);
  });
});

describe("a push through the proxy", () => {
  it("carries the key as it is", async () => {
    const phone = phones.register();
    expect(await byRelay().deliver(noticeFor(phone), never)).toBe("accepted by the push proxy");
    expect(relay.authorization).toBe(relay.key);
    expect(relay.accepted).toMatchObject([{ token: phone.token, badge: 1, data: { eid: "5060" } }]);
  });

  it.each([
    "token:91b-27a387=>Requested entity was not found.",
    "token:91b-27a387=>The registration token is not a valid FCM registration token",
  ])("forgets the phone when the proxy says %j", async (words) => {
    const phone = phones.register();
    relay.refuse = () => ({ status: 400, body: JSON.stringify({ Error: words }) });
    expect(await outcome(byRelay(), noticeFor(phone))).toMatchObject({
      failure: "gone",
      message: `the push proxy answered 400: ${words}`,
    });
    expect(phones.devices.all()).toEqual([]);
  });

  it.each([
    [400, "rejected"],
    [403, "rejected"],
    [429, "retry"],
    [500, "retry"],
  ])("that answers %i is %s, and the phone stays", async (status, failure) => {
    const phone = phones.register();
    relay.refuse = () => ({ status, body: "no" });
    expect(await outcome(byRelay(), noticeFor(phone))).toMatchObject({ failure });
    expect(phones.devices.all()).toHaveLength(1);
  });

  it("with a wrong key is rejected, and names the setting", async () => {
    const phone = phones.register();
    expect(await outcome(byRelay({ fcm_v1_key: "wrong" }), noticeFor(phone))).toMatchObject({
      failure: "rejected",
      message: "the push proxy answered 401: Unauthorized. Check fcm.fcm_v1_key",
    });
  });

  it("that is away is tried again later", async () => {
    const phone = phones.register();
    const channel = byRelay();
    await relay.stop();
    expect(await outcome(channel, noticeFor(phone))).toMatchObject({
      failure: "retry",
      message: expect.stringMatching(/^the push proxy could not be reached: .*ECONNREFUSED/),
    });
  });
});

describe("push without a usable key", () => {
  it.each([
    [{}, "there is no key for push"],
    [{ api_key: "AAAA-old" }, "fcm.api_key is a key of the legacy interface, which Google ended in 2024"],
    [
      { fcm_v1_url: "ftp://push.example.org/", fcm_v1_key: "k" },
      "fcm.fcm_v1_url is not an http or https address",
    ],
    [
      { fcm_v1_url: "https://push.example.org/", fcm_v1_key: "k\r\nX-Other: 1" },
      "fcm.fcm_v1_key holds characters no key has",
    ],
    [{ fcm_v1_key: "k" }, "fcm.fcm_v1_key is set, but fcm.fcm_v1_url, the address it belongs to, is not"],
  ])("of %j tells each phone's alarm why nothing was sent", async (change, words) => {
    const phone = phones.register();
    const channel = channelWith(change);
    await channel.start(never);
    expect(channel.recipients().map(({ label }) => label)).toEqual(["phone ...27a387"]);
    expect(await outcome(channel, noticeFor(phone))).toMatchObject({ failure: "rejected", message: words });
    expect(phones.devices.all()).toHaveLength(1);
  });

  it("is one warning with the way out where the key file is missing, and notices wait for it", async () => {
    const phone = phones.register();
    const channel = direct({ fcm_service_account_file: "/nowhere/firebase.json" });
    await channel.start(never);
    expect(lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/firebase\.json.*cannot be read: ENOENT\. Check .* \[FCM_KEY_UNREADABLE\]$/),
    ]);
    expect(await outcome(channel, noticeFor(phone))).toMatchObject({ failure: "retry" });
  });

  it("that is switched off reaches nobody", async () => {
    const phone = phones.register();
    const channel = direct({ enable: false });
    expect(channel.recipients()).toEqual([]);
    expect(await outcome(channel, noticeFor(phone))).toMatchObject({ failure: "rejected" });
    phones.devices.forget(phone.id, "to see what becomes of its notices");
    expect(await outcome(channel, noticeFor(phone))).toMatchObject({ failure: "rejected" });
    expect(google.counts.messages).toBe(0);
  });
});

describe("a notice that waited over a restart", () => {
  const row: TablePhone = {
    token: "dGFibGU:APA91b-long-enough-9f665f",
    platform: "android",
    monitorList: "",
    interval: 0,
    appVersion: "1.1.14",
    profile: null,
    badge: 0,
    lastNotifiedAt: null,
    user: "anna",
  };

  it("for a phone of ZoneMinder's table waits for the database", async () => {
    let isAway = true;
    const table = createTableDevices({
      table: {
        read: async () => (isAway ? Promise.reject(new Error("ECONNREFUSED")) : [row]),
        asksForLogin: async () => true,
        noteDelivered: async () => undefined,
        remove: async () => undefined,
        rightsOf: async () => new Map([["anna", "all"]]),
        lastKnown: () => undefined,
      },
      memory: { fact: async () => undefined, putFact: () => undefined },
      idOf: recipientIdOf,
      clock: systemClock,
      logger,
    });
    const channel = createFcmChannel({
      options: fcmOptions({ fcm_service_account_file: google.keyFile }),
      devices: phones.devices,
      table,
      picture: async () => null,
      clock: systemClock,
      logger,
      target: { origin: google.origin, ca: google.ca },
    });
    channels.push(channel);
    await channel.start(never);
    const notice = noticeFor({ ...phones.register(), id: recipientIdOf(row.token) });
    expect(await outcome(channel, notice)).toMatchObject({ failure: "retry" });
    isAway = false;
    await eventually(async () => expect(await outcome(channel, notice)).toHaveProperty("accepted"));
  });
});

describe("what changed between the alarm and the push", () => {
  it("ends at the monthly cap, in words", async () => {
    const phone = phones.register();
    const channel = direct({ monthly_cap: 1 });
    await channel.deliver(noticeFor(phone), never);
    const words = "the phone got its 1 push messages of this month (fcm.monthly_cap)";
    expect(await outcome(channel, noticeFor(phone, { edge: 2 }))).toMatchObject({
      failure: "rejected",
      message: words,
    });
    expect(phone.lastError?.reason).toBe(words);
    expect(google.accepted).toHaveLength(1);
  });

  it("holds back from a phone that switched push off", async () => {
    const phone = phones.register();
    phones.register({ state: "disabled" });
    expect(await outcome(direct(), noticeFor(phone))).toMatchObject({ failure: "rejected" });
    expect(google.counts.messages).toBe(0);
  });

  it("holds back what its user may not see any more", async () => {
    const phone = phones.register();
    const monitor = aMonitor({ id: mid(4) });
    phones.register({ rights: new Set([mid(1)]) });
    const old = noticeFor(phone, { monitor }, Date.now() - 60_000);
    const channel = direct();
    await eventually(async () => {
      expect(await outcome(channel, old)).toMatchObject({
        failure: "forbidden",
        message: "its user may not see monitor 4",
      });
    });
    expect(google.accepted).toEqual([]);
  });

  it("holds back what the user who took over the phone may not see, however young the notice", async () => {
    const notice = noticeFor(phones.register({ user: "anna" }), { monitor: aMonitor({ id: mid(4) }) });
    const channel = direct();
    await channel.deliver(notice, never);
    phones.register({ user: "ben", rights: new Set([mid(1)]) });
    expect(await outcome(channel, notice)).toMatchObject({ failure: "forbidden" });
    expect(google.accepted).toHaveLength(1);
  });
});
