// Registered phones and the channel to them, as the daemon under test has them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Channel } from "../src/channels/channel.ts";
import { createFcmChannel } from "../src/channels/fcm/fcm.ts";
import type { Config } from "../src/config/schema.ts";
import type { ZoneMinder } from "../src/daemon.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { Logger } from "../src/lib/log.ts";
import type { Devices } from "../src/store/device-registry.ts";
import { createDevices } from "../src/store/devices.ts";
import { createKnownRights } from "../src/store/known-rights.ts";
import type { Store } from "../src/store/store.ts";
import type { GooglePlace } from "./google-process.ts";

export interface PhonesOptions {
  readonly google: GooglePlace;
  readonly count: number;
  /** The cameras they want to be told of; empty: all. */
  readonly monlist: string;
}

export interface PhonesParts {
  readonly config: Config;
  /** For the token file. */
  readonly dataPath: string;
  readonly zoneminder: ZoneMinder;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** As many phones as the product's default allows one user. */
const PER_USER = 50;

export function createPhones(
  { google, count, monlist }: PhonesOptions,
  { config, dataPath, zoneminder, store, clock, logger }: PhonesParts,
): { readonly devices: Devices; readonly channels: readonly Channel[] } {
  const file = join(dataPath, "tokens.txt");
  writeFileSync(file, JSON.stringify({ tokens: Object.fromEntries(entries(count, monlist)) }));
  const devices = createDevices({
    ...config,
    fcm: { ...config.fcm, token_file: file },
    general: { ...config.general, base_data_path: dataPath },
    rights: createKnownRights({ source: zoneminder.logins, memory: store, clock }),
    canPush: () => true,
    clock,
    logger,
  });
  const fcm = createFcmChannel({
    options: { ...config.fcm, fcm_service_account_file: google.keyFile, tag_alarm_event_id: false },
    devices,
    picture: async () => null,
    clock,
    logger,
    target: { origin: google.origin, ca: google.ca },
  });
  return { devices, channels: [fcm] };
}

/** Tokens as long as Google's, half of them of iPhones. */
function entries(count: number, monlist: string): readonly (readonly [string, object])[] {
  const intlist = monlist === "" ? "" : "0";
  return Array.from({ length: count }, (_, index) => [
    `cGhvbmU${index}:APA91b${"x".repeat(130)}${1_000_000 + index}`,
    {
      monlist,
      intlist,
      platform: index % 2 === 0 ? "android" : "ios",
      pushstate: "enabled",
      zmes: { owner: `user-${Math.floor(index / PER_USER)}`, app: "zmninja-ng" },
    },
  ]);
}
