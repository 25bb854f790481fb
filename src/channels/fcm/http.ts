// POST to one https or http origin over connections that are kept: HTTP/2 where the other side speaks it.
import type { Agent } from "node:http";
import type { HttpReply, HttpRequest } from "./exchange.ts";
import { agentFor, postOverHttp1 } from "./http1.ts";
import { createSessions, postOverHttp2, type Sessions, SessionUnusable } from "./http2.ts";

export interface HttpClient {
  /** One exchange, whatever its status. Throws when there is no whole answer in time, or the signal is aborted. */
  post(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  /** Ends every connection. */
  close(): void;
}

export interface HttpClientOptions {
  /** "https://fcm.googleapis.com" */
  readonly origin: string;
  readonly sessions?: number;
  readonly timeoutMs?: number;
  /** Trusted instead of the usual authorities, PEM. */
  readonly ca?: string;
}

/** 1,000 messages at 50 ms each: 620 ms over one session, 317 over two, 216 over four; two are polite and enough. */
const SESSIONS = 2;
/** Google answers within a second; after ten the connection is dead, and the notice waits for another. */
const REQUEST_TIMEOUT_MS = 10_000;
/** A session may end between choosing and using it; what was refused unseen is sent again, but not for ever. */
const ATTEMPTS = 3;

/** Nothing is connected before the first request. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { ca, timeoutMs = REQUEST_TIMEOUT_MS } = options;
  const url = new URL(options.origin);
  const isTls = url.protocol === "https:";
  let sessions: Sessions | null = isTls
    ? createSessions({ url, count: options.sessions ?? SESSIONS, timeoutMs, ca: ca ?? null })
    : null;
  let agent: Agent | null = null;

  return {
    async post(request, signal) {
      const deadline = createDeadline(signal, timeoutMs);
      try {
        return await attempt(request, deadline.signal);
      } finally {
        deadline.done();
      }
    },
    close() {
      sessions?.close();
      agent?.destroy();
    },
  };

  async function attempt(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    for (let left = ATTEMPTS; sessions !== null; left--) {
      const pool = sessions;
      try {
        const reply = await postOverHttp2(pool, request, signal);
        if (reply !== "http/1.1") return reply;
        sessions = null;
        pool.close();
      } catch (failure) {
        if (!(failure instanceof SessionUnusable) || left <= 1 || signal.aborted) throw failure;
      }
    }
    agent ??= agentFor(url, ca ?? null);
    return await postOverHttp1(url, agent, request, signal);
  }
}

/** A signal that follows the given one and is aborted after that time as well. */
function createDeadline(signal: AbortSignal, timeoutMs: number) {
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener("abort", follow, { once: true });
  const late = (): void => controller.abort(new Error(`no answer within ${timeoutMs / 1000} s`));
  const timer = setTimeout(late, timeoutMs);
  return {
    signal: controller.signal,
    done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", follow);
    },
  };
}
