// The one port of the program: TCP, TLS, HTTP and the upgrade to WebSocket.
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { type AddressInfo, createServer as createNetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../lib/clock.ts";
import { AppError, reasonOf, systemCode } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { AddressCounter } from "./address-counter.ts";
import { clientAddress, limitKey, plainAddress, type TrustedProxies } from "./client-address.ts";
import { createHandshakes, type HandshakeLimits } from "./handshakes.ts";
import { createHttpApp } from "./http-app.ts";
import type { SessionRegistry } from "./sessions.ts";
import type { SparseWarn } from "./sparse-log.ts";
import type { TlsMaterial } from "./tls.ts";

export interface ListenerLimits extends HandshakeLimits {
  readonly message_bytes: number;
}

export interface ListenerOptions {
  readonly network: { readonly address: string; readonly port: number };
  readonly limits: ListenerLimits;
  readonly isProxy: TrustedProxies;
  readonly sessions: SessionRegistry;
  readonly unauthenticated: AddressCounter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sparseWarn: SparseWarn;
  health(): boolean;
}

export interface Listener {
  /** Opens the port, with TLS when there is something to do it with. Throws an AppError when it cannot. */
  listen(tls: TlsMaterial | null): Promise<void>;
  /** Serves new connections with another certificate; those that are open keep theirs. */
  useTls(tls: TlsMaterial): void;
  /** Where it listens, or null. */
  address(): AddressInfo | null;
  /** Stops accepting and cuts connections that are no session yet. */
  close(): void;
}

/** Connections the kernel keeps until they are accepted; a whole fleet may come back at once after a restart. */
const BACKLOG = 4096;

/** How exact the handshake timeout is. */
const SWEEP_EVERY_MS = 500;

/** Builds the listener; nothing is opened before `listen`. */
export function createListener(options: ListenerOptions): Listener {
  const { limits, logger, sessions, sparseWarn } = options;
  const webSockets = new WebSocketServer(webSocketOptions(limits));
  let http: ReturnType<typeof createHttpServer> | HttpsServer = createHttpServer();
  let secure: HttpsServer | null = null;
  let sweeper: NodeJS.Timeout | undefined;
  const handshakes = createHandshakes({
    ...options,
    sessions: () => sessions.counts().total,
    begin: (socket) => http.emit("connection", socket),
  });
  // Paused until its turn: a crowd of handshakes must not stop the scan of the cameras.
  const port = createNetServer({ pauseOnConnect: true, noDelay: true }, handshakes.accept);

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // No address: the client is gone already, and could not be counted under its own.
    if (!(socket instanceof Socket) || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const peer = plainAddress(socket.remoteAddress);
    const address = clientAddress(peer, forwardedFor(request), options.isProxy);
    const turnedAway = admissionProblem(options, peer, address);
    if (turnedAway !== null) {
      sparseWarn("upgrades", turnedAway);
      socket.on("error", () => socket.destroy());
      socket.end(UNAVAILABLE);
      return;
    }
    const giveBack = (): void => options.unauthenticated.remove(limitKey(address));
    if (options.isProxy(peer)) socket.once("close", giveBack);
    // ws reads it once per connection, and the limit may have changed since the start.
    webSockets.options.maxPayload = limits.message_bytes;
    webSockets.handleUpgrade(request, socket, head, (ws: WebSocket) => {
      socket.off("close", giveBack);
      handshakes.finish(socket);
      const count = sessions.counts().total + 1;
      logger.info(`got a websocket connection from ${address} (${count}) active connections`);
      sessions.open(ws, socket, address);
    });
  };

  return {
    async listen(tls) {
      const onRequest = getRequestListener(createHttpApp(options.health).fetch, {
        overrideGlobalObjects: false,
      });
      const httpOptions = { shouldUpgradeCallback: isWebSocketUpgrade, requireHostHeader: false };
      secure = tls === null ? null : createHttpsServer({ ...httpOptions, ...tls });
      http = secure ?? createHttpServer(httpOptions);
      http.on("request", (request, response) => {
        handshakes.renew(request.socket);
        void onRequest(request, response);
      });
      http.on("upgrade", onUpgrade);
      http.on("clientError", (error: Error, socket: Duplex) => onClientError(error, socket, options));
      await openPort(port, options.network);
      port.on("error", (error) => sparseWarn("accept", `Connections cannot be accepted: ${error.message}`));
      sweeper = setInterval(handshakes.sweep, SWEEP_EVERY_MS);
      logger.info(tls === null ? "Secure WS is disabled..." : "Secure WS(WSS) is enabled...");
      logger.info(`Web Socket Event Server listening on port ${addressOf(port)?.port}`);
    },
    useTls(tls) {
      secure?.setSecureContext(tls);
    },
    address: () => addressOf(port),
    close() {
      clearInterval(sweeper);
      // Open sessions do not hold it up: they are said goodbye to right after this.
      port.close();
      handshakes.closeAll();
      webSockets.close();
    },
  };
}

/** The addresses to listen on, best first. "[::]" takes IPv4 as well, and where IPv6 is off only IPv4 is left. */
export function addressesToTry(address: string): readonly string[] {
  const bare = address.trim().replace(/^\[(.*)\]$/, "$1");
  return bare === "" || bare === "::" ? ["::", "0.0.0.0"] : [bare];
}

const UNAVAILABLE =
  "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n";
const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/** Compression stays off: alarms are small, and one frame is written to all sockets as it is. */
function webSocketOptions(limits: ListenerLimits) {
  return {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.message_bytes,
    // No known client asks for a subprotocol, and none is spoken.
    handleProtocols: () => false as const,
    // How long a client may take to answer a close; ws has it, its types do not yet.
    closeTimeout: limits.handshake_timeout * 1000,
  };
}

/** Why the client cannot have a session now, or null. Behind a proxy it is counted for its address here. */
function admissionProblem(options: ListenerOptions, peer: string, address: string): string | null {
  if (options.sessions.counts().total >= options.limits.connections)
    return "Too many connections (limits.connections): new ones are turned away";
  if (options.isProxy(peer) && !options.unauthenticated.tryAdd(limitKey(address)))
    return `Too many connections from ${address} that have not logged in (limits.unauthenticated_per_address)`;
  return null;
}

function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

function forwardedFor(request: IncomingMessage): string | undefined {
  const header = request.headers["x-forwarded-for"];
  return typeof header === "string" ? header : header?.join(",");
}

/** Not HTTP, or not TLS. The commonest mistake of all, wss against ws, is said in plain words. */
function onClientError(error: Error, socket: Duplex, options: ListenerOptions): void {
  const code = systemCode(error);
  const from = socket instanceof Socket ? plainAddress(socket.remoteAddress) : "unknown";
  if (code === "ERR_SSL_HTTP_REQUEST")
    options.sparseWarn("scheme", `${from} connects with ws:// or http://, but TLS is on: use wss://`);
  else if (isTlsHello(error))
    options.sparseWarn(
      "scheme",
      `${from} connects with wss:// or https://, but TLS is off (ssl.enable): use ws://`,
    );
  else options.logger.debug(`The handshake with ${from} failed: ${reasonOf(error)}`);
  if (code?.startsWith("HPE_") && socket.writable) socket.end(BAD_REQUEST);
  else socket.destroy();
}

/** A TLS record of type "handshake" (RFC 8446, 5.1) where HTTP was expected. */
function isTlsHello(error: Error): boolean {
  return "rawPacket" in error && Buffer.isBuffer(error.rawPacket) && error.rawPacket[0] === 0x16;
}

type Port = ReturnType<typeof createNetServer>;

async function openPort(port: Port, network: ListenerOptions["network"]): Promise<void> {
  const addresses = addressesToTry(network.address);
  for (const [index, host] of addresses.entries()) {
    try {
      await openOn(port, host, network.port);
      return;
    } catch (failure) {
      const isWithoutIpv6 = ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(systemCode(failure) ?? "");
      if (isWithoutIpv6 && index + 1 < addresses.length) continue;
      throw listenError(failure, network);
    }
  }
}

async function openOn(port: Port, host: string, number: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  port.once("error", reject);
  port.listen({ host, port: number, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } finally {
    port.off("error", reject);
    port.off("listening", resolve);
  }
}

function listenError(failure: unknown, { address, port }: ListenerOptions["network"]): AppError {
  switch (systemCode(failure)) {
    case "EADDRINUSE":
      return new AppError("NETWORK_PORT_IN_USE", { port, address }, failure);
    case "EACCES":
    case "EPERM":
      return new AppError("NETWORK_PORT_FORBIDDEN", { port, address }, failure);
    default:
      return new AppError("NETWORK_ADDRESS_UNUSABLE", { address }, failure);
  }
}

function addressOf(port: Port): AddressInfo | null {
  const address = port.address();
  return address === null || typeof address === "string" ? null : address;
}
