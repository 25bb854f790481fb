/** What the cameras of a real ZoneMinder see, found by the built-in detector: in the daemon, as a hook, as EventStartCommand. */
import { execFile, execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Listener, logIn, type ReceivedAlarm } from "../support/listener.ts";
import { blobModel, ultralyticsNotes } from "../support/onnx-models.ts";
import { type Program, type ProgramPlace, startProgram } from "../support/program.ts";
import { down, query, realZoneMinderMayBeSkipped, UP_MS, up } from "../support/real-zoneminder.ts";

const GARAGE = 2; // a white box, 48x96, moves for 3 of every 8 seconds; one event per motion
const EVENTS = "/var/lib/zmes-test-zoneminder/run/events";
const MOTION_MS = 30_000;
const MOST_EMPTY = 3;
const FOUND = "detected:person";

describe.skipIf(realZoneMinderMayBeSkipped())("beside a real ZoneMinder", { timeout: 150_000 }, () => {
  let program: Program | null = null;
  let client: Listener | null = null;
  const execute = promisify(execFile);

  beforeAll(() => up(), UP_MS);
  afterEach(async () => {
    await client?.close();
    await program?.stop();
    [client, program] = [null, null];
  });
  afterAll(down, 60_000);

  it("the daemon finds what moves before it tells of it, and leaves picture, boxes and notes", async () => {
    await start({ sections: () => ({ detection: { enable: true, show_percent: true } }) });
    const alarm = await nextAlarm();
    expect(alarm.Cause).toMatch(/^\[[as]\] detected:person:95% +Motion/);
    await expectFiles(alarm.EventId);
    await expectNotes(alarm.EventId, /detected:person:95% .*Motion: All/);
  });

  it("the script of the original's name, as a hook, is answered by the same detector", async () => {
    await start({
      sections: (folder) => ({
        customize: { use_hooks: true },
        hook: {
          event_start_hook: join(folder, "zm_event_start.sh"),
          use_hook_description: true,
          event_start_notify_on_hook_success: "all",
        },
        detection: { enable: false },
      }),
      withScripts: true,
    });
    const alarm = await nextAlarm();
    expect(alarm.Cause).toMatch(/^\[[as]\] detected:person Motion/);
    await expectFiles(alarm.EventId);
    await expectNotes(alarm.EventId, /detected:person .*Motion: All/);
  });

  it("zm_detect.py notes what it finds, called as ZoneMinder's EventStartCommand", async () => {
    const running = await start({ withScripts: true });
    const { event, stdout, stderr } = await untilFound(running, "-n");
    expect(stdout).toMatch(/^\[[as]\] detected:person--SPLIT--\{"labels": \["person"\], "boxes": \[\[/);
    expect(stderr).toBe("");
    await expectFiles(event);
    await expectNotes(event, /^\[[as]\] detected:person\| Motion: All/);
  });

  it("and without the daemon it looks and notes by itself", async () => {
    const running = await start({ withScripts: true });
    const { event } = await untilFound(running);
    await closed(event);
    const copy = "/var/lib/zmes-test-zoneminder/run/site";
    execFileSync("cp", ["-a", running.folder, copy]);
    await running.stop();
    program = null;
    execFileSync("mv", [copy, running.folder]);
    const { stdout, stderr } = await zmDetect(running, event, "Motion: All", "-n");
    expect(stdout).toContain(FOUND);
    expect(stderr).toContain("no server with a detector runs; looking with a detector of its own");
    await expectFiles(event);
    await expectNotes(event, /^\[[as]\] detected:person\| Motion: All/);
    execFileSync("rm", ["-rf", running.folder]);
  });

  /** As zmc starts it: as the web user. */
  function zmDetect({ folder }: ProgramPlace, event: string, cause: string, ...more: readonly string[]) {
    const argv = ["-e", event, "-m", String(GARAGE), "-r", cause, ...more];
    return execute("runuser", ["-u", "www-data", "--", join(folder, "zm_detect.py"), ...argv]);
  }

  /** An event may begin when the box leaves: then its pictures are empty, and the next one counts. */
  async function untilFound(running: ProgramPlace, ...more: readonly string[]) {
    for (let left = MOST_EMPTY; ; left -= 1) {
      const { EventId: event, Cause } = await nextAlarm();
      const said = await zmDetect(running, event, Cause, ...more);
      if (said.stdout !== "" || left === 0) return { event, ...said };
    }
  }

  async function start(options: {
    readonly sections?: NonNullable<Parameters<typeof startProgram>[0]>["sections"];
    readonly withScripts?: boolean;
  }): Promise<Program> {
    const { sections, withScripts = false } = options;
    program = await startProgram({
      ...(sections && { sections }),
      prepare(place) {
        addModel(place);
        if (withScripts) {
          const argv = ["detect", "install-scripts", place.folder, "--config", place.config];
          execFileSync(place.command, argv);
        }
      },
    });
    client = await logIn(program.url, "admin", "admin");
    return program;
  }

  /** One that begins from now on. */
  async function nextAlarm(): Promise<ReceivedAlarm> {
    const before = client?.alarms(GARAGE).length ?? 0;
    return await vi.waitFor(
      () => {
        const alarm = client?.alarms(GARAGE)[before];
        if (alarm === undefined) throw new Error(`no alarm; the program said:\n${program?.output()}`);
        return alarm;
      },
      { timeout: MOTION_MS, interval: 50 },
    );
  }
});

function addModel({ data }: ProgramPlace): void {
  const metadata = ultralyticsNotes(["person", "bicycle", "car"]);
  execFileSync("mkdir", ["-p", join(data, "models")]);
  const model = blobModel("yolov8", { metadata, classes: 3, width: 320, height: 240 });
  writeFileSync(join(data, "models/demo.onnx"), model);
}

/** The picture with boxes is the size of the camera's, and the boxes have the size of what moves. */
async function expectFiles(event: string): Promise<void> {
  const pattern = `${EVENTS}/${GARAGE}/*/${event}`;
  const [folder] = globSync(pattern);
  expect(folder, pattern).toBeDefined();
  await vi.waitFor(
    async () => {
      const picture = await sharp(join(folder ?? "", "objdetect.jpg")).metadata();
      expect(picture).toMatchObject({ format: "jpeg", width: 320, height: 240 });
      const objects = JSON.parse(readFileSync(join(folder ?? "", "objects.json"), "utf8"));
      expect(objects).toMatchObject({ labels: ["person"], detections: [{ label: "person" }] });
      const [x1, y1, x2, y2] = objects.boxes[0];
      expect(Math.abs(y1 - 80)).toBeLessThan(6);
      expect(Math.abs(y2 - 176)).toBeLessThan(6);
      expect(x2 - x1).toBeLessThan(60);
    },
    { timeout: 10_000, interval: 100 },
  );
}

async function closed(event: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const [row] = await query(`SELECT EndDateTime IS NOT NULL, Notes FROM Events WHERE Id = ${event}`);
      expect(row?.[0]).toBe("1");
      return row?.[1] ?? "";
    },
    { timeout: MOTION_MS, interval: 200 },
  );
}

/** Once ZoneMinder has closed the event: until then it writes the notes anew itself. */
async function expectNotes(event: string, expected: RegExp): Promise<void> {
  await closed(event);
  await vi.waitFor(async () => expect(await closed(event)).toMatch(expected), {
    timeout: 15_000,
    interval: 200,
  });
}
