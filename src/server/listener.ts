// The one port of the program: TCP, TLS, HTTP and the upgrade to WebSocket.
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { type AddressInfo, createServer as createNetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../lib/clock.ts";
import { reasonOf, systemCode } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { AddressCounter } from "./address-counter.ts";
import { clientAddress, limitKey, plainAddress, type TrustedProxies } from "./client-address.ts";
import { createHandshakes, type HandshakeLimits } from "./handshakes.ts";
import { createHttpApp } from "./http-app.ts";
import type { Pictures } from "./pictures.ts";
import { addressOf, openPort } from "./port.ts";
import type { SessionRegistry } from "./sessions.ts";
import type { FrequentInfo, SparseWarn } from "./sparse-log.ts";
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
  readonly pictures: Pick<Pictures, "answer"> | null;
  readonly frequentInfo: FrequentInfo;
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

/** How exact the handshake timeout is. */
const SWEEP_EVERY_MS = 500;

/**
 * A health check may keep its connection for so many requests. Sent all at once they take some 10 ms, in which nothing
 * else happens; without an end it would be hundreds.
 */
const REQUESTS_PER_CONNECTION = 100;

/** Builds the listener; nothing is opened before `listen`. */
export function createListener(options: ListenerOptions): Listener {
  const { limits, logger, sessions, sparseWarn, frequentInfo } = options;
  const webSockets = new WebSocketServer(webSocketOptions(limits));
  let http: ReturnType<typeof createHttpServer> | HttpsServer = createHttpServer();
  let secure: HttpsServer | null = null;
  let sweeper: NodeJS.Timeout | undefined;
  const handshakes = createHandshakes({
    ...options,
    sessions: () => sessions.counts().total,
    begin: (socket) => http.emit("connection", socket),
  });
  // Not read before its turn: a crowd of handshakes must not stop the scan of the cameras.
  const port = createNetServer({ pauseOnConnect: true, noDelay: true }, handshakes.accept);

  const clientOf = (request: IncomingMessage): string =>
    clientAddress(plainAddress(request.socket.remoteAddress), forwardedFor(request), options.isProxy);

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // No address: the client is gone already, and could not be counted under its own.
    if (!(socket instanceof Socket) || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const peer = plainAddress(socket.remoteAddress);
    const forwarded = forwardedFor(request);
    const address = clientAddress(peer, forwarded, options.isProxy);
    if (forwarded !== undefined && !options.isProxy(peer)) sparseWarn("proxy", notBelieved(peer));
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
      frequentInfo("connection", `got a websocket connection from ${address} (${count}) active connections`);
      frequentInfo(
        "handshake",
        `Websockets: New Connection Handshake requested from ${address}:${socket.remotePort} state=pending auth`,
      );
      sessions.open(ws, socket, address);
    });
  };

  return {
    async listen(tls) {
      const onRequest = getRequestListener(createHttpApp({ ...options, addressOf: clientOf }).fetch, {
        overrideGlobalObjects: false,
        // Health checks in HTTP/1.0 send no Host (HAProxy's do not unless told to).
        hostname: "localhost",
      });
      const httpOptions = { shouldUpgradeCallback: isWebSocketUpgrade, requireHostHeader: false };
      secure = tls === null ? null : createHttpsServer({ ...httpOptions, ...tls });
      http = secure ?? createHttpServer(httpOptions);
      http.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
      http.on("dropRequest", (_request: IncomingMessage, socket: Duplex) => socket.destroy());
      http.on("request", (request, response) => {
        handshakes.renew(request.socket);
        void onRequest(request, response);
      });
      http.on("upgrade", onUpgrade);
      http.on("clientError", (error: Error, socket: Duplex) => onClientError(error, socket, options));
      logger.info("About to start listening to socket");
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
    // One message per client and turn of the loop: thousands of small ones in one packet must not stop the scan.
    allowSynchronousEvents: false,
    // A message in crumbs costs hundreds of times its size in memory. Both count how many it comes in.
    maxFragments: piecesOf(limits.message_bytes),
    maxBufferedChunks: piecesOf(limits.message_bytes),
    // No known client asks for a subprotocol, and none is spoken.
    handleProtocols: () => false as const,
    // How long a client may take to answer a close; ws has it, its types do not yet.
    closeTimeout: limits.handshake_timeout * 1000,
  };
}

/** Bad lines cut messages into packets of 500 bytes and more; a message may come in many more pieces than that. */
function piecesOf(messageBytes: number): number {
  return Math.max(1024, Math.ceil(messageBytes / 64));
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

/** Behind a proxy nobody named, one stranger's failed logins would hold off everybody's. */
function notBelieved(peer: string): string {
  return (
    `A connection from ${peer} carries X-Forwarded-For, which is not believed. If this is your reverse proxy, name ` +
    "it in network.trusted_proxies: until then all clients behind it share the limits of one address"
  );
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
