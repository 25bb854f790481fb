import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel } from "../../src/channels/channel.ts";
import { createScriptChannel, type ScriptOptions } from "../../src/channels/script.ts";
import type { Alarm } from "../../src/domain/alarm.ts";
import { type Notice, noticeId, recipientFor } from "../../src/domain/notice.ts";
import { createRunner, SCRIPT_PATH } from "../../src/hooks/runner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { channelContract } from "../contracts/channel.contract.ts";
import { aMonitor, anAlarm, mid } from "../support/builders.ts";
import { recordingLogger } from "../support/server.ts";

let folder = "";
let log: Record<string, unknown>[] = [];
const channels: Channel[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-script-"));
  log = [];
});
afterEach(async () => {
  for (const channel of channels.splice(0)) await channel.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Change {
  readonly options?: Partial<ScriptOptions>;
  readonly passesPath?: boolean;
  readonly path?: string | null;
}

function channelFor(text: string, { options, passesPath = false, path = null }: Change = {}): Channel {
  const file = join(folder, "push.sh");
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  const channel = createScriptChannel({
    options: {
      use_api_push: true,
      api_push_script: file,
      script_timeout: 10,
      expires_after: 3600,
      ...options,
    },
    hook: { hook_pass_image_path: passesPath },
    searchPath: SCRIPT_PATH,
    runner: createRunner({ concurrency: 4, environment: process.env, clock: systemClock, graceMs: 200 }),
    eventFolder: async () => path,
    logger: recordingLogger(log),
  });
  channels.push(channel);
  return channel;
}

it.each([
  ["is not there", () => rmSync(join(folder, "push.sh")), "there is no such file"],
  ["may not be executed", () => chmodSync(join(folder, "push.sh"), 0o644), "it may not be executed"],
  [
    "is a folder",
    () => {
      rmSync(join(folder, "push.sh"));
      mkdirSync(join(folder, "push.sh"));
    },
    "it is not a file",
  ],
])(
  "a script that %s is said once at the start, with its path and the way out",
  async (_what, spoil, words) => {
    const channel = channelFor("exit 0");
    spoil();
    await channel.start(new AbortController().signal);
    expect(log.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        new RegExp(`${join(folder, "push.sh")} .*: ${words}.*chmod.*PUSH_SCRIPT_UNUSABLE`),
      ),
    ]);
  },
);

it("a script that can be run is no news at the start", async () => {
  await channelFor("exit 0").start(new AbortController().signal);
  expect(log).toEqual([]);
});

function noticeOf(alarm: Alarm): Notice {
  const recipient = recipientFor(
    {
      id: "script" as never,
      channel: "script",
      label: "",
      preferences: { monitors: "all", intervals: new Map(), rights: "all", lastTold: new Map() },
      isOrderedByMonitor: true,
    },
    alarm,
  );
  const { id } = recipient;
  return { id: noticeId(alarm, id), channel: "script", recipient: id, alarm, createdAt: 0, expiresAt: 1 };
}

const deliver = (channel: Channel, alarm = anAlarm()) =>
  channel.deliver(noticeOf(alarm), new AbortController().signal);
const given = () => readFileSync(join(folder, "given"), "utf8").split("\n").slice(0, -1);
const NOTE = 'for word in "$@"; do printf "%s\\n" "$word" >> "$(dirname "$0")/given"; done';

