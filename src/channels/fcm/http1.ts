// One POST over kept HTTP/1.1 connections: for push proxies in clear text, and where a proxy on the way knows no HTTP/2.
import { Agent, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as TlsAgent } from "node:https";
import { collectReply, type HttpReply, type HttpRequest } from "./exchange.ts";

/** Without HTTP/2 each message under way needs a connection of its own; 1,000 messages took 672 ms over 100. */
const MAX_CONNECTIONS = 100;
/** A quiet connection is closed before a router forgets it. */
const IDLE_MS = 60_000;

/** Keeps connections to the origin of the address. */
export function agentFor(url: URL, ca: string | null): Agent {
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS };
  return url.protocol === "https:"
    ? new TlsAgent({ ...options, ...(ca !== null && { ca }) })
    : new Agent(options);
}

/** Throws when there is no whole answer, or the signal is aborted. */
export function postOverHttp1(
  url: URL,
  agent: Agent,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpReply> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const headers = { ...request.headers, "content-length": Buffer.byteLength(request.body) };
  const outgoing = send(new URL(request.path, url), { method: "POST", agent, headers, signal });
  outgoing.on("error", (failure) => reject(signal.aborted ? signal.reason : failure));
  outgoing.on("response", (incoming) => {
    const status = incoming.statusCode ?? 0;
    const retryAfter = incoming.headers["retry-after"] ?? null;
    incoming.on("error", (failure) => reject(signal.aborted ? signal.reason : failure));
    incoming.on("close", () => reject(new Error("the connection was cut before the answer was complete")));
    collectReply(incoming, (body) => resolve({ status, retryAfter, body }));
  });
  outgoing.end(request.body);
  return promise;
}
