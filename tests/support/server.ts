// Starts the real server on a free port with logins that tests control, and keeps what it logs.
import { Writable } from "node:stream";
import pino from "pino";
import type { Rights } from "../../src/domain/recipient.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { LoginAttempt, LoginOutcome, LoginProvider, RightsProvider } from "../../src/server/login.ts";
import { createServer, type Server, type ServerOptions } from "../../src/server/server.ts";

export interface TestServer {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
  /** Every log line so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  messages(): readonly string[];
  stop(): Promise<void>;
}

type Overrides = {
  readonly [Section in
    | "general"
    | "network"
    | "ssl"
    | "auth"
    | "zoneminder"
    | "devices"
    | "limits"]?: Partial<ServerOptions[Section]>;
} & {
  readonly registry?: ServerOptions["registry"];
  readonly pictureDoor?: ServerOptions["pictureDoor"];
  readonly panel?: ServerOptions["panel"];
  readonly watched?: ServerOptions["watched"];
  readonly logins?: LoginProvider & RightsProvider;
  readonly clock?: Clock;
  readonly health?: () => boolean;
  readonly level?: string;
};

/** The defaults of the configuration, on a free port of 127.0.0.1, without TLS. */
export async function startServer(overrides: Overrides = {}): Promise<TestServer> {
  const log: Record<string, unknown>[] = [];
  const server = createServer(serverOptions(overrides, log));
  await server.part.start(new AbortController().signal);
  const port = server.address()?.port ?? 0;
  const scheme = overrides.ssl?.enable === true ? "wss" : "ws";
  return {
    server,
    port,
    url: `${scheme}://127.0.0.1:${port}/`,
    log,
    messages: () => log.map((line) => String(line.msg)),
    stop: () => server.part.stop(),
  };
}

export function serverOptions(overrides: Overrides, log: Record<string, unknown>[] = []): ServerOptions {
  return {
    general: { use_escontrol_interface: false, escontrol_interface_password: null, ...overrides.general },
    network: { address: "127.0.0.1", port: 0, trusted_proxies: [], ...overrides.network },
    ssl: { enable: false, ...overrides.ssl },
    auth: { enable: true, timeout: 20, ...overrides.auth },
    zoneminder: { rights_reload_interval: 10, ...overrides.zoneminder },
    devices: { allow_public_registration: false, ...overrides.devices },
    registry: overrides.registry ?? null,
    pictureDoor: overrides.pictureDoor ?? null,
    panel: overrides.panel ?? null,
    watched: overrides.watched ?? (() => null),
    limits: {
      message_bytes: 65_536,
      connections: 10_000,
      unauthenticated_per_address: 100,
      client_buffer_bytes: 1_048_576,
      handshake_timeout: 10,
      queued_messages: 64,
      failed_logins_per_address: 20,
      failed_logins_per_user: 10,
      queued_logins: 2000,
      ...overrides.limits,
    },
    version: "8.0.0",
    logins: overrides.logins ?? knownUsers({ admin: "secret" }),
    clock: overrides.clock ?? systemClock,
    logger: recordingLogger(log, overrides.level ?? "debug"),
    health: overrides.health ?? (() => true),
  };
}

/** A real pino logger whose lines land in the array. */
export function recordingLogger(log: Record<string, unknown>[], level = "debug"): pino.Logger {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return pino({ level }, sink);
}

export interface KnownUsers extends LoginProvider, RightsProvider {
  readonly attempts: LoginAttempt[];
  readonly rights: Map<string, Rights | null>;
}

/** Users with their passwords; each may see everything unless `rights` says otherwise. */
export function knownUsers(passwords: Readonly<Record<string, string>>): KnownUsers {
  const attempts: LoginAttempt[] = [];
  const rights = new Map<string, Rights | null>(Object.keys(passwords).map((user) => [user, "all"]));
  return {
    attempts,
    rights,
    login: async (attempt): Promise<LoginOutcome> => {
      attempts.push(attempt);
      const mayDo = rights.get(attempt.user);
      if (mayDo === undefined || mayDo === null || passwords[attempt.user] !== attempt.password)
        return { outcome: "refused" };
      return { outcome: "accepted", user: attempt.user, rights: mayDo };
    },
    rightsOf: async (users) => new Map(users.map((user) => [user, rights.get(user) ?? null])),
  };
}

/** The message that logs in. */
export function loginMessage(user: string, password: string, more: Record<string, unknown> = {}) {
  return { event: "auth", data: { user, password, ...more } };
}
