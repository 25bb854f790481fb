// `zmes why` and `zmes outbox` over a file that a running outbox writes.

import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anAlarm, eid, mid } from "../support/builders.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";
import { aDecision, createOutboxSite, type OutboxSite } from "../support/outbox.ts";

let channel: FakeChannel;
let site: OutboxSite;

beforeEach(async () => {
  channel = createFakeChannel();
  site = createOutboxSite([channel]);
  await site.start();
  const config = `general:\n  base_data_path: ${site.folder}\nzoneminder:\n  config: ${site.folder}/zm.conf\n`;
  writeFileSync(join(site.folder, "zmes.yml"), config);
});
afterEach(() => site.remove());

/** A process of its own: as root it becomes another user, for good. */
function zmes(...args: readonly string[]) {
  const program = join(import.meta.dirname, "../../src/main.ts");
  // The folder belongs to whoever runs the tests; the command becomes the owner that zm.conf names.
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  writeFileSync(join(site.folder, "zm.conf"), `ZM_WEB_USER=${user}\nZM_WEB_GROUP=${user}\n`);
  const all = [program, ...args, "--config", join(site.folder, "zmes.yml")];
  const { stdout, stderr, status } = spawnSync(process.execPath, all, { encoding: "utf8" });
  return { stdout, stderr, status };
}

async function tell(event = 5060): Promise<void> {
  const people = [aPerson("27a387"), aPerson("9f665f", { monitors: new Set([mid(7)]) })];
  const alarm = anAlarm({ eventId: eid(event), seenAt: Date.now() });
  site.outbox.put([aDecision(alarm, people)]);
  site.outbox.noteSockets([{ alarm, counts: { told: 2, refused: {} } }]);
  await eventually(() => expect(channel.attempts.length).toBeGreaterThan(0));
  await site.store.flush();
}

describe("zmes why", () => {
  test("says in sentences who was told and who was not, while the server runs", async () => {
    await tell();
    await eventually(() => expect(site.deliveries()[0]?.state).toBe("delivered"));
    const { stdout, status } = zmes("why", "5060");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Event 5060\nGarage \(monitor 1\), Motion All: seen at /);
    expect(stdout).toContain("  sockets: 2 clients told\n");
    expect(stdout).toMatch(/ {2}phone \.\.\.27a387: sent to FCM at \S+, \d+ ms after the alarm: accepted\n/);
    expect(stdout).toContain("  phone ...9f665f: not sent, monitor 1 is outside its list\n");
  });

  test("says when it knows nothing, and what it takes", () => {
    const unknown = zmes("why", "77");
    expect([unknown.status, unknown.stdout]).toEqual([
      1,
      "Nothing is known of event 77: no alarm of it was seen, or it is older than history.keep.\n",
    ]);
    expect(zmes("why", "yesterday")).toMatchObject({ status: 2, stdout: "" });
  });

  test("names the file it cannot read, and the way out", () => {
    writeFileSync(join(site.folder, "zmes.yml"), "general:\n  base_data_path: /nowhere\n");
    const { stderr, status } = zmes("why", "5060");
    expect(status).toBe(1);
    expect(stderr).toContain("/nowhere/zmes.db");
    expect(stderr).toContain("[HISTORY_UNREADABLE]");
  });
});

describe("zmes outbox", () => {
  test("lists what waits and what was given up, with numbers to name them by", async () => {
    channel.answer = () => "refuse";
    await tell(5060);
    await eventually(() => expect(site.deliveries()[0]?.state).toBe("dead"));
    channel.answer = () => "hang";
    await tell(5061);
    const { stdout, status } = zmes("outbox");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^ +1 {2}phone \.\.\.27a387: event 5060 of Garage, .*; given up after 1 attempt: 400/,
    );
    expect(stdout).toMatch(/\n +3 {2}phone \.\.\.27a387: event 5061 of Garage, .*; not tried yet\n/);
    expect(stdout).toContain("\n1 waiting, 1 given up.\n");
    expect(zmes("outbox", "list").stdout).toBe(stdout);
  });

  test("has one notice, or all that were given up, sent again", async () => {
    channel.answer = () => "refuse";
    await tell(5060);
    await tell(5061);
    await eventually(() => expect(site.deliveries(5061)[0]?.state).toBe("dead"));
    channel.answer = () => "accept";
    expect(zmes("outbox", "retry", "1").stdout).toBe("1 notice is sent again.\n");
    await eventually(() => expect(site.deliveries()[0]?.state).toBe("delivered"));
    expect(zmes("outbox", "retry", "all").stdout).toBe("1 notice is sent again.\n");
    await eventually(() => expect(site.deliveries(5061)[0]?.state).toBe("delivered"));
  });

  test("drops a notice that was given up", async () => {
    channel.answer = () => "refuse";
    await tell();
    await eventually(() => expect(site.deliveries()[0]?.state).toBe("dead"));
    expect(zmes("outbox", "drop", "1").stdout).toBe("1 notice is dropped.\n");
    expect(zmes("outbox").stdout).toBe("0 waiting, 0 given up.\n");
  });

  test("refuses what it does not know", async () => {
    await tell();
    await eventually(() => expect(site.deliveries()[0]?.state).toBe("delivered"));
    expect(zmes("outbox", "retry", "1").stderr).toBe(
      "zmes outbox: notice 1 was delivered, never to be sent, or is not known.\n",
    );
    expect(zmes("outbox", "drop", "99")).toMatchObject({ status: 1 });
    expect(zmes("outbox", "empty")).toMatchObject({ status: 2 });
    expect(zmes("outbox", "retry")).toMatchObject({ status: 2 });
  });
});