describe("the push script", () => {
  it("is given event, monitor, name, cause and event_start, in this order", async () => {
    const channel = channelFor(NOTE);
    expect(await deliver(channel)).toBe("the script ended with exit code 0");
    expect(given()).toEqual(["5060", "1", "Garage", "Motion All", "event_start"]);
  });

  it("is given event_end at the end, and the folder of the event where that is configured", async () => {
    const channel = channelFor(NOTE, { passesPath: true, path: "/events/1/2026-11-22/5060" });
    await deliver(channel, anAlarm({ phase: "ended" }));
    expect(given().slice(4)).toEqual(["event_end", "/events/1/2026-11-22/5060"]);
  });

  it("is not given a folder that nobody knows", async () => {
    const channel = channelFor(NOTE, { passesPath: true, path: null });
    await deliver(channel);
    expect(given()).toHaveLength(5);
  });

  it("is given event 0 where nothing is recorded", async () => {
    const channel = channelFor(NOTE);
    await deliver(channel, anAlarm({ eventId: null }));
    expect(given()[0]).toBe("0");
  });

  it("keeps the arguments of its own, and the quotes of the samples of the original mean nothing", async () => {
    const options = { api_push_script: `'${join(folder, "push.sh")}' --to "my phone"` };
    const channel = channelFor(NOTE, { options });
    await deliver(channel);
    expect(given().slice(0, 3)).toEqual(["--to", "my phone", "5060"]);
  });

  it.each([`"; touch FILE; "`, "$(touch FILE)", "`touch FILE`"])(
    "is not fooled by a monitor that is called %s",
    async (name) => {
      const channel = channelFor(NOTE);
      const made = join(folder, "made");
      const bad = name.replaceAll("FILE", made);
      await deliver(channel, anAlarm({ monitor: aMonitor({ name: bad }), cause: bad }));
      expect(given().slice(2, 4)).toEqual([bad, bad]);
      expect(existsSync(made)).toBe(false);
    },
  );

  it("that fails is not run again: it may have told somebody", async () => {
    const channel = channelFor("echo 'no such user' >&2; exit 2");
    await expect(deliver(channel)).rejects.toMatchObject({
      failure: "rejected",
      message: "the script ended with exit code 2: no such user",
    });
  });

  it("that ends with 75 is run again", async () => {
    await expect(deliver(channelFor("exit 75"))).rejects.toMatchObject({ failure: "retry" });
  });

  it("that is not there is tried again", async () => {
    const channel = channelFor("", { options: { api_push_script: "/nowhere/push.sh" } });
    await expect(deliver(channel)).rejects.toMatchObject({
      failure: "retry",
      message: expect.stringContaining("ENOENT"),
    });
  });

  it("that takes too long is ended, and that is final", async () => {
    const channel = channelFor("sleep 600", { options: { script_timeout: 0.3 } });
    await expect(deliver(channel)).rejects.toMatchObject({
      failure: "rejected",
      message: expect.stringContaining("push.script_timeout"),
    });
  });

  it("that was killed did not deliver", async () => {
    await expect(deliver(channelFor("kill -9 $$"))).rejects.toMatchObject({
      failure: "rejected",
      message: "the script was ended by SIGKILL",
    });
  });

  it("leaves no more than a few lines in the history, without secrets", async () => {
    const channel = channelFor(
      "printf 'https://push.example.org/?token=abc123\\n'; head -c 70000 /dev/zero | tr '\\0' x",
    );
    const words = await deliver(channel);
    expect(words.length).toBeLessThan(600);
    const short = await deliver(channelFor("printf 'https://push.example.org/?token=abc123\\n'"));
    expect(short).toContain("token=[redacted]");
  });

  it("reaches nobody unless it is switched on and named", () => {
    expect(channelFor("", { options: { use_api_push: false } }).recipients()).toEqual([]);
    expect(channelFor("", { options: { api_push_script: null } }).recipients()).toEqual([]);
    expect(
      channelFor("")
        .recipients()
        .map(({ label }) => label),
    ).toEqual(["script push.sh"]);
  });

  it("that is slow for one camera holds up no other", () => {
    const [recipient] = channelFor("").recipients();
    const of = (id: number) =>
      recipient && recipientFor(recipient, anAlarm({ monitor: aMonitor({ id: mid(id) }) })).id;
    expect([of(1), of(4), of(4)]).toEqual(["script:1", "script:4", "script:4"]);
  });
});

channelContract("a push script", ["accepts", "is busy", "refuses", "hangs"], async () => {
  const channel = channelFor(
    'printf x >> "$(dirname "$0")/runs"; . "$(dirname "$0")/how"; printf x >> "$(dirname "$0")/accepted"',
  );
  const how = { accepts: "true", "is busy": "exit 75", refuses: "exit 1", hangs: "sleep 600" } as const;
  const play = (behaviour: string) =>
    writeFileSync(join(folder, "how"), Object.entries(how).find(([name]) => name === behaviour)?.[1] ?? "");
  play("accepts");
  const accepted = join(folder, "accepted");
  return {
    channel,
    play,
    retryAfterMs: null,
    accepted: () => (existsSync(accepted) ? readFileSync(accepted).length : 0),
    secrets: [],
    log,
    close: async () => undefined,
  };
});
