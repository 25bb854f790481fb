// A registry of phones over a token file of its own, for tests of what is sent to them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FcmOptions } from "../../src/channels/fcm/fcm.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import type { Device } from "../../src/domain/device.ts";
import { type Notice, noticeId } from "../../src/domain/notice.ts";
import type { Rights } from "../../src/domain/recipient.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { Logger } from "../../src/lib/log.ts";
import { createDevices } from "../../src/store/devices.ts";
import { createKnownRights } from "../../src/store/known-rights.ts";
import { anAlarm } from "./builders.ts";

type Devices = ReturnType<typeof createDevices>;
type Registration = Parameters<Devices["register"]>[0];

export interface Phones {
  readonly devices: Devices;
  readonly tokenFile: string;
  /** What ZoneMinder allows the owner of every phone. */
  rights: Rights | null;
  /** Registers a phone; by default a zmNinjaNg on Android whose token is `token-...27a387`. */
  register(change?: Partial<Registration>): Device;
  stop(): Promise<void>;
}

export async function startPhones(logger: Logger, clock: Clock = systemClock): Promise<Phones> {
  const folder = mkdtempSync(join(tmpdir(), "zmes-phones-"));
  const tokenFile = join(folder, "tokens.txt");
  const defaults = defaultConfig();
  const devices = createDevices({
    ...defaults,
    fcm: { ...defaults.fcm, token_file: tokenFile },
    general: { ...defaults.general, base_data_path: folder },
    rights: createKnownRights({
      source: { rightsOf: async (users) => new Map(users.map((user) => [user, phones.rights])) },
      memory: null,
      clock,
    }),
    canPush: () => true,
    clock,
    logger,
  });
  await devices.start(new AbortController().signal);
  const phones: Phones = {
    devices,
    tokenFile,
    rights: "all",
    register(change = {}) {
      const registration: Registration = {
        token: "cGhvbmU:APA91b-long-enough-27a387",
        platform: "android",
        state: "enabled",
        lists: null,
        profile: "Home",
        appVersion: "1.1.14",
        app: "zmninja-ng",
        user: "anna",
        rights: "all",
        ...change,
      };
      devices.register(registration);
      const device = devices.all().find(({ token }) => token === registration.token);
      if (device === undefined) throw new Error("the phone was not registered");
      return device;
    },
    async stop() {
      await devices.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return phones;
}

/** A notice of an alarm for that phone, decided on a moment ago. */
export function noticeFor(
  device: Device,
  change: Parameters<typeof anAlarm>[0] = {},
  createdAt = Date.now(),
): Notice {
  const alarm = anAlarm(change);
  const id = noticeId(alarm, device.id);
  return { id, channel: "fcm", recipient: device.id, alarm, createdAt, expiresAt: createdAt + 3_600_000 };
}

/** The section `fcm` with every default, and a change. */
export function fcmOptions(change: Partial<FcmOptions> = {}): FcmOptions {
  const { fcm, customize } = defaultConfig();
  return { ...fcm, tag_alarm_event_id: customize.tag_alarm_event_id, ...change };
}
