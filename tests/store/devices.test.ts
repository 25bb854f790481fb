import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { DeviceLink } from "../../src/domain/device-link.ts";
import type { NoticeId, RecipientId } from "../../src/domain/notice.ts";
import { decide } from "../../src/domain/policy.ts";
import { aMonitor, anAlarm, mid } from "../support/builders.ts";
import { aRegistration, createPhones, type Phones } from "../support/device-files.ts";
import { eventually } from "../support/eventually.ts";

let phones: Phones;
afterEach(() => phones.remove());

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/tokens", name), "utf8");
const find = (token: string) => phones.devices.all().find((device) => device.token === token);
const beside = () => readdirSync(dirname(phones.file)).sort();

async function started(...change: Parameters<typeof createPhones>): Promise<void> {
  phones = createPhones(...change);
  await phones.start();
}

function register(change: Parameters<typeof aRegistration>[0] = {}): DeviceLink {
  const link = phones.devices.register(aRegistration(change));
  if (link === "full") throw new Error("no room");
  return link;
}

/** Edits the file as a person does who is done with it. */
function edit(change: (tokens: Record<string, Record<string, unknown>>) => void): void {
  const content = JSON.parse(readFileSync(phones.file, "utf8"));
  change(content.tokens);
  writeSettled(JSON.stringify(content));
}

function writeSettled(text: string): void {
  writeFileSync(phones.file, text);
  const before = new Date(Date.now() - 5_000);
  utimesSync(phones.file, before, before);
}

/** Whether push would tell the device of an alarm on this monitor now. */
function isTold(token: string, monitor: number): boolean {
  const recipient = phones.devices.recipients().find(({ id }) => id === find(token)?.id);
  const alarm = anAlarm({ monitor: aMonitor({ id: mid(monitor) }) });
  return recipient !== undefined && decide(alarm, recipient.preferences, Date.now()).send;
}

test("a registered phone is known at once, and in the file soon after", async () => {
  await started();
  register({ lists: { monlist: "2,4", intlist: "0,60" }, profile: "Home" });
  expect(find("dXy:APA91b-example")).toMatchObject({ owner: "admin", monlist: "2,4", profile: "Home" });
  await eventually(() =>
    expect(phones.tokens()["dXy:APA91b-example"]).toMatchObject({
      monlist: "2,4",
      intlist: "0,60",
      platform: "android",
      pushstate: "enabled",
      appversion: "1.1.14",
      profile: "Home",
      zmes: { owner: "admin" },
    }),
  );
});

test("no token is in the log or in an id", async () => {
  await started();
  register();
  phones.devices.forget(find("dXy:APA91b-example")?.id as RecipientId, "Google says so");
  expect(JSON.stringify(phones.log)).not.toContain("APA91b");
  expect(phones.messages()).toContain("Forgot phone ...xample: Google says so");
});

test("with fcm.enable off the file is neither read nor written", async () => {
  phones = createPhones({ fcm: { enable: false } });
  phones.write(fixture("v5.txt"));
  await phones.start();
  await phones.stop();
  expect(phones.devices.all()).toEqual([]);
  expect(readFileSync(phones.file, "utf8")).toBe(fixture("v5.txt"));
});

test("an old file is brought to JSON, itself kept beside it, and its phones keep their lists", async () => {
  phones = createPhones();
  phones.write(fixture("v5.txt"));
  await phones.start();
  expect(readFileSync(`${phones.file}.colon`, "utf8")).toBe(fixture("v5.txt"));
  expect(Object.keys(phones.tokens()).sort()).toEqual(["abc:def", "dXy:APA91b-old", "ghi"]);
  expect(phones.tokens()["abc:def"]).toMatchObject({
    monlist: "1,2,3",
    intlist: "0,60,0",
    pushstate: "enabled",
  });
  expect([isTold("abc:def", 2), isTold("abc:def", 4)]).toEqual([true, false]);
  expect(phones.messages().filter((line) => line.includes("no owner"))).toHaveLength(1);
});

