// The options of `zmes setup`.
import { parseArgs } from "node:util";
import { parseBroker } from "../../channels/mqtt/options.ts";
import { reasonOf } from "../../lib/errors.ts";
import { readPlainFile } from "../../lib/plain-file.ts";
import type { OptionHelp } from "../command.ts";
import { parseNames } from "./names.ts";
import { nameFault } from "./plan.ts";

export interface SetupOptions {
  readonly yes: boolean;
  readonly force: boolean;
  readonly renew: boolean;
  /** A new authority and a new key as well. */
  readonly anew: boolean;
  /** Those below are null when they are not given. */
  readonly config: string | null;
  readonly data: string | null;
  readonly zmConf: string | null;
  readonly names: readonly string[] | null;
  readonly port: number | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly fcmKey: string | null;
  readonly mqtt: string | null;
  readonly mqttLogin: MqttLogin | null;
  readonly detection: boolean | null;
}

interface MqttLogin {
  readonly username: string;
  /** null: to be asked for. */
  readonly password: string | null;
}

export const setupOptionsHelp: readonly OptionHelp[] = [
  { flag: "--yes", text: "ask nothing, take what would be offered" },
  { flag: "--name NAME", text: "a name or address by which phones reach this server; may be repeated" },
  { flag: "--cert FILE", text: "use this certificate, with its chain, instead of making one; needs --key" },
  { flag: "--key FILE", text: "its private key" },
  { flag: "--fcm-key FILE", text: "the key file of a Firebase project of your own" },
  { flag: "--mqtt SERVER", text: "publish alarms to this broker; without the next two, without a login" },
  { flag: "--mqtt-user NAME", text: "the user at the broker" },
  { flag: "--mqtt-password-file FILE", text: "a file with nothing but the user's password" },
  {
    flag: "--detection yes|no",
    text: "whether the built-in detector looks at alarms first; no when it is not said",
  },
  { flag: "--port N", text: "the port, when it is not 9000" },
  {
    flag: "--config FILE",
    text: "what to write, when it is not /etc/zm/zmes.yml; the authority's files lie beside it",
  },
  { flag: "--data DIR", text: "the data directory, when it is not /var/lib/zmeventnotification" },
  { flag: "--zm-conf FILE", text: "ZoneMinder's configuration, when it is not where it usually is" },
  { flag: "--force", text: "write a configuration anew that is there; a copy is kept" },
  {
    flag: "--renew-certificate",
    text: "only make the server's certificate anew, with the names it has and those of --name",
  },
  {
    flag: "--new-authority",
    text: "the same with a new key and a new authority, after a break-in; each phone has to be given it",
  },
];

/** The options, or what is wrong with them. */
export function readSetupOptions(argv: readonly string[]): SetupOptions | string {
  try {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false });
    const names = values.name === undefined ? null : values.name.join(",");
    const mqttLogin = readMqttLogin(values);
    if (typeof mqttLogin === "string") return mqttLogin;
    const port = values.port === undefined ? null : Number(values.port);
    const fault =
      (names === null ? null : nameFault(names)) ??
      faultOf(values.cert, values.key, port) ??
      brokerFault(values.mqtt) ??
      choiceFault(values.detection);
    if (fault !== null) return fault;
    return {
      yes: values.yes === true,
      force: values.force === true,
      renew: values["renew-certificate"] === true || values["new-authority"] === true,
      anew: values["new-authority"] === true,
      config: values.config ?? null,
      data: values.data ?? null,
      zmConf: values["zm-conf"] ?? null,
      names: names === null ? null : parseNames(names).names,
      port,
      cert: values.cert ?? null,
      key: values.key ?? null,
      fcmKey: values["fcm-key"] ?? null,
      mqtt: values.mqtt ?? null,
      mqttLogin,
      detection: values.detection === undefined ? null : values.detection === "yes",
    };
  } catch (failure) {
    return reasonOf(failure);
  }
}

/** A sentence about the options that say what to write, where nothing of that is written; empty when none was given. */
export function notUsed(options: SetupOptions, file: string): string {
  const given = [
    options.names !== null && "--name",
    options.port !== null && "--port",
    options.cert !== null && "--cert and --key",
    options.fcmKey !== null && "--fcm-key",
    options.mqtt !== null && "--mqtt",
  ].filter((flag) => flag !== false);
  if (given.length === 0) return "";
  return `Not used: ${given.join(", ")}. These settings are in ${file}.\n`;
}

const OPTIONS = {
  yes: { type: "boolean", short: "y" },
  force: { type: "boolean" },
  "renew-certificate": { type: "boolean" },
  "new-authority": { type: "boolean" },
  config: { type: "string" },
  data: { type: "string" },
  "zm-conf": { type: "string" },
  name: { type: "string", multiple: true },
  port: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  "fcm-key": { type: "string" },
  mqtt: { type: "string" },
  "mqtt-user": { type: "string" },
  "mqtt-password-file": { type: "string" },
  detection: { type: "string" },
} as const;

function faultOf(cert: string | undefined, key: string | undefined, port: number | null): string | null {
  if ((cert === undefined) !== (key === undefined)) return "--cert and --key belong together.";
  const isPort = port === null || (Number.isInteger(port) && port > 0 && port < 65_536);
  return isPort ? null : "--port takes a number from 1 to 65535.";
}

function brokerFault(server: string | undefined): string | null {
  if (server === undefined) return null;
  const broker = parseBroker({ server, tls_ca: null, tls_cert: null, tls_key: null });
  if (broker === null) return "--mqtt takes host, host:port, or a URL with mqtts://.";
  return broker.login === null
    ? null
    : "--mqtt takes an address without a login, which everybody on this machine could read: --mqtt-user and --mqtt-password-file give it, or setup asks for it.";
}

interface LoginValues {
  readonly yes?: boolean;
  readonly mqtt?: string;
  readonly "mqtt-user"?: string;
  readonly "mqtt-password-file"?: string;
}

/** The login at the broker, null without one, or what is wrong with it. The password itself is in no argument: `ps` shows those. */
function readMqttLogin(values: LoginValues): MqttLogin | string | null {
  const { mqtt, "mqtt-user": username, "mqtt-password-file": file } = values;
  if (username === undefined)
    return file === undefined ? null : "--mqtt-password-file needs --mqtt-user: whose password it is.";
  if (mqtt === undefined) return "--mqtt-user needs --mqtt: at which broker.";
  if (username.trim() === "") return "--mqtt-user takes the name of a user at the broker.";
  if (file !== undefined) return withPassword(username.trim(), file);
  if (values.yes === true)
    return "With --yes nobody is asked for the password: --mqtt-user needs --mqtt-password-file.";
  return { username: username.trim(), password: null };
}

function withPassword(username: string, file: string): MqttLogin | string {
  try {
    const password = readPlainFile(file).trim();
    if (password === "") return `--mqtt-password-file: ${file} is empty.`;
    if (/[\r\n]/.test(password))
      return `--mqtt-password-file: ${file} has several lines; it is to hold nothing but the password.`;
    return { username, password };
  } catch (failure) {
    return `--mqtt-password-file: ${file} cannot be read: ${reasonOf(failure)}.`;
  }
}

function choiceFault(detection: string | undefined): string | null {
  return detection === undefined || /^(yes|no)$/.test(detection) ? null : "--detection takes yes or no.";
}
