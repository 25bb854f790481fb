// A registry of phones over a real file in a folder of its own, with rights that the test controls.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DeviceRegistration } from "../../src/domain/device-link.ts";
import type { Rights } from "../../src/domain/recipient.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { Devices } from "../../src/store/device-registry.ts";
import { createDevices, type DevicesOptions } from "../../src/store/devices.ts";
import { createKnownRights } from "../../src/store/known-rights.ts";
import { recordingLogger } from "./server.ts";

export interface Phones {
  readonly devices: Devices;
  readonly file: string;
  readonly folder: string;
  readonly log: Record<string, unknown>[];
  /** What ZoneMinder says; an Error is what it throws. */
  readonly rights: Map<string, Rights | null>;
  /** What survives a restart besides the file. */
  readonly facts: Map<string, unknown>;
  isDatabaseAway: boolean;
  canPush: boolean;
  messages(): readonly string[];
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and starts another one over the same files. */
  restart(whileDown?: () => void): Promise<void>;
  write(text: string): void;
  /** The tokens as the file has them now. */
  tokens(): Record<string, Record<string, unknown>>;
  remove(): Promise<void>;
}

type Change = { readonly [S in "fcm" | "devices"]?: Partial<DevicesOptions[S]> } & { readonly clock?: Clock };

export function createPhones(change: Change = {}): Phones {
  const folder = mkdtempSync(join(tmpdir(), "zmes-phones-"));
  const file = join(folder, "push", "tokens.txt");
  const log: Record<string, unknown>[] = [];
  const rights = new Map<string, Rights | null>([["admin", "all"]]);
  const facts = new Map<string, unknown>();
  const build = (): Devices =>
    createDevices({
      fcm: { enable: true, token_file: file, monthly_cap: null, ...change.fcm },
      devices: { adopt_days: 30, per_user: 50, ...change.devices },
      general: { base_data_path: join(folder, "data") },
      zoneminder: { rights_reload_interval: 0.05 },
      rights: createKnownRights({
        source: {
          async rightsOf(users) {
            if (phones.isDatabaseAway) throw new Error("database away");
            return new Map(users.map((user) => [user, rights.get(user) ?? null]));
          },
        },
        memory: {
          fact: async (key) => facts.get(key),
          putFact: (key, value) => void facts.set(key, JSON.parse(JSON.stringify(value))),
        },
        clock: change.clock ?? systemClock,
      }),
      canPush: () => phones.canPush,
      clock: change.clock ?? systemClock,
      logger: recordingLogger(log),
    });
  let devices = build();
  const phones: Phones = {
    get devices() {
      return devices;
    },
    file,
    folder,
    log,
    rights,
    facts,
    isDatabaseAway: false,
    canPush: true,
    messages: () => log.map((line) => String(line.msg)),
    start: () => devices.start(new AbortController().signal),
    stop: () => devices.stop(),
    async restart(whileDown) {
      await devices.stop();
      whileDown?.();
      devices = build();
      await phones.start();
    },
    write(text) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    tokens: () => JSON.parse(readFileSync(file, "utf8")).tokens,
    async remove() {
      await devices.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return phones;
}

/** A phone of admin's that wants every monitor. */
export function aRegistration(change: Partial<DeviceRegistration> = {}): DeviceRegistration {
  return {
    token: "dXy:APA91b-example",
    platform: "android",
    state: "enabled",
    lists: null,
    profile: null,
    appVersion: "1.1.14",
    app: "zmninja-ng",
    user: "admin",
    rights: "all",
    ...change,
  };
}