test("a phone of an old file is told until the days for adoption are over, also over restarts", async () => {
  let now = Date.now();
  const clock = { now: () => now, monotonic: () => performance.now() };
  phones = createPhones({ clock, devices: { adopt_days: 30 } });
  phones.write(fixture("v5.txt"));
  await phones.start();
  now += 29 * 86_400_000;
  await phones.restart();
  expect(isTold("abc:def", 1)).toBe(true);
  now += 2 * 86_400_000;
  await phones.restart();
  expect(isTold("abc:def", 1)).toBe(false);
  expect(find("abc:def")).toMatchObject({ owner: null, monlist: "1,2,3" });
  phones.devices.register(aRegistration({ token: "abc:def" }));
  expect(isTold("abc:def", 1)).toBe(true);
});

test("registering again without lists keeps what is stored", async () => {
  await started();
  register({ lists: { monlist: "2,4", intlist: "0,60" } });
  register({ lists: null });
  expect(find("dXy:APA91b-example")).toMatchObject({ monlist: "2,4", intlist: "0,60" });
  register({ lists: { monlist: "", intlist: "" } });
  expect(find("dXy:APA91b-example")?.filter.monitors).toBe("all");
});

test("a token that registers elsewhere moves there, with its counters, intervals and badge", async () => {
  await started();
  const first = register({ lists: { monlist: "4", intlist: "60" } });
  const id = find("dXy:APA91b-example")?.id as RecipientId;
  phones.devices.takeBadge(id, "a" as NoticeId);
  phones.devices.noteDelivered(id, "a" as NoticeId);
  find("dXy:APA91b-example")?.lastTold.set(mid(4), Date.now());
  const second = register();
  expect([first.isCurrent, first.isPushed, second.isPushed]).toEqual([false, false, true]);
  expect(phones.devices.all()).toHaveLength(1);
  expect(find("dXy:APA91b-example")).toMatchObject({ badge: 1, invocations: { count: 1 } });
  expect(isTold("dXy:APA91b-example", 4)).toBe(false);
  first.setFilter("9", "");
  expect(find("dXy:APA91b-example")?.monlist).toBe("4");
});

test("badge, counter, intervals and the last outcome survive a restart", async () => {
  await started();
  register({ lists: { monlist: "4", intlist: "60" } });
  const id = find("dXy:APA91b-example")?.id as RecipientId;
  phones.devices.takeBadge(id, "a" as NoticeId);
  phones.devices.noteDelivered(id, "a" as NoticeId);
  phones.devices.noteFailed(id, "429 too many");
  phones.devices.recipients()[0]?.preferences.lastTold.set(mid(4), Date.now());
  await phones.restart();
  const device = phones.devices.find(id);
  expect(device).toMatchObject({
    badge: 1,
    invocations: { count: 1 },
    lastError: { reason: "429 too many" },
  });
  expect(device?.lastSuccess).toBeGreaterThan(0);
  expect(isTold("dXy:APA91b-example", 4)).toBe(false);
});

test("each notice has the next badge, and the same one when it is tried again", async () => {
  await started();
  const link = register();
  const id = find("dXy:APA91b-example")?.id as RecipientId;
  const take = (notice: string) => phones.devices.takeBadge(id, notice as NoticeId);
  expect([take("a"), take("b"), take("a")]).toEqual([1, 2, 1]);
  link.setBadge(0);
  expect(take("c")).toBe(1);
});

test("a badge is set only by the user to whom the phone belongs", async () => {
  await started();
  register().setBadge(5);
  phones.devices.setBadge("dXy:APA91b-example", 0, "guest");
  expect(find("dXy:APA91b-example")?.badge).toBe(5);
  phones.devices.setBadge("dXy:APA91b-example", 2, "admin");
  expect(find("dXy:APA91b-example")?.badge).toBe(2);
});

test("a phone is told only of what its owner may see, within moments of a change", async () => {
  await started();
  phones.rights.set("guest", new Set([mid(2)]));
  register({ user: "guest", rights: new Set([mid(2)]) });
  expect([isTold("dXy:APA91b-example", 1), isTold("dXy:APA91b-example", 2)]).toEqual([false, true]);
  phones.rights.set("guest", new Set([mid(1)]));
  await eventually(() => expect(isTold("dXy:APA91b-example", 1)).toBe(true));
  expect(isTold("dXy:APA91b-example", 2)).toBe(false);
  phones.rights.set("guest", null);
  await eventually(() => expect(isTold("dXy:APA91b-example", 1)).toBe(false));
  phones.rights.set("guest", "all");
  await eventually(() => expect(isTold("dXy:APA91b-example", 1)).toBe(true));
});

