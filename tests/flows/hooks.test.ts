// The whole daemon with hooks: scripts look at alarms before people hear of them, and `zmes why` says what they said.
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import { explainAlarm } from "../../src/delivery/history.ts";
import { openHistory } from "../../src/store/history-file.ts";
import { createSite, type Site } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";

let folder: string;
let site: Site | null = null;
let channel: FakeChannel;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-hook-flow-"));
  channel = createFakeChannel();
  channel.people = [aPerson("27a387")];
});
afterEach(async () => {
  await site?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function script(text: string): string {
  const path = join(folder, "hook");
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function start(hook: Partial<Config["hook"]>): Promise<Site> {
  site = createSite(
    (config) => ({
      ...config,
      customize: { ...config.customize, use_hooks: true, send_event_end_notification: true },
      hook: {
        ...config.hook,
        use_hook_description: true,
        event_start_notify_on_hook_success: ["all"],
        event_end_notify_on_hook_success: ["all"],
        ...hook,
      },
    }),
    [channel],
  );
  await site.start();
  return site;
}

const event = (frame: Record<string, unknown>) => (frame.events as Record<string, unknown>[])[0];
const why = (from: Site, id: number): string => {
  const history = openHistory(from.dataFile, { write: false });
  const lines = history.alarmsOfEvent(id).flatMap(explainAlarm).join("\n");
  history.close();
  return lines;
};

describe("an alarm with a hook", () => {
  it("carries what the script found, on sockets and in notices", async () => {
    const running = await start({
      event_start_hook: script(`echo "[a] detected:person--SPLIT--{\\"labels\\": [\\"person\\"]}"`),
    });
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 7, cause: 'Motion "$(id)"' });
    expect(event(await client.next())).toMatchObject({
      Cause: '[a] detected:person Motion "$(id)"',
      DetectionJson: { labels: ["person"] },
    });
    running.cameras[0].setState("idle");
    expect(event(await client.next())).toMatchObject({
      Cause: 'End:[a] detected:person Motion "$(id)"',
    });
    await eventually(() =>
      expect(channel.accepted.map(({ alarm }) => alarm.phase)).toEqual(["started", "ended"]),
    );
  });

  it("to which the script says no is told to nobody, and the history says why", async () => {
    const running = await start({ event_start_hook: script("exit 1") });
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    await eventually(() => expect(why(running, 7)).toContain("sockets: 0 clients told; 1 not"));
    expect(why(running, 7)).toContain("hook: said no (1)");
    expect(why(running, 7)).toContain("phone ...27a387: not sent, the hook said no");
    expect(client.untaken()).toEqual([]);
  });

  it("whose script hangs is told without it; other cameras do not wait", async () => {
    const running = await start({
      event_start_hook: script("exec sleep 60"),
      timeout: 1,
      hook_skip_monitors: [2],
    });
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    running.cameras[1].beginAlarm({ eventId: 8, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ EventId: "8" });
    expect(event(await client.next())).toMatchObject({ EventId: "7", Cause: "Motion" });
    await eventually(() => expect(why(running, 7)).toContain("hook: took longer than hook.timeout"));
  });

  it("that waits for its script when the program ends is told after the next start", async () => {
    const running = await start({ event_start_hook: script(`touch ${folder}/begun; exec sleep 60`) });
    running.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    await eventually(() => expect(existsSync(join(folder, "begun"))).toBe(true));
    await running.restart();
    await eventually(() => expect(channel.accepted.map(({ alarm }) => alarm.eventId)).toContain(7));
  });

  it("that waits for its script when the program ends is told to whoever is connected", async () => {
    const running = await start({ event_start_hook: script(`touch ${folder}/begun; exec sleep 60`) });
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    await eventually(() => expect(existsSync(join(folder, "begun"))).toBe(true));
    await running.stop();
    expect(event(await client.next())).toMatchObject({ EventId: "7", Cause: "Motion" });
    expect(await client.closed).toMatchObject({ code: 1001 });
  });

  it("has its end told by what the script said in the second step, also over a restart", async () => {
    channel.people = [{ ...aPerson("27a387"), takesUpdates: true }];
    for (const [id, said, end] of [
      [7, "echo detected:dog", "End:detected:dog Motion"],
      [8, "exit 1", undefined],
    ] as const) {
      const running = await start({
        event_start_hook: script(said),
        notify_first: true,
        event_start_notify_on_hook_fail: ["fcm"],
      });
      running.cameras[0].beginAlarm({ eventId: id, cause: "Motion" });
      await eventually(() => expect(why(running, id)).toContain("told anew with the answer of its hook"));
      await running.restart();
      const client = await running.logIn();
      running.cameras[0].setState("idle");
      await eventually(() => expect(why(running, id)).toContain("its end, "));
      await eventually(() => expect(why(running, id).split("its end, ")[1]).toContain("sockets: "));
      const causes = () => client.untaken().map((text) => event(JSON.parse(text))?.Cause);
      await eventually(() => expect(causes()).toEqual(end === undefined ? [] : [end]));
      await running.remove();
    }
  });

  it("is told in two steps where asked for; a socket hears of the second when it asked for updates", async () => {
    channel.people = [{ ...aPerson("27a387"), takesUpdates: true }];
    const running = await start({
      event_start_hook: script("sleep 0.2; echo detected:dog"),
      notify_first: true,
    });
    const [plain, eager] = [await running.logIn(), await running.logIn()];
    eager.send({ event: "auth", data: { user: "admin", password: "secret", updates: true } });
    await eager.next();
    running.cameras[0].beginAlarm({ eventId: 7, cause: "Motion" });
    expect(event(await eager.next())).toMatchObject({ Cause: "Motion" });
    expect(event(await eager.next())).toMatchObject({ Cause: "detected:dog Motion", Update: "true" });
    await eventually(() => expect(channel.accepted).toHaveLength(2));
    expect(event(await plain.next())).toMatchObject({ Cause: "Motion" });
    expect(plain.untaken()).toEqual([]);
  });
});
