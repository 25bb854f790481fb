// All live sessions: who is logged in, the one timer that looks after them, and the renewal of their rights.
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Recipient, Rights } from "../domain/recipient.ts";
import { reasonOf } from "../lib/errors.ts";
import type { AddressCounter } from "./address-counter.ts";
import { limitKey } from "./client-address.ts";
import type { RightsProvider } from "./login.ts";
import { Session, type SessionContext } from "./session.ts";

/** The sessions as the rest of the program sees them. */
export interface Sessions {
  /** Everybody who is logged in; an array that never changes once given out. */
  receivers(): readonly Receiver[];
  counts(): SessionCounts;
  /** Calls back whenever the number of logged-in sessions has changed. */
  onListenersChange(callback: (count: number) => void): void;
}

interface Receiver {
  readonly user: string | null;
  readonly address: string;
  /** On the monotonic clock. */
  readonly loggedInAt: number;
  readonly recipient: Recipient;
  readonly supplementary: boolean;
  readonly updates: boolean;
  writable(): boolean;
  write(bytes: Buffer): void;
}

interface SessionCounts {
  readonly total: number;
  readonly loggedIn: number;
}

/** The sessions as the listener sees them. */
export interface SessionRegistry extends Sessions {
  /** Takes over a connection whose upgrade is complete; its address is counted as not logged in already. */
  open(ws: WebSocket, socket: Duplex, address: string): void;
  /** Reads the rights of everybody again. Never throws: what is not known now stays as it was. */
  refreshRights(): Promise<void>;
  startTimers(): void;
  /** Says goodbye to everybody (1001) and cuts those who have not taken it when the deadline is over. */
  closeAll(deadlineMs: number): Promise<void>;
}

export interface SessionsOptions {
  readonly rights: RightsProvider;
  readonly auth: { readonly timeout: number };
  readonly zoneminder: { readonly rights_reload_interval: number };
  readonly unauthenticated: AddressCounter;
  readonly context: Omit<SessionContext, "onLoggedIn" | "onClosed">;
}

/** How exact the deadlines of sessions are. Looking at 9,000 of them takes less than a millisecond. */
const SWEEP_EVERY_MS = 500;

/** Builds the registry; nothing runs before `startTimers`. */
export function createSessions(options: SessionsOptions): SessionRegistry {
  const { clock, logger } = options.context;
  const all = new Set<Session>();
  /** Everybody who got past the login; those who control the server are not told of alarms. */
  const admitted = new Set<Session>();
  const loggedIn = new Set<Session>();
  const callbacks: ((count: number) => void)[] = [];
  const timers: NodeJS.Timeout[] = [];
  let snapshot: readonly Session[] | null = null;
  let refreshing = false;
  let isRightsSourceAway = false;
  let onEmpty: (() => void) | null = null;

  const changed = (): void => {
    snapshot = null;
    for (const callback of callbacks) callback(loggedIn.size);
  };

  const context: SessionContext = {
    ...options.context,
    onLoggedIn(session) {
      if (!admitted.has(session)) options.unauthenticated.remove(limitKey(session.address));
      admitted.add(session);
      if (loggedIn.has(session) === !session.isControl) return;
      if (session.isControl) loggedIn.delete(session);
      else loggedIn.add(session);
      changed();
    },
    onClosed(session) {
      all.delete(session);
      if (!admitted.delete(session)) options.unauthenticated.remove(limitKey(session.address));
      if (loggedIn.delete(session)) changed();
      if (all.size === 0) onEmpty?.();
    },
  };

  const refreshRights = async (): Promise<void> => {
    if (refreshing || loggedIn.size === 0) return;
    refreshing = true;
    const askedAt = clock.monotonic();
    try {
      const known = await options.rights.rightsOf([...usersOf(loggedIn)]);
      for (const session of loggedIn) applyRights(session, known, askedAt, context);
      if (isRightsSourceAway) logger.info("The rights of users can be read again");
      isRightsSourceAway = false;
    } catch (failure) {
      const reason = reasonOf(failure);
      if (!isRightsSourceAway)
        logger.warn(`The rights of users cannot be read, the last known ones stay: ${reason}`);
      isRightsSourceAway = true;
    } finally {
      refreshing = false;
    }
  };

  return {
    receivers() {
      snapshot ??= [...loggedIn];
      return snapshot;
    },
    counts: () => ({ total: all.size, loggedIn: loggedIn.size }),
    onListenersChange(callback) {
      callbacks.push(callback);
    },
    open(ws, socket, address) {
      all.add(new Session(ws, socket, address, options.auth.timeout * 1000, context));
    },
    refreshRights,
    startTimers() {
      timers.push(
        setInterval(() => checkAll(all, clock.monotonic()), SWEEP_EVERY_MS),
        setInterval(() => void refreshRights(), options.zoneminder.rights_reload_interval * 1000),
      );
    },
    async closeAll(deadlineMs) {
      for (const timer of timers.splice(0)) clearInterval(timer);
      if (all.size === 0) return;
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve;
      });
      for (const session of all) session.end(1001, "the server stops");
      const cut = setTimeout(() => {
        for (const session of all) session.terminate();
      }, deadlineMs);
      await empty;
      clearTimeout(cut);
    },
  };
}

function usersOf(sessions: ReadonlySet<Session>): ReadonlySet<string> {
  const users = new Set<string>();
  for (const { user } of sessions) if (user !== null) users.add(user);
  return users;
}

/**
 * A user that is gone or disabled loses the connection without a Fail: the client comes back, and hears from the
 * login what is wrong. A login that was accepted after the question was asked knows better than the answer.
 */
function applyRights(
  session: Session,
  known: ReadonlyMap<string, Rights | null>,
  askedAt: number,
  context: SessionContext,
): void {
  const rights = session.user === null ? undefined : known.get(session.user);
  if (rights === undefined || session.rightsAt > askedAt) return;
  if (rights !== null) {
    session.setRights(rights, askedAt);
    return;
  }
  context.logger.info(`The user of the client at ${session.address} is gone or disabled: closed`);
  session.end(1008, "this user may no longer log in");
}

function checkAll(sessions: ReadonlySet<Session>, now: number): void {
  for (const session of sessions) session.check(now);
}