test("while the database is away the last known rights hold, after a restart too", async () => {
  await started();
  phones.rights.set("guest", new Set([mid(2)]));
  register({ user: "guest", rights: new Set([mid(2)]) });
  await eventually(() => expect(phones.facts.size).toBe(1));
  phones.isDatabaseAway = true;
  await phones.restart();
  await eventually(() => expect(phones.messages().join()).toContain("database away"));
  expect([isTold("dXy:APA91b-example", 1), isTold("dXy:APA91b-example", 2)]).toEqual([false, true]);
});

test("of an owner of whom nothing was ever known it is said so, until something is", async () => {
  phones = createPhones();
  phones.isDatabaseAway = true;
  phones.write('{"tokens":{"a":{"zmes":{"owner":"admin"}}}}');
  await phones.start();
  const rights = () => phones.devices.recipients()[0]?.preferences.rights;
  expect(rights()).toBe("unknown");
  phones.isDatabaseAway = false;
  await eventually(() => expect(rights()).toBe("all"));
});

test("a phone that switched push off is no recipient, and its link says so", async () => {
  await started();
  const link = register({ state: "disabled" });
  expect(phones.devices.recipients()).toEqual([]);
  expect(link.isPushed).toBe(false);
  expect(find("dXy:APA91b-example")).toBeDefined();
});

test("without a key for push, or with the month used up, no copy is a supplementary one", async () => {
  await started({ fcm: { monthly_cap: 1 } });
  const link = register();
  expect(link.isPushed).toBe(true);
  phones.canPush = false;
  expect(link.isPushed).toBe(false);
  phones.canPush = true;
  phones.devices.noteDelivered(find("dXy:APA91b-example")?.id as RecipientId, "a" as NoticeId);
  expect(link.isPushed).toBe(false);
});

test("a forgotten phone is gone everywhere at once, and does not come back", async () => {
  await started();
  const link = register();
  await eventually(() => expect(existsSync(phones.file)).toBe(true));
  phones.devices.forget(find("dXy:APA91b-example")?.id as RecipientId, "unregistered");
  expect([phones.devices.all(), phones.devices.recipients(), link.isPushed]).toEqual([[], [], false]);
  await phones.restart();
  expect(phones.devices.all()).toEqual([]);
});

test("a user has no more phones than allowed; one that is switched off makes room", async () => {
  await started({ devices: { per_user: 2 } });
  register({ token: "a" });
  register({ token: "b" });
  expect(phones.devices.register(aRegistration({ token: "c" }))).toBe("full");
  register({ token: "b", state: "disabled" });
  register({ token: "c" });
  expect(phones.devices.all().map(({ token }) => token)).toEqual(["a", "c"]);
  register({ token: "d", user: "guest" });
});

test("logging in as somebody else makes the phone theirs", async () => {
  await started();
  phones.rights.set("guest", new Set([mid(2)]));
  register().setOwner("guest", new Set([mid(2)]));
  expect(isTold("dXy:APA91b-example", 1)).toBe(false);
});

test("edits made while the program runs are merged with what it knows", async () => {
  await started();
  for (const token of ["a", "b", "c"]) register({ token, lists: { monlist: "1", intlist: "" } });
  await eventually(() => expect(Object.keys(phones.tokens())).toHaveLength(3));
  edit((tokens) => {
    delete tokens.b;
    tokens.a = { ...tokens.a, monlist: "7", note: "by hand" };
    tokens.new = { monlist: "3", platform: "ios" };
  });
  register({ token: "d" });
  phones.devices.noteFailed(find("a")?.id as RecipientId, "503");
  await eventually(() => expect(Object.keys(phones.tokens()).sort()).toEqual(["a", "c", "d", "new"]));
  await eventually(() => expect(phones.tokens().a).toMatchObject({ monlist: "7", note: "by hand" }));
  expect(phones.tokens().a?.zmes).toMatchObject({ owner: "admin", error: { reason: "503" } });
  expect([isTold("a", 7), isTold("a", 1), isTold("new", 3)]).toEqual([true, false, true]);
});

test("an edit that is still being written is waited for", async () => {
  await started();
  register({ token: "a" });
  await eventually(() => expect(existsSync(phones.file)).toBe(true));
  const whole = '{"tokens":{"by hand":{"monlist":"3"}}}';
  const half = setInterval(() => writeFileSync(phones.file, whole.slice(0, 20)), 100);
  register({ token: "b" });
  phones.devices.noteFailed(find("a")?.id as RecipientId, "503");
  // For three seconds the file is never settled; the registry looks every two.
  const begun = performance.now();
  await eventually(() => expect(performance.now() - begun).toBeGreaterThan(3_000));
  clearInterval(half);
  writeSettled(whole);
  await eventually(() => expect(find("by hand")).toBeDefined());
  expect(beside().filter((name) => name.includes("damaged"))).toEqual([]);
});

