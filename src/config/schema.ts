// The whole configuration, section by section: the one source of its type, its checks and its documentation.
import { z } from "zod";
import { type KeyFacts, keyFacts } from "./fields.ts";
import { auth } from "./sections/auth.ts";
import { customize } from "./sections/customize.ts";
import { detection } from "./sections/detection.ts";
import { devices } from "./sections/devices.ts";
import { fcm } from "./sections/fcm.ts";
import { general } from "./sections/general.ts";
import { history } from "./sections/history.ts";
import { hook } from "./sections/hook.ts";
import { limits } from "./sections/limits.ts";
import { logging } from "./sections/logging.ts";
import { mqtt } from "./sections/mqtt.ts";
import { network } from "./sections/network.ts";
import { pictures } from "./sections/pictures.ts";
import { push } from "./sections/push.ts";
import { ssl } from "./sections/ssl.ts";
import { zoneminder } from "./sections/zoneminder.ts";

/** The sections of version 7, then our own, in the order in which they are shown. */
export const configSchema = z.strictObject({
  general: general.prefault({}),
  network: network.prefault({}),
  auth: auth.prefault({}),
  push: push.prefault({}),
  fcm: fcm.prefault({}),
  mqtt: mqtt.prefault({}),
  ssl: ssl.prefault({}),
  customize: customize.prefault({}),
  hook: hook.prefault({}),
  detection: detection.prefault({}),
  zoneminder: zoneminder.prefault({}),
  limits: limits.prefault({}),
  logging: logging.prefault({}),
  history: history.prefault({}),
  devices: devices.prefault({}),
  pictures: pictures.prefault({}),
});

/** The configuration as the program uses it: every key present, `null` where nothing is set. */
export type Config = DeepReadonly<z.infer<typeof configSchema>>;

/** "section.key" */
export type KeyPath = string;

/** One key of the schema with everything that is known about it. */
export interface KnownKey extends KeyFacts {
  readonly section: string;
  readonly key: string;
  readonly path: KeyPath;
  readonly about: string;
  readonly fallback: unknown;
  readonly schema: z.ZodType;
}

/** What each section is for, in schema order. */
export const sectionTitles: ReadonlyMap<string, string> = new Map(
  Object.entries(configSchema.shape).map(([name, section]) => [name, section.unwrap().description ?? ""]),
);

/** Every key by its path, in schema order. */
export const knownKeys: ReadonlyMap<KeyPath, KnownKey> = new Map(
  Object.entries(configSchema.shape).flatMap(([section, schema]) =>
    Object.entries<z.ZodType>(schema.unwrap().shape).map(([key, type]) => {
      const path = `${section}.${key}`;
      return [path, knownKey(section, key, type)] as const;
    }),
  ),
);

/** The configuration of somebody who configured nothing. */
export function defaultConfig(): Config {
  return configSchema.parse({});
}

/** The value of a key. */
export function valueAt(config: Config, path: KeyPath): unknown {
  const [section = "", key = ""] = path.split(".");
  const sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = config;
  return sections[section]?.[key];
}

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

function knownKey(section: string, key: string, schema: z.ZodType): KnownKey {
  const path = `${section}.${key}`;
  const facts = keyFacts.get(schema);
  if (!facts) throw new Error(`${path} is not built by fields.ts`);
  const about = schema.description ?? "";
  return { ...facts, section, key, path, about, fallback: schema.parse(undefined), schema };
}
