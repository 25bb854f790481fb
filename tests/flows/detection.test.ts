// The whole daemon with its built-in detector: real pictures, real processes, and everything that can go wrong with them.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import type { EngineSettings } from "../../src/domain/detect-settings.ts";
import { isAlive } from "../detect/alive.ts";
import { looking, someSettings } from "../detect/jobs.ts";
import { createDetectingSite, type DetectingSite } from "../support/detecting-site.ts";
import { eventually } from "../support/eventually.ts";
import { aPerson, createFakeChannel, type FakeChannel } from "../support/fake-channel.ts";
import { aJpeg } from "../support/pictures.ts";

let folder: string;
let site: DetectingSite | null = null;
let channel: FakeChannel;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zmes-detection-flow-"));
  mkdirSync(join(folder, "event"));
  writeFileSync(join(folder, "event", "snapshot.jpg"), await aJpeg());
  channel = createFakeChannel();
  channel.people = [aPerson("27a387")];
});
afterEach(async () => {
  await site?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const HOG: EngineSettings = {
  kind: "hog",
  stride: [8, 8],
  padding: [8, 8],
  scale: 1.2,
  useMeanShift: false,
  minWeight: 0,
};
const PERSON =
  '[s] detected:person--SPLIT--{"labels": ["person"], "boxes": [[1, 2, 30, 40]], "frame_id": "snapshot", "confidences": [0.9], "image_dimensions": {"original": [48, 64], "resized": null}}';

/** A program as an engine; it sees the picture as its last argument. */
function program(text: string, name = "engine"): EngineSettings {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return { kind: "command", argv: [path], timeoutMs: 60_000 };
}

/** `isCold`: nothing is loaded before the first alarm. `engine` may be another for each monitor. */
async function start(
  engine: EngineSettings | ((monitor: number) => EngineSettings),
  change: Partial<Config["detection"]> = {},
  hook = {},
  isCold = false,
): Promise<DetectingSite> {
  const settingsOf = (monitor: number | null) =>
    looking(typeof engine === "function" ? engine(monitor ?? 1) : engine);
  site = createDetectingSite({
    folder,
    channel,
    settingsFor: async (monitor) => (monitor === null && isCold ? someSettings() : settingsOf(monitor)),
    change: (config) => ({
      ...config,
      hook: { ...config.hook, ...hook },
      customize: { ...config.customize, send_event_end_notification: change.at_end === true },
      detection: { ...config.detection, ...change },
    }),
  });
  await site.start();
  return site;
}

const event = (frame: Record<string, unknown>) => (frame.events as Record<string, unknown>[])[0];
const pidOf = (): number => site?.detection().counts().pid ?? 0;
const isRunning = () =>
  vi.waitFor(() => expect(site?.detection().counts().running).toBe(1), { timeout: 15_000 });

describe("an alarm with the built-in detector", () => {
  it("is told with what was found", async () => {
    const running = await start(program(`printf '%s' '${PERSON}'`));
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 7, cause: "Motion Drive" });
    expect(event(await client.next())).toMatchObject({
      Cause: "[s] detected:person Motion Drive",
      DetectionJson: { labels: ["person"], boxes: [[1, 2, 30, 40]] },
    });
    await eventually(() => expect(channel.accepted).toHaveLength(1));
  });

  it("is told to nobody when nothing was found, and the history says so", async () => {
    const running = await start(HOG);
    running.cameras[0].beginAlarm({ eventId: 8, cause: "Motion" });
    await vi.waitFor(() => expect(running.why(8)).toContain("hook: said no"), { timeout: 15_000 });
    expect(channel.accepted).toEqual([]);
  });

  it("is told at once where people are to be told first, and again with what was found", async () => {
    const running = await start(program(`sleep 0.3; printf '%s' '${PERSON}'`), {}, { notify_first: true });
    const client = await running.logIn();
    client.send({ event: "auth", data: { user: "admin", password: "secret", updates: true } });
    await client.next();
    running.cameras[0].beginAlarm({ eventId: 9, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "[s] detected:person Motion" });
  });

  it("is looked at with the settings of its own camera", async () => {
    const dog = PERSON.replaceAll("person", "dog");
    const running = await start((monitor) =>
      program(`printf '%s' '${monitor === 2 ? dog : PERSON}'`, `engine-${monitor}`),
    );
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 20, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "[s] detected:person Motion" });
    running.cameras[1].beginAlarm({ eventId: 21, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "[s] detected:dog Motion" });
  });

  it("of a camera that records nothing is told as it is, without waiting for pictures", async () => {
    const running = await start(program("sleep 60"));
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ cause: "Motion" });
    const begun = performance.now();
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(site?.detection().counts().running).toBe(0);
  });

  it("is told at once to those alone whom a list names, and not again when nothing was found", async () => {
    const lists = { event_start_notify_on_hook_success: ["web"] };
    const running = await start(program("sleep 0.3"), {}, { notify_first: true, ...lists });
    const client = await running.logIn();
    client.send({ event: "auth", data: { user: "admin", password: "secret", updates: true } });
    await client.next();
    running.cameras[0].beginAlarm({ eventId: 22, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ EventId: "22", Cause: "Motion" });
    await eventually(() => expect(running.why(22)).toContain("hook: said no"));
    running.cameras[1].beginAlarm({ eventId: 23, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ EventId: "23" });
    expect(channel.accepted).toEqual([]);
  });

  it("is looked at again at its end where that is wanted, and told with what was found then", async () => {
    const found = `if [ -e ${folder}/over ]; then printf '%s' '${PERSON}'; fi`;
    const lists = {
      event_start_notify_on_hook_fail: ["web"],
      event_end_notify_on_hook_success: ["web"],
      event_end_notify_if_start_success: false,
    };
    const running = await start(program(found), { at_end: true }, lists);
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 24, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ EventId: "24", Cause: "Motion" });
    writeFileSync(join(folder, "over"), "");
    running.cameras[0].endAlarm();
    expect(event(await client.next())).toMatchObject({
      EventId: "24",
      Cause: expect.stringContaining("[s] detected:person"),
    });
    expect(channel.accepted).toEqual([]);
  });

  it.each([
    ["there is no picture", () => rmSync(join(folder, "event", "snapshot.jpg")), /could not look.*snapshot/],
    [
      "its picture is empty",
      () => writeFileSync(join(folder, "event", "snapshot.jpg"), ""),
      /could not look/,
    ],
  ])("is told without when %s, and the history says why", async (_, spoil, reason) => {
    spoil();
    const running = await start(HOG);
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 10, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    await eventually(() => expect(running.why(10)).toMatch(reason));
  });

  it("is told without when the detector is killed while it looks, and the next one with it", async () => {
    const running = await start(program(`[ -e ${folder}/go ] || sleep 60; printf '%s' '${PERSON}'`));
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 11, cause: "Motion" });
    await isRunning();
    process.kill(pidOf(), "SIGKILL");
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    await eventually(() => expect(running.why(11)).toMatch(/could not look.*it was killed/));
    writeFileSync(join(folder, "go"), "");
    running.cameras[1].beginAlarm({ eventId: 12, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "[s] detected:person Motion" });
  });

  it("is told without when the detector hangs, and nothing of it is left", async () => {
    const running = await start(program(`echo $$ > ${folder}/pid; sleep 60`), { deadline: 1 });
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 13, cause: "Motion" });
    await isRunning();
    const pid = pidOf();
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    await eventually(() => expect(running.why(13)).toMatch(/took longer than 1 s/));
    const engine = Number(readFileSync(join(folder, "pid"), "utf8"));
    await eventually(() => expect([isAlive(pid), isAlive(engine)]).toEqual([false, false]));
  });

  it("is told without when memory runs out", async () => {
    const running = await start(HOG, {}, {}, true);
    const client = await running.logIn();
    const score = () => readFileSync(`/proc/${pidOf()}/oom_score_adj`, "utf8").trim();
    await vi.waitFor(() => expect(score()).toBe("500"), { timeout: 15_000 });
    // Less than it has already: nothing can be loaded any more.
    execFileSync("prlimit", ["--pid", String(pidOf()), "--as=100000000"]);
    running.cameras[0].beginAlarm({ eventId: 14, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ Cause: "Motion" });
    await eventually(() => expect(running.why(14)).toMatch(/could not look/));
  });

  it("of a camera that is not looked at is told at once while the detector hangs", async () => {
    const running = await start(program("sleep 60"), { deadline: 5 }, { hook_skip_monitors: [2] });
    const client = await running.logIn();
    running.cameras[0].beginAlarm({ eventId: 15, cause: "Motion" });
    await isRunning();
    const begun = performance.now();
    running.cameras[1].beginAlarm({ eventId: 16, cause: "Motion" });
    expect(event(await client.next())).toMatchObject({ EventId: "16" });
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