test("what stands beside the tokens in the file stays there", async () => {
  phones = createPhones();
  phones.write(fixture("v7.json"));
  await phones.start();
  register();
  await phones.stop();
  expect(JSON.parse(readFileSync(phones.file, "utf8"))).toMatchObject({ comment: "kept" });
});

test("the moment somebody was last told is in the file after a stop, although nothing else changed", async () => {
  await started();
  register({ lists: { monlist: "4", intlist: "60" } });
  await eventually(() => expect(existsSync(phones.file)).toBe(true));
  phones.devices.recipients()[0]?.preferences.lastTold.set(mid(4), Date.now());
  await phones.restart();
  expect(isTold("dXy:APA91b-example", 4)).toBe(false);
});

test("a file that was emptied while the program runs means no tokens", async () => {
  await started();
  register();
  await eventually(() => expect(existsSync(phones.file)).toBe(true));
  writeSettled("");
  await eventually(() => expect(phones.devices.all()).toEqual([]));
});

test("a damaged file is set aside under a new name and reported, never written over", async () => {
  phones = createPhones();
  const damaged = fixture("v7.json").slice(0, 100);
  phones.write(damaged);
  await phones.start();
  expect(phones.devices.all()).toEqual([]);
  expect(readFileSync(`${phones.file}.damaged`, "utf8")).toBe(damaged);
  expect(phones.messages().join()).toContain("The token file is damaged");
  register();
  await phones.stop();
  expect(Object.keys(phones.tokens())).toEqual(["dXy:APA91b-example"]);
});

test("after damage the last whole copy is used", async () => {
  await started();
  register();
  register({ token: "b" });
  await eventually(() => expect(Object.keys(phones.tokens())).toHaveLength(2));
  phones.devices.noteFailed(find("b")?.id as RecipientId, "503");
  await phones.restart(() => writeFileSync(phones.file, readFileSync(phones.file, "utf8").slice(0, 50)));
  expect(phones.devices.all().map(({ token }) => token)).toEqual(["dXy:APA91b-example", "b"]);
  expect(beside()).toContain("tokens.txt.damaged");
});

test("a file damaged while the program runs is set aside, and what is known is written again", async () => {
  await started();
  register();
  await eventually(() => expect(existsSync(phones.file)).toBe(true));
  writeSettled('{"tokens":{"dXy');
  await eventually(() => expect(phones.tokens()).toHaveProperty("dXy:APA91b-example"));
  expect(readFileSync(`${phones.file}.damaged`, "utf8")).toBe('{"tokens":{"dXy');
});

test("a file that was removed while the program runs is written again with the next change", async () => {
  await started();
  register();
  await eventually(() => expect(existsSync(phones.file)).toBe(true));
  rmSync(phones.file);
  register({ token: "b" });
  await eventually(() => expect(Object.keys(phones.tokens())).toHaveLength(2));
});

test("a file that cannot be read is reported, left alone, and read once it can be", async () => {
  phones = createPhones();
  // A folder where the file should be: not even root can read that.
  mkdirSync(phones.file, { recursive: true });
  await phones.start();
  expect(phones.devices.isRead()).toBe(false);
  register();
  await eventually(() => expect(phones.messages().join()).toContain("The token file cannot be used"));
  expect(statSync(phones.file).isDirectory()).toBe(true);
  rmSync(phones.file, { recursive: true });
  await eventually(() => expect(phones.devices.isRead()).toBe(true));
  await phones.stop();
  expect(phones.tokens()).toHaveProperty("dXy:APA91b-example");
});

test("nothing is written while nothing changes", async () => {
  phones = createPhones();
  phones.write(fixture("v7.json"));
  await phones.start();
  await phones.restart();
  const before = readFileSync(phones.file, "utf8");
  const { mtimeMs } = statSync(phones.file);
  await phones.restart();
  expect([readFileSync(phones.file, "utf8"), statSync(phones.file).mtimeMs]).toEqual([before, mtimeMs]);
});
