// The whole daemon: a phone registers over its socket, and an alarm in shared memory reaches it through Google.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFcmChannel } from "../../src/channels/fcm/fcm.ts";
import { explainAlarm } from "../../src/delivery/history.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createDevices } from "../../src/store/devices.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { createKnownRights } from "../../src/store/known-rights.ts";
import { createSite, type PhonesOfSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { type Google, startGoogle } from "../support/google.ts";
import { fcmOptions } from "../support/phones.ts";
import type { TestClient } from "../support/ws-client.ts";

const TOKEN = "dXy:APA91b-long-enough-27a387";

let google: Google;
let site: Site;
let folder: string;

const withPhones: PhonesOfSite = (parts) => {
  const { config, rights, memory, logger } = parts;
  folder = parts.folder;
  const devices = createDevices({
    ...config,
    fcm: { ...config.fcm, token_file: join(folder, "tokens.txt") },
    general: { base_data_path: folder },
    zoneminder: { rights_reload_interval: 0.05 },
    rights: createKnownRights({ source: rights, memory, clock: systemClock }),
    canPush: () => true,
    clock: systemClock,
    logger,
  });
  const fcm = createFcmChannel({
    options: fcmOptions({ fcm_service_account_file: google.keyFile }),
    devices,
    picture: async () => null,
    clock: systemClock,
    logger,
    target: { origin: google.origin, ca: google.ca },
  });
  return { devices, channels: [fcm] };
};

beforeEach(async () => {
  google = await startGoogle();
  site = createSite((config) => config, [], withPhones);
  await site.start();
});
afterEach(async () => {
  await site.remove();
  await google.stop();
});

async function registered(user: string, data: Record<string, unknown> = {}): Promise<TestClient> {
  const client = await site.logIn(user);
  client.send({
    event: "push",
    data: { type: "token", token: TOKEN, platform: "android", state: "enabled", ...data },
  });
  client.send({ event: "control", data: { type: "version" } });
  expect(await client.next()).toMatchObject({ event: "control", type: "version" });
  return client;
}

/** The event ids that Google accepted for phones, in order. */
const pushed = () =>
  google.accepted.map(({ body }) => (body as { message: { data: { eid: string } } }).message.data.eid);

function why(event: number): string {
  const history = openHistory(site.dataFile, { write: false });
  try {
    return history.alarmsOfEvent(event).flatMap(explainAlarm).join("\n");
  } finally {
    history.close();
  }
}

test("a phone with an open socket gets the push and the supplementary copy; without one the push", async () => {
  const phone = await registered("admin");
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  expect(await phone.next()).toMatchObject({ event: "alarm", supplementary: "true" });
  await eventually(() => expect(pushed()).toEqual(["5060"]));
  phone.ws.terminate();
  await eventually(() => expect(site.daemon.clients()).toBe(0));
  site.cameras[1].beginAlarm({ eventId: 5061, cause: "Motion" });
  await eventually(() => expect(pushed()).toEqual(["5060", "5061"]));
});

test("phone, interval and badge are kept over a restart", async () => {
  const phone = await registered("admin", { monlist: "1,2", intlist: "3600,0" });
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  await phone.next();
  await eventually(() => expect(pushed()).toEqual(["5060"]));
  site.cameras[0].endAlarm();
  await site.restart();
  site.cameras[0].beginAlarm({ eventId: 5062, cause: "Motion" });
  site.cameras[1].beginAlarm({ eventId: 5063, cause: "Motion" });
  await eventually(() => expect(pushed()).toEqual(["5060", "5063"]));
  await site.stop();
  const { tokens } = JSON.parse(readFileSync(join(folder, "tokens.txt"), "utf8"));
  expect(tokens[TOKEN]).toMatchObject({ invocations: { count: 2 }, zmes: { owner: "admin", badge: 2 } });
});

test("a phone is told only of what its user may see, and nothing once the user is disabled", async () => {
  await registered("guest", { monlist: "1,2", intlist: "" });
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  site.cameras[1].beginAlarm({ eventId: 5061, cause: "Motion" });
  await eventually(() => expect(pushed()).toEqual(["5061"]));
  site.cameras[1].endAlarm();
  const asked = vi.fn(async (users: readonly string[]) => new Map(users.map((user) => [user, null])));
  await site.restart(() => {
    site.zoneminder.logins = { ...site.zoneminder.logins, rightsOf: asked };
  });
  await eventually(() => expect(asked.mock.calls.length).toBeGreaterThan(1));
  site.cameras[1].beginAlarm({ eventId: 5064, cause: "Motion" });
  await eventually(() => expect(why(5064)).toContain("phone ...27a387: not sent"));
  expect(pushed()).toEqual(["5061"]);
});

test("what nobody knows the right to is held, over a restart too, and told late or refused once it is known", async () => {
  await registered("guest", { monlist: "1,2", intlist: "" });
  const { rightsOf, ...logins } = site.zoneminder.logins;
  let isAway = true;
  const away = async (users: readonly string[]) => {
    if (isAway) throw new Error("the database is away");
    return rightsOf(users);
  };
  site.zoneminder.logins = { ...logins, rightsOf: away };
  await site.restart(() => rmSync(site.dataFile)); // and with it what was known of rights
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  site.cameras[1].beginAlarm({ eventId: 5061, cause: "Motion" });
  const held = /27a387: waits for its first attempt since .*: it is not known yet what its user may see/;
  await eventually(() => expect(why(5060)).toMatch(held));
  await site.restart();
  expect(pushed()).toEqual([]);
  isAway = false;
  await eventually(() => expect(pushed()).toEqual(["5061"]));
  await eventually(() => {
    expect(why(5060)).toMatch(/27a387: dropped at .*: its user may not see monitor 1/);
    expect(why(5061)).toMatch(/27a387: sent to FCM at \S+, \d+ ms after the alarm/);
  });
});

test("a token that Google calls unregistered is forgotten, in the file too", async () => {
  google.answer = () => "unregistered";
  await registered("admin");
  site.cameras[0].beginAlarm({ eventId: 5060, cause: "Motion" });
  await eventually(() => {
    const { tokens } = JSON.parse(readFileSync(join(folder, "tokens.txt"), "utf8"));
    expect(tokens).toEqual({});
  });
});
