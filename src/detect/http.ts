// One HTTP request of the detector: bounded in time and size, certificates checked unless told otherwise, no redirects.
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { reasonOf, systemCode } from "../lib/errors.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** A longer answer is not read to its end, but refused. */
  readonly maxBytes: number;
  readonly allowSelfSigned: boolean;
  /** Ends it; its reason is thrown as it is. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Any status is an answer. Rejects with an Error that names the server, never the whole address: it may hold secrets. */
export async function askHttp(request: HttpRequest): Promise<HttpResponse> {
  const { signal, url } = request;
  signal.throwIfAborted();
  try {
    return await exchange(request);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${serverName(url)} ${inWords(error)}`, { cause: error });
  }
}

/** Scheme, host and port: what may be shown of an address. */
export function serverName(url: URL): string {
  return url.origin;
}

/** A form with files as it is sent. */
export async function multipart(
  form: FormData,
): Promise<{ readonly headers: Record<string, string>; readonly body: Buffer }> {
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  return { headers: { "content-type": encoded.headers.get("content-type") ?? "" }, body };
}

/** The body as JSON; undefined when it is none. */
export function jsonOf({ body }: HttpResponse): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function exchange({
  url,
  method,
  headers,
  body,
  maxBytes,
  allowSelfSigned,
  signal,
}: HttpRequest): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const length = body === null ? {} : { "content-length": body.length };
  const outgoing = send(url, {
    method,
    signal,
    // One event, one connection: a server that was restarted meanwhile is no error.
    agent: false,
    headers: { ...headers, ...length },
    rejectUnauthorized: !allowSelfSigned,
  });
  outgoing.on("error", reject);
  outgoing.on("response", (incoming) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBytes) outgoing.destroy(new Error(`answered with more than ${maxBytes} bytes`));
    });
    incoming.on("error", reject);
    incoming.on("end", () => {
      const { statusCode: status = 0, headers: answered } = incoming;
      resolve({ status, headers: answered, body: Buffer.concat(chunks) });
    });
    incoming.on("close", () => reject(new Error("cut the connection before its answer was complete")));
  });
  outgoing.end(body ?? undefined);
  return promise;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections: is the program there running?",
  ENOTFOUND: "is not known to the name service",
  EAI_AGAIN: "cannot be looked up: the name service does not answer",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  ETIMEDOUT: "does not answer",
  ECONNRESET: "cut the connection",
  EPIPE: "cut the connection",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "has a certificate of its own making: set allow_self_signed: yes if it is yours",
  SELF_SIGNED_CERT_IN_CHAIN: "has a certificate of its own making: set allow_self_signed: yes if it is yours",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "has a certificate that nobody known has signed: set allow_self_signed: yes if it is yours",
  CERT_HAS_EXPIRED: "has a certificate that has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another name",
};

function inWords(error: unknown): string {
  const code = systemCode(error);
  return (code === null ? undefined : WORDS[code]) ?? reasonOf(error);
}
