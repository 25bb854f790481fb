// A few HTTP/2 sessions to one origin, opened when needed, replaced when the other side lets them go.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { isIP } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { orAborted } from "../../lib/within.ts";
import { collectReply, type HttpReply, type HttpRequest } from "./exchange.ts";

export interface SessionsOptions {
  readonly url: URL;
  readonly count: number;
  /** For opening a connection. */
  readonly timeoutMs: number;
  readonly ca: string | null;
}

export interface Sessions {
  /** A place on the least busy session. Opens another one while there may be more and all are at work. */
  acquire(signal: AbortSignal): Promise<Lease>;
  close(): void;
}

/** A place for one stream on a session; given back exactly once. */
interface Lease {
  /** null: the other side, or a proxy on the way, speaks HTTP/1.1 only. */
  readonly session: ClientHttp2Session | null;
  /** `trouble`: nothing new shall be sent over this connection. */
  release(trouble: boolean): void;
}

/** The request was certainly not worked on: it may be sent again at once, over another session. */
export class SessionUnusable extends Error {
  override readonly name = "SessionUnusable";
}

/** One exchange over one of the sessions, or the word that HTTP/2 is not spoken there. */
export async function postOverHttp2(
  sessions: Sessions,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpReply | "http/1.1"> {
  const lease = await sessions.acquire(signal);
  let failed = true;
  try {
    if (lease.session === null) return "http/1.1";
    const reply = await exchange(lease.session, request, signal);
    failed = false;
    return reply;
  } finally {
    // Given up by our side or not: a session without an answer is not trusted with another request.
    lease.release(failed);
  }
}

/** Builds the pool; nothing is connected yet. */
export function createSessions(options: SessionsOptions): Sessions {
  const slots = new Set<Slot>();
  let freed = Promise.withResolvers<void>();
  let closed = false;

  return {
    async acquire(signal) {
      for (;;) {
        signal.throwIfAborted();
        if (closed) throw new SessionUnusable("the connection is closed");
        const slot = choose();
        if (slot !== null) return await occupy(slot, signal);
        await orAborted(freed.promise, signal);
      }
    },
    close() {
      closed = true;
      for (const slot of slots) retire(slot);
    },
  };

  /** null: every session has as many streams as it may. */
  function choose(): Slot | null {
    let best: Slot | null = null;
    for (const slot of slots) if (best === null || slot.open < best.open) best = slot;
    if (best === null || (best.open > 0 && slots.size < options.count)) return open();
    return best.open < MAX_STREAMS ? best : null;
  }

  function open(): Slot {
    const slot: Slot = { opening: openSession(options), session: null, open: 0, idle: null };
    slots.add(slot);
    slot.opening.then(
      (session) => {
        slot.session = session;
        for (const event of ["goaway", "close", "error"]) session?.on(event, () => retire(slot));
        if (!slots.has(slot)) retire(slot);
      },
      () => retire(slot),
    );
    return slot;
  }

  async function occupy(slot: Slot, signal: AbortSignal): Promise<Lease> {
    slot.open += 1;
    if (slot.idle) clearTimeout(slot.idle);
    const release = (trouble: boolean): void => {
      slot.open -= 1;
      if (trouble) retire(slot);
      if (slot.open === 0) rest(slot);
      freed.resolve();
      freed = Promise.withResolvers();
    };
    try {
      return { session: await orAborted(slot.opening, signal), release };
    } catch (failure) {
      release(true);
      throw failure;
    }
  }

  /** Takes no new stream; ends once those it has are done. */
  function retire(slot: Slot): void {
    slots.delete(slot);
    if (slot.open === 0) rest(slot);
    if (closed) slot.session?.destroy();
  }

  function rest(slot: Slot): void {
    if (slot.idle) clearTimeout(slot.idle);
    // A router forgets a quiet connection without a word, and the next alarm would wait for its timeout.
    if (slots.has(slot)) slot.idle = setTimeout(() => retire(slot), IDLE_MS).unref();
    else slot.session?.destroy();
  }
}

interface Slot {
  readonly opening: Promise<ClientHttp2Session | null>;
  session: ClientHttp2Session | null;
  /** Streams at work or waiting for the connection. */
  open: number;
  idle: NodeJS.Timeout | null;
}

/** What Google's servers allow on one session. */
const MAX_STREAMS = 100;
/** Shorter than the memory of any usual router; a new connection costs a tenth of a second. */
const IDLE_MS = 60_000;

async function openSession({ url, timeoutMs, ca }: SessionsOptions): Promise<ClientHttp2Session | null> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connectTls({
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ["h2", "http/1.1"],
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== null && { ca }),
  });
  await secured(socket, timeoutMs);
  if (socket.alpnProtocol !== "h2") {
    socket.destroy();
    return null;
  }
  return connect(url.origin, { createConnection: () => socket });
}

function secured(socket: TLSSocket, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => socket.destroy(new Error("no connection in time")), timeoutMs);
  socket.once("secureConnect", resolve).once("error", reject);
  socket.once("close", () => reject(new Error("the connection was closed while it was opened")));
  return promise.finally(() => clearTimeout(timer));
}

function exchange(
  session: ClientHttp2Session,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpReply> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
  const stream = openStream(session, request);
  let status = 0;
  let retryAfter: string | null = null;
  stream.on("response", (headers) => {
    status = headers[":status"] ?? 0;
    retryAfter = headers["retry-after"] ?? null;
  });
  collectReply(stream, (body) => status > 0 && resolve({ status, retryAfter, body }));
  stream.on("error", (failure) =>
    reject(refusedUnseen(stream) ? new SessionUnusable(failure.message) : failure),
  );
  stream.on("close", () => {
    const words = "the connection was cut before the answer was complete";
    reject(refusedUnseen(stream) ? new SessionUnusable(words) : new Error(words));
  });
  const onAbort = (): void => {
    reject(signal.reason);
    stream.close(constants.NGHTTP2_CANCEL);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  stream.end(request.body);
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}

function openStream(session: ClientHttp2Session, request: HttpRequest): ClientHttp2Stream {
  if (session.closed || session.destroyed) throw new SessionUnusable("the session has ended");
  return session.request({ ":method": "POST", ":path": request.path, ...request.headers });
}

/** RFC 9113, 8.7: a refused stream, or one above the last id of a GOAWAY, was not processed. */
function refusedUnseen(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}
