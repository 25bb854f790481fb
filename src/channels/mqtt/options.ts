// Where the broker is and how it is reached, read from the configuration; nothing here opens a connection.
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import type { IClientOptions } from "mqtt";
import { reasonOf } from "../../lib/errors.ts";

/** Section "mqtt" of the configuration. */
export interface MqttOptions {
  readonly server: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly topic: string;
  readonly retain: boolean;
  readonly tls_ca: string | null;
  readonly tls_cert: string | null;
  readonly tls_key: string | null;
  readonly tls_insecure: boolean;
  readonly protocol: "3.1.1" | "5";
  /** null: the host's name. */
  readonly server_name: string | null;
  /** Seconds a notice is worth sending. */
  readonly expires_after: number;
  readonly home_assistant: boolean;
  readonly home_assistant_prefix: string;
  readonly commands: Permission;
  readonly pictures: Permission;
}

/** "auto": where the broker asks for a login. */
export type Permission = "auto" | "yes" | "no";

type Scheme = "mqtt" | "mqtts" | "ws" | "wss";

export interface Broker {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  /** Of a WebSocket; "" elsewhere. */
  readonly path: string;
  /** User and password typed into the address; null where there are none. */
  readonly login: Login | null;
  /** The address as people know it, without credentials. */
  readonly label: string;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

type BrokerOptions = Pick<MqttOptions, "server" | "tls_ca" | "tls_cert" | "tls_key">;

/** IANA's for MQTT, and those of HTTP for its WebSocket form. */
const PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;
const ENCRYPTED = { mqtt: "mqtts", mqtts: "mqtts", ws: "wss", wss: "wss" } as const;
const ALIASES: Readonly<Record<string, Scheme>> = {
  mqtt: "mqtt",
  tcp: "mqtt",
  mqtts: "mqtts",
  ssl: "mqtts",
  tls: "mqtts",
  ws: "ws",
  wss: "wss",
};

/**
 * Reads `mqtt.server`: "host", "host:port" as in the original, or a URL (mqtt, mqtts, ws, wss). Whoever names an
 * authority or a certificate of his own wants TLS, whatever the scheme says. Null when it cannot be an address.
 */
export function parseBroker(options: BrokerOptions): Broker | null {
  const text = options.server.trim();
  const url = parseUrl(isIPv6(text) ? `mqtt://[${text}]` : text.includes("://") ? text : `mqtt://${text}`);
  if (url === null) return null;
  const named = ALIASES[url.protocol.slice(0, -1).toLowerCase()];
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (named === undefined || host === "" || url.hash !== "") return null;
  const isWebSocket = named === "ws" || named === "wss";
  if (!isWebSocket && (url.search !== "" || !["", "/"].includes(url.pathname))) return null;
  const scheme = options.tls_ca !== null || hasCertificate(options) ? ENCRYPTED[named] : named;
  const port = url.port === "" ? PORTS[scheme] : Number(url.port);
  const path = isWebSocket ? `${url.pathname === "" ? "/" : url.pathname}${url.search}` : "";
  const login = loginIn(url);
  if (port === 0 || login === "unreadable") return null;
  return { scheme, host, port, path, login, label: `${isIPv6(host) ? `[${host}]` : host}:${port}` };
}

/** User and password for the broker; null when it is used without. Both or none, as the original has it. */
export function loginOf(options: MqttOptions, broker: Broker): Login | null {
  const { username, password } = options;
  if (username !== null && password !== null) return { username, password };
  return broker.login;
}

/**
 * What mqtt.js needs to open one connection. Files are read each time, so that a renewed certificate is taken up
 * with the next connection; throws a sentence without secrets when one cannot be read.
 */
export async function connectionOptions(options: MqttOptions, broker: Broker): Promise<IClientOptions> {
  const isTls = broker.scheme === "mqtts" || broker.scheme === "wss";
  return {
    protocol: broker.scheme,
    hostname: broker.host,
    host: broker.host,
    port: broker.port,
    ...(broker.path !== "" && { path: broker.path }),
    protocolVersion: options.protocol === "5" ? 5 : 4,
    ...(isTls && (await tlsOptions(options))),
  };
}

/** A topic without blanks around it and without an empty last level. */
export function tidyTopic(topic: string): string {
  return topic.trim().replace(/\/+$/, "");
}

/** True for text that may stand in the name of a topic that is published to (MQTT 5, 4.7.1 and 4.7.3). */
export function isTopic(text: string): boolean {
  // "$" at the beginning belongs to the broker.
  return text !== "" && !/[+#\0]/.test(text) && !text.startsWith("$");
}

/** Both or none, as the original has it. */
function hasCertificate({ tls_cert, tls_key }: BrokerOptions): boolean {
  return tls_cert !== null && tls_key !== null;
}

function parseUrl(text: string): URL | null {
  // Of a scheme it does not know, URL would keep blanks and upper case in the host.
  return /\s/.test(text) || !URL.canParse(text) ? null : new URL(text);
}

function loginIn(url: URL): Login | "unreadable" | null {
  if (url.username === "") return null;
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    return "unreadable";
  }
}

async function tlsOptions(options: MqttOptions): Promise<IClientOptions> {
  const { tls_ca, tls_cert, tls_key } = options;
  const [ca, cert, key] = await Promise.all([
    read("mqtt.tls_ca", tls_ca),
    read("mqtt.tls_cert", hasCertificate(options) ? tls_cert : null),
    read("mqtt.tls_key", hasCertificate(options) ? tls_key : null),
  ]);
  return {
    rejectUnauthorized: !options.tls_insecure,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

async function read(name: string, path: string | null): Promise<Buffer | null> {
  if (path === null) return null;
  try {
    return await readFile(path);
  } catch (failure) {
    throw new Error(`${name} ${path} cannot be read: ${reasonOf(failure)}`);
  }
}
