// What a command may do with the connection its message came from.
import type { DeviceApp } from "../../domain/device.ts";
import type { DeviceLink, Lists } from "../../domain/device-link.ts";
import type { Monitor } from "../../domain/monitor.ts";
import type { Recipient, Rights } from "../../domain/recipient.ts";
import type { Logger } from "../../lib/log.ts";
import type { ControlDoor } from "../control-panel.ts";
import type { DeviceRegistry } from "../devices.ts";
import type { LimitedLogins } from "../login-limiter.ts";
import type { Outgoing } from "../protocol.ts";
import type { FrequentInfo, SparseWarn } from "../sparse-log.ts";

/** One client connection as the commands see it. */
export interface Connection {
  /** The address for the log and for limits; behind a trusted proxy the client's own. */
  readonly address: string;
  readonly isLoggedIn: boolean;
  /** Logged in to control the server (category escontrol): it sends commands and is told of no alarms. */
  readonly isControl: boolean;
  /** The user of the last login that was accepted; null before the first. */
  readonly user: string | null;
  readonly recipient: Recipient;
  /** The lists the client has set on this connection; null as long as it has set none. */
  readonly lists: Lists | null;
  /** The phone that this connection registered, if it did. */
  readonly device: DeviceLink | null;
  readonly client: ClientApp;
  /** Aborted when the connection is gone. */
  readonly closed: AbortSignal;
  reply(message: Outgoing): void;
  /** Logs in, or logs in again: the rights are swapped at once, list and intervals stay until set. */
  signIn(user: string, rights: Rights): void;
  /** Logs in to control the server; whoever was logged in before no longer is. */
  takeControl(): void;
  /** Sets the filter, of the phone too that this connection registered. */
  setFilter(monlist: string, intlist: string): void;
  /** What the client says of itself when it logs in. */
  describe(client: ClientApp): void;
  /** Holds the phone it registered from now on; the connection without lists takes over those of the phone. */
  hold(device: DeviceLink): void;
  /** Closes; nothing that arrives afterwards is looked at. */
  end(code: CloseCode, reason: string): void;
}

/** Which app a connection belongs to. */
export interface ClientApp {
  readonly app: DeviceApp;
  readonly appVersion: string | null;
  /** True when it wants to hear again of an alarm when a hook has answered. */
  readonly updates?: boolean;
}

/** 1000 after a Fail reply, 1008 for breaking a rule (RFC 6455, 7.4.1), 1013 "try again later" (IANA registry). */
export type CloseCode = 1000 | 1008 | 1013;

/** What commands need besides the connection. */
export interface CommandContext {
  readonly version: string;
  readonly logins: LimitedLogins;
  readonly control: ControlDoor;
  /** null: push is switched off. */
  readonly registry: DeviceRegistry | null;
  /** Whether phones may register from private addresses only. */
  readonly privateOnly: boolean;
  /** The monitors of which clients are told; null while ZoneMinder's list of them has not been read. */
  readonly watched: () => readonly Pick<Monitor, "id" | "name">[] | null;
  readonly logger: Logger;
  readonly sparseWarn: SparseWarn;
  readonly frequentInfo: FrequentInfo;
}
