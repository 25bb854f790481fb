// One HTTP request, for ZoneMinder's web pages: bounded, without redirects, and without secrets in what it complains of.
import http from "node:http";
import https from "node:https";
import { reasonOf } from "../../lib/errors.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly cookie?: string | null;
  /** Certificates that nobody vouches for are accepted. */
  readonly allowSelfSigned: boolean;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  /** What the server wants to be sent back, as one Cookie header. */
  readonly cookies: string;
  readonly body: Buffer;
}

/** A picture over a slow line; ZoneMinder may cut it out of a video first. */
const REQUEST_MS = 15_000;
/** Larger than any frame of a camera. */
const LARGEST_BYTES = 32 * 1024 * 1024;

/** Any answer at all; rejects with an Error that names host and page (never the query) when there is none. */
export async function request(wanted: HttpRequest): Promise<HttpAnswer> {
  const { url, signal } = wanted;
  const late = AbortSignal.timeout(REQUEST_MS);
  try {
    return await exchange(wanted, AbortSignal.any([signal, late]));
  } catch (failure) {
    signal.throwIfAborted();
    const reason = late.aborted ? `no answer within ${REQUEST_MS / 1000} s` : reasonOf(failure);
    // Without the failure as a cause: some of node's errors carry the whole address.
    throw new Error(`${place(url)}: ${reason}`);
  }
}

/** The address as it may be shown: without user, password and query. */
export function place(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function exchange(wanted: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, form, cookie, allowSelfSigned } = wanted;
  const body = form === undefined ? null : new URLSearchParams(form).toString();
  const headers: http.OutgoingHttpHeaders = {
    accept: "image/*, application/json;q=0.9, */*;q=0.5",
    ...(cookie ? { cookie } : {}),
    ...(body === null ? {} : { "content-type": FORM, "content-length": Buffer.byteLength(body) }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const send = url.protocol === "https:" ? https.request : http.request;
  const sent = send(url, { method, signal, rejectUnauthorized: !allowSelfSigned, headers }, (answer) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_BYTES) sent.destroy(new Error(`more than ${LARGEST_BYTES} bytes`));
      else chunks.push(chunk);
    });
    answer.once("error", reject);
    answer.once("end", () =>
      resolve({
        status: answer.statusCode ?? 0,
        contentType: answer.headers["content-type"] ?? "",
        cookies: (answer.headers["set-cookie"] ?? []).map((each) => each.split(";")[0] ?? "").join("; "),
        body: Buffer.concat(chunks),
      }),
    );
  });
  sent.once("error", reject);
  sent.end(body ?? undefined);
  return promise;
}

const FORM = "application/x-www-form-urlencoded";
