// The door, put together: one part that opens the port, looks after the sessions and closes both.
import type { AddressInfo } from "node:net";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { createAddressCounter } from "./address-counter.ts";
import { trustedProxies } from "./client-address.ts";
import type { CommandContext } from "./commands/command.ts";
import { type ControlOptions, type ControlPanel, createControlDoor } from "./control-panel.ts";
import type { DeviceRegistry } from "./devices.ts";
import { createListener, type Listener, type ListenerLimits } from "./listener.ts";
import type { LoginProvider, RightsProvider } from "./login.ts";
import { type LoginLimits, limitLogins } from "./login-limiter.ts";
import { openLogins } from "./open-logins.ts";
import type { Pictures } from "./pictures.ts";
import type { SessionLimits } from "./session.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createFrequentInfo, createSparseWarn } from "./sparse-log.ts";
import { loadTls, type TlsMaterial, type TlsOptions, watchTls } from "./tls.ts";

/** Sections of the configuration, as they are, and what other rooms provide. */
export interface ServerOptions {
  readonly general: ControlOptions;
  readonly network: {
    readonly address: string;
    readonly port: number;
    readonly trusted_proxies: readonly string[];
  };
  readonly ssl: TlsOptions;
  readonly auth: { readonly enable: boolean; readonly timeout: number };
  readonly zoneminder: { readonly rights_reload_interval: number };
  readonly devices: { readonly allow_public_registration: boolean };
  readonly limits: ListenerLimits &
    LoginLimits &
    SessionLimits & { readonly unauthenticated_per_address: number };
  /** Announced to clients; old zmNinja complains below 6.0. */
  readonly version: string;
  /** Not asked when `auth.enable` is off. */
  readonly logins: LoginProvider & RightsProvider;
  /** null: phones cannot register, because push is switched off. */
  readonly registry: DeviceRegistry | null;
  /** What answers picture links; null: nothing does. Not `pictures`, which is a section of the configuration. */
  readonly pictureDoor: Pick<Pictures, "answer"> | null;
  /** null: the server cannot be controlled over the network. */
  readonly panel: ControlPanel | null;
  /** The monitors that are watched; null while only those without a database are known. */
  readonly watched: CommandContext["watched"];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the program does its work; answered on /healthz. */
  health(): boolean;
}

export interface Server {
  readonly part: Part;
  readonly sessions: Sessions;
  /** Where it listens; null before the start. With port 0 this is how the real one is known. */
  address(): AddressInfo | null;
}

/** The whole program has 2 s to stop. */
const GOODBYE_MS = 1_000;

/** Builds the server; the port is opened by `part.start`. */
export function createServer(options: ServerOptions): Server {
  const { clock, limits, logger } = options;
  const providers = options.auth.enable ? options.logins : openLogins();
  const unauthenticated = createAddressCounter(() => limits.unauthenticated_per_address);
  const sparseWarn = createSparseWarn(logger, clock);
  const frequentInfo = createFrequentInfo(logger, clock);
  const logins = limitLogins(providers, limits, clock);
  const sessions = createSessions({
    ...options,
    rights: providers,
    unauthenticated,
    context: {
      version: options.version,
      logins,
      control: createControlDoor(options.panel, options.general, limits, clock),
      registry: options.registry,
      watched: options.watched,
      privateOnly: !options.auth.enable && !options.devices.allow_public_registration,
      limits,
      clock,
      logger,
      sparseWarn,
      frequentInfo,
    },
  });
  const isProxy = trustedProxies(options.network.trusted_proxies);
  const listener = createListener({
    ...options,
    pictures: options.pictureDoor,
    isProxy,
    sessions,
    unauthenticated,
    sparseWarn,
    frequentInfo,
  });
  let certificate: { close(): void } | null = null;

  const part: Part = {
    name: "server",
    async start() {
      const tls = options.ssl.enable ? await loadTls(options.ssl) : null;
      if (!options.auth.enable)
        logger.warn(
          "Logins are not checked (auth.enable is no): everybody who reaches the port sees every alarm",
        );
      await listener.listen(tls);
      sessions.startTimers();
      if (tls !== null) certificate = followCertificate(options, tls, listener);
    },
    async stop() {
      certificate?.close();
      certificate = null;
      listener.close();
      await sessions.closeAll(GOODBYE_MS);
    },
  };
  return { part, sessions, address: listener.address };
}

function followCertificate(options: ServerOptions, tls: TlsMaterial, listener: Listener): { close(): void } {
  return watchTls({
    files: { cert: options.ssl.cert ?? "", key: options.ssl.key ?? "" },
    current: tls,
    clock: options.clock,
    logger: options.logger,
    onChange: listener.useTls,
  });
}
