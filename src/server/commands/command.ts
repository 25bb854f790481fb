// What a command may do with the connection its message came from.
import type { Rights } from "../../domain/recipient.ts";
import type { Logger } from "../../lib/log.ts";
import type { LimitedLogins } from "../login-limiter.ts";
import type { Outgoing } from "../protocol.ts";
import type { FrequentInfo, SparseWarn } from "../sparse-log.ts";

/** One client connection as the commands see it. */
export interface Connection {
  /** The address for the log and for limits; behind a trusted proxy the client's own. */
  readonly address: string;
  readonly isLoggedIn: boolean;
  /** Aborted when the connection is gone. */
  readonly closed: AbortSignal;
  reply(message: Outgoing): void;
  /** Logs in, or logs in again: the rights are swapped at once, list and intervals stay until set. */
  signIn(user: string, rights: Rights): void;
  setFilter(monlist: string, intlist: string): void;
  /** Closes; nothing that arrives afterwards is looked at. */
  end(code: CloseCode, reason: string): void;
}

/** 1000 after a Fail reply, 1008 for breaking a rule (RFC 6455, 7.4.1), 1013 "try again later" (IANA registry). */
export type CloseCode = 1000 | 1008 | 1013;

/** What commands need besides the connection. */
export interface CommandContext {
  readonly version: string;
  readonly logins: LimitedLogins;
  readonly logger: Logger;
  readonly sparseWarn: SparseWarn;
  readonly frequentInfo: FrequentInfo;
}
