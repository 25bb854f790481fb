// `zmes test-push`: one message to one phone or to all of them, and what came back.
import { DeliveryError } from "../channels/channel.ts";
import { createFcmSender } from "../channels/fcm/fcm.ts";
import type { FcmContent } from "../channels/fcm/message.ts";
import type { FcmSender } from "../channels/fcm/sender.ts";
import { fcmWay } from "../channels/fcm/way.ts";
import { parseOptions } from "../config/cli-options.ts";
import type { Config } from "../config/schema.ts";
import { type Alarm, alarmId } from "../domain/alarm.ts";
import type { Device } from "../domain/device.ts";
import type { MonitorId } from "../domain/monitor.ts";
import { reasonOf } from "../lib/errors.ts";
import { escapeControls } from "../lib/log-text.ts";
import { becomeUser } from "../lib/privileges.ts";
import { hideSecrets } from "../lib/secrets-in-logs.ts";
import { readZmConf } from "../zoneminder/zm-conf.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readConfiguration } from "./configuration.ts";
import { readStoredDevices } from "./stored-devices.ts";

export const testPush: Command = {
  name: "test-push",
  summary: "send a test message to a phone, and show what came back",
  usage: "test-push TOKEN_END|all [--picture URL] [OPTIONS]",
  options: [
    { flag: "--picture URL", text: "an address the phone can fetch a JPEG picture from" },
    ...configOptions.filter(({ flag }) => /^--(config|token-file) /.test(flag)),
  ],
  notes: [
    "TOKEN_END is the end of the phone's token as `zmes devices` shows it; `all` means every phone that has push switched on. The server need not run. Nothing is changed: neither the number on the app's icon nor the list of phones.",
    "The exit code is 0 when every message was accepted, otherwise 1. Accepted means that Google has the message; when the phone shows it is between Google and the phone.",
  ],
  async run(argv, io) {
    const { picture, words } = takePicture(argv);
    const { overrides, configPath, warnings, rest } = parseOptions(words);
    for (const warning of warnings) io.stderr.write(`zmes: ${warning}\n`);
    const [whom, ...more] = rest;
    if (whom === undefined || more.length > 0)
      return refuseUsage(io, "test-push", "it takes the end of one phone's token, or the word all.");
    const fault = pictureFault(picture);
    if (fault !== null) return refuseUsage(io, "test-push", fault);
    const { config } = readConfiguration({ overrides, configPath }, io.env);
    const zoneminder = readZmConf(config.zoneminder.config);
    const values = zoneminder.ok ? zoneminder.conf.values : new Map<string, string>();
    becomeUser(values.get("ZM_WEB_USER"), values.get("ZM_WEB_GROUP"));
    return await pushTest(whom, { config, picture, io });
  },
};

/** The work of the command, as the user that the program runs as. */
export async function pushTest(whom: string, errand: Errand): Promise<number> {
  const { config, io } = errand;
  const way = fcmWay(config.fcm);
  if (way.kind === "none") return failed(io, `Phones cannot be reached: ${way.why}. ${way.wayOut}`);
  const found = await readStoredDevices(config, io.clock.now());
  if (typeof found === "string") return failed(io, found);
  const chosen = choose(found, whom);
  return typeof chosen === "string" ? failed(io, chosen) : await sendAll(chosen, errand);
}

/** How many messages are under way at once: a test hurries nobody. */
const AT_ONCE = 20;

function takePicture(argv: readonly string[]): { picture: string | null; words: readonly string[] } {
  const joined = argv.find((word) => word.startsWith("--picture="));
  if (joined !== undefined)
    return { picture: joined.slice("--picture=".length), words: argv.filter((word) => word !== joined) };
  const place = argv.indexOf("--picture");
  if (place < 0) return { picture: null, words: argv };
  return { picture: argv[place + 1] ?? "", words: argv.toSpliced(place, 2) };
}

/** What goes to a phone passes through Google, and stays on the phone. */
function pictureFault(picture: string | null): string | null {
  if (picture === null) return null;
  if (!URL.canParse(picture) || !/^https?:/i.test(picture))
    return "--picture takes an address that begins with https://.";
  const shown = hideSecrets(picture);
  return shown === picture ? null : "the picture's address has a password or token in it.";
}

/** The phones meant, or why there is nothing to do. */
function choose(devices: readonly Device[], whom: string): readonly Device[] | string {
  const enabled = devices.filter(({ pushState }) => pushState === "enabled");
  if (whom === "all")
    return enabled.length > 0 ? enabled : "No phone is registered that has push switched on.";
  const end = whom.replace(/^\.+/, "");
  const meant = devices.filter(({ token }) => token.endsWith(end));
  if (end === "" || meant.length === 0)
    return `No phone's token ends with ${escapeControls(whom)}; \`zmes devices\` lists them.`;
  if (meant.length === 1) return meant;
  return `${meant.length} phones have a token that ends with ${escapeControls(end)}: give more of it.`;
}

interface Errand {
  readonly config: Config;
  readonly picture: string | null;
  readonly io: CommandIo;
}

async function sendAll(devices: readonly Device[], { config, picture, io }: Errand): Promise<number> {
  const options = { ...config.fcm, tag_alarm_event_id: config.customize.tag_alarm_event_id };
  const sender = createFcmSender(options, { clock: io.clock });
  const alarm = testAlarm(io.clock.now());
  const waiting = [...devices];
  const stop = io.stopSignal();
  let accepted = 0;
  const work = async (): Promise<void> => {
    for (let device = waiting.shift(); device !== undefined && !stop.aborted; device = waiting.shift()) {
      const content = { alarm, device, badge: device.badge, picture };
      if (await sendOne(sender, content, { label: device.label, io, stop })) accepted += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, devices.length) }, work));
  } finally {
    sender.close();
  }
  return accepted === devices.length ? EXIT.ok : EXIT.failed;
}

async function sendOne(
  sender: FcmSender,
  content: FcmContent,
  { label, io, stop }: { readonly label: string; readonly io: CommandIo; readonly stop: AbortSignal },
): Promise<boolean> {
  const begun = io.clock.monotonic();
  try {
    const words = await sender.send(content, stop);
    const ms = Math.round(io.clock.monotonic() - begun);
    io.stdout.write(`${label}: ${escapeControls(words)}, after ${ms} ms\n`);
    return true;
  } catch (failure) {
    const kind = failure instanceof DeliveryError ? MEANINGS[failure.failure] : "not sent";
    io.stdout.write(`${label}: ${kind}: ${escapeControls(reasonOf(failure))}\n`);
    return false;
  }
}

const MEANINGS = {
  gone: "no longer exists (the server forgets it at its next push)",
  retry: "not now (the server would try again)",
  rejected: "refused",
  held: "not known yet whether it may be sent",
  forbidden: "may not be sent",
} as const;

/** An alarm of no monitor and no event: the apps show it, and find nothing to open behind it. */
function testAlarm(now: number): Alarm {
  const monitor = { id: 0 as MonitorId, name: "Test", recording: "none", closesEventOnAlarm: null } as const;
  return {
    id: alarmId(monitor.id, null, 1, now),
    monitor,
    eventId: null,
    edge: 1,
    phase: "started",
    cause: "Test message of zmes",
    seenAt: now,
    late: false,
  };
}

function failed(io: CommandIo, words: string): number {
  io.stderr.write(`zmes test-push: ${words}\n`);
  return EXIT.failed;
}
