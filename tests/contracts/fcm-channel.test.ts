// Push keeps the promises of a channel, straight to Google and through a push proxy.
import { readFileSync } from "node:fs";
import pino from "pino";
import { createFcmChannel, type FcmOptions } from "../../src/channels/fcm/fcm.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type GoogleAnswer, startGoogle } from "../support/google.ts";
import { fcmOptions, startPhones } from "../support/phones.ts";
import { startRelay } from "../support/relay.ts";
import { channelContract, type OtherSide } from "./channel.contract.ts";

const TOKEN = "cGhvbmU:APA91b-long-enough-27a387";

async function base() {
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const phones = await startPhones(logger);
  phones.register({ token: TOKEN });
  const { devices } = phones;
  const channelWith = (change: Partial<FcmOptions>, target = {}) =>
    createFcmChannel({
      options: fcmOptions(change),
      devices,
      picture: async () => null,
      clock: systemClock,
      logger,
      target,
    });
  return { log, phones, channelWith };
}

const byGoogle: Readonly<Record<OtherSide, GoogleAnswer>> = {
  accepts: "ok",
  "is busy": { status: 503, retryAfter: "2" },
  "forgot the recipient": "unregistered",
  refuses: "bad-argument",
  hangs: "hang",
};

channelContract("push straight to Google", Object.keys(byGoogle) as OtherSide[], async () => {
  const { log, phones, channelWith } = await base();
  const google = await startGoogle();
  return {
    channel: channelWith(
      { fcm_service_account_file: google.keyFile },
      { origin: google.origin, ca: google.ca, timeoutMs: 5_000 },
    ),
    play(behaviour) {
      google.answer = () => byGoogle[behaviour];
    },
    retryAfterMs: 2_000,
    accepted: () => google.accepted.length,
    secrets: [TOKEN, "ya29", JSON.parse(readFileSync(google.keyFile, "utf8")).private_key.slice(40, 80)],
    log,
    async close() {
      await Promise.all([google.stop(), phones.stop()]);
    },
  };
});

const byProxy: Readonly<Partial<Record<OtherSide, { status: number; body: string }>>> = {
  "is busy": { status: 503, body: "" },
  "forgot the recipient": {
    status: 400,
    body: '{"Error":"token:ugh-27a387=>Requested entity was not found."}',
  },
  refuses: { status: 400, body: '{"Error":"no"}' },
};

channelContract("push through a proxy", ["accepts", ...(Object.keys(byProxy) as OtherSide[])], async () => {
  const { log, phones, channelWith } = await base();
  const relay = await startRelay();
  return {
    channel: channelWith({ fcm_v1_url: relay.url, fcm_v1_key: relay.key }),
    play(behaviour) {
      relay.refuse = () => byProxy[behaviour] ?? null;
    },
    retryAfterMs: null,
    accepted: () => relay.accepted.length,
    secrets: [TOKEN, relay.key],
    log,
    async close() {
      await Promise.all([relay.stop(), phones.stop()]);
    },
  };
});
