// Connections between TCP and WebSocket: let in a few at a time, limited per address, cut when they stall.
import type { Socket } from "node:net";
import type { Clock } from "../lib/clock.ts";
import type { AddressCounter } from "./address-counter.ts";
import { limitKey, plainAddress, type TrustedProxies } from "./client-address.ts";
import type { SparseWarn } from "./sparse-log.ts";

export interface HandshakeLimits {
  /** Seconds from the TCP connection to the finished WebSocket handshake, TLS included. */
  readonly handshake_timeout: number;
  readonly connections: number;
}

export interface HandshakesOptions {
  readonly limits: HandshakeLimits;
  readonly unauthenticated: AddressCounter;
  readonly isProxy: TrustedProxies;
  readonly clock: Clock;
  readonly sparseWarn: SparseWarn;
  /** How many sessions there are already. */
  sessions(): number;
  /** Starts TLS or HTTP on a connection whose turn it is. */
  begin(socket: Socket): void;
}

export interface Handshakes {
  /** A new TCP connection of which nothing was read yet. */
  accept(socket: Socket): void;
  /** It made a plain HTTP request: it may go on for as long again. */
  renew(socket: Socket): void;
  /** Its WebSocket handshake is done: it is no longer looked after here. */
  finish(socket: Socket): void;
  /** Cuts what has stalled. */
  sweep(): void;
  closeAll(): void;
}

/**
 * 500 handshakes in one go stop the scan for 50 ms and more; 8 take 1 to 4 ms (P-256 certificate). A connection takes its
 * turn when its first bytes are here, because it is those that cost: a crowd connects first and speaks all at once then.
 */
const HANDSHAKES_PER_TURN = 8;

/** Room above `limits.connections` for connections on their way: they get their 503, and health checks an answer. */
const ON_THE_WAY = 256;

/** Nothing waits in here longer than the handshake timeout. */
export function createHandshakes(options: HandshakesOptions): Handshakes {
  const { clock, limits, unauthenticated, sparseWarn } = options;
  const pending = new Set<Pending>();
  // Two entries can have the same id while a connection that was reset has not been noticed to be gone.
  const byId = new Map<string, Pending>();
  const queue: Pending[] = [];
  let isTurnPlanned = false;

  const turn = (): void => {
    for (const { socket } of queue.splice(0, HANDSHAKES_PER_TURN)) {
      if (socket.destroyed) continue;
      options.begin(socket);
      socket.resume();
    }
    isTurnPlanned = queue.length > 0;
    if (isTurnPlanned) setImmediate(turn);
  };

  const forget = (entry: Pending, isGone: boolean): void => {
    if (!pending.delete(entry)) return;
    if (byId.get(entry.id) === entry) byId.delete(entry.id);
    entry.socket.off("close", entry.onClose);
    if (isGone && entry.countedAs !== null) unauthenticated.remove(entry.countedAs);
  };

  /** Why the connection cannot be let in, or null. Counts it for its address on the way. */
  const refusal = (address: string, countedAs: string | null): string | null => {
    if (pending.size + options.sessions() >= limits.connections + ON_THE_WAY)
      return "Too many connections (limits.connections): new ones are turned away";
    if (countedAs !== null && !unauthenticated.tryAdd(countedAs))
      return `Too many connections from ${address} that have not logged in (limits.unauthenticated_per_address)`;
    return null;
  };

  return {
    accept(socket) {
      // From here on a reset must find a listener, and nobody else has one while the connection waits.
      socket.on("error", ignore);
      const address = plainAddress(socket.remoteAddress);
      // Behind a trusted proxy the client is known, and counted, when its HTTP headers have arrived.
      const countedAs = options.isProxy(address) ? null : limitKey(address);
      const reason = refusal(address, countedAs);
      if (reason !== null) {
        sparseWarn("connections", reason);
        socket.destroy();
        return;
      }
      const deadline = clock.monotonic() + limits.handshake_timeout * 1000;
      const entry: Pending = {
        id: idOf(socket),
        socket,
        countedAs,
        deadline,
        onClose: () => forget(entry, true),
      };
      pending.add(entry);
      byId.set(entry.id, entry);
      socket.once("close", entry.onClose);
      socket.once("data", (first: Buffer) => {
        socket.pause();
        // TLS and HTTP find them there as if they had just come.
        socket.unshift(first);
        queue.push(entry);
        if (!isTurnPlanned) setImmediate(turn);
        isTurnPlanned = true;
      });
      socket.resume();
    },
    renew(socket) {
      const entry = byId.get(idOf(socket));
      if (entry !== undefined) entry.deadline = clock.monotonic() + limits.handshake_timeout * 1000;
    },
    finish(socket) {
      const entry = byId.get(idOf(socket));
      if (entry !== undefined) forget(entry, false);
    },
    sweep() {
      const now = clock.monotonic();
      for (const entry of pending) {
        if (now < entry.deadline) continue;
        forget(entry, true);
        entry.socket.destroy();
      }
    },
    closeAll() {
      for (const entry of pending) {
        forget(entry, true);
        entry.socket.destroy();
      }
    },
  };
}

interface Pending {
  readonly id: string;
  readonly socket: Socket;
  /** null: not counted for any address yet. */
  readonly countedAs: string | null;
  deadline: number;
  readonly onClose: () => void;
}

/**
 * The same for a TCP socket and for the TLS socket that node:https puts around it. With our own address, because a
 * client may use one port of its own for several of ours.
 */
function idOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress}|${remoteAddress}|${remotePort}`;
}

function ignore(): void {
  // The close that follows is what matters.
}
