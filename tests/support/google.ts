// A stand-in for Google: hands out access tokens to a service account and takes FCM v1 messages, over https.
import { generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import { createServer as createHttpsServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { makeCertificate } from "./certificates.ts";
import { faultIn } from "./fcm-reference.ts";

/** What becomes of a message. Numbers are bare statuses. */
export type GoogleAnswer =
  | "ok"
  | "unregistered"
  | "bad-token"
  | "bad-argument"
  | "sender-mismatch"
  | "apns-key"
  /** Never answered. */
  | "hang"
  /** The connection is cut instead of an answer. */
  | "cut"
  | { readonly status: number; readonly retryAfter?: string; readonly body?: string };

export interface Google {
  readonly origin: string;
  /** PEM to trust. */
  readonly ca: string;
  /** Path of a service account's key file for this Google. */
  readonly keyFile: string;
  /** Every message that was accepted, oldest first. */
  readonly accepted: readonly ReceivedMessage[];
  /** How many messages were asked for, accepted or not; how many tokens; connections opened to it. */
  readonly counts: { messages: number; tokens: number; connections: number; http1: number };
  /** Decides about each message; the default takes all of them. */
  answer: (token: string, attempt: number) => GoogleAnswer;
  /** What the token address answers; null: a token, if the claim is right. */
  tokenAnswer: { readonly status: number; readonly body: string } | null;
  /** Why the last claim or Authorization was refused. */
  readonly complaints: readonly string[];
  /** Seconds for which tokens handed out from now on hold. */
  tokenLifetime: number;
  /** Before each answer. */
  latencyMs: number;
  /** Every access token handed out so far is refused from now on. */
  revokeTokens(): void;
  /** Sends GOAWAY on every session: nothing new on them. */
  goAway(): void;
  /** No connection is open and no message is being worked on. */
  isQuiet(): boolean;
  /** Cuts every connection. */
  cutAll(): void;
  stop(): Promise<void>;
}

interface ReceivedMessage {
  readonly token: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const PROJECT = "my-cameras";
const EMAIL = "push@my-cameras.iam.gserviceaccount.com";
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";

/** `protocol: "http1"`: ALPN offers HTTP/1.1 only, as a proxy on the way may. */
export async function startGoogle(
  options: { protocol?: "h2" | "http1"; port?: number } = {},
): Promise<Google> {
  const certificate = makeCertificate();
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const tls = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const tokens = new Map<string, number>();
  const attempts = new Map<string, number>();
  const accepted: ReceivedMessage[] = [];
  const complaints: string[] = [];
  let working = 0;

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.httpVersionMajor === 1) google.counts.http1 += 1;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      working += 1;
      setTimeout(() => {
        working -= 1;
        handle(request, response, body);
      }, google.latencyMs);
    });
  };
  const server: Http2SecureServer | Server =
    options.protocol === "http1"
      ? createHttpsServer(tls, listener)
      : // The compatibility interface of HTTP/2 differs from that of HTTP/1.1 in nothing used here.
        createSecureServer({ ...tls, allowHTTP1: true }, listener as never);
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session.on("close", () => sessions.delete(session)).on("error", () => undefined));
  });
  server.on("secureConnection", (socket: Socket) => {
    google.counts.connections += 1;
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const tokenUri = `${origin}/token`;
  const keyFile = join(certificate.folder, "firebase.json");
  const account = {
    type: "service_account",
    project_id: PROJECT,
    client_email: EMAIL,
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    token_uri: tokenUri,
  };
  writeFileSync(keyFile, JSON.stringify(account));

  const google: Google = {
    origin,
    ca: tls.cert.toString(),
    keyFile,
    accepted,
    complaints,
    counts: { messages: 0, tokens: 0, connections: 0, http1: 0 },
    answer: () => "ok",
    tokenAnswer: null,
    tokenLifetime: 3600,
    latencyMs: 0,
    revokeTokens: () => tokens.clear(),
    goAway: () => {
      for (const session of sessions) session.goaway();
    },
    isQuiet: () => sockets.size === 0 && working === 0,
    cutAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      certificate.remove();
    },
  };
  return google;

  function handle(request: IncomingMessage, response: ServerResponse, body: string): unknown {
    if (request.method === "POST" && request.url === "/token") return handToken(response, body);
    if (request.method !== "POST" || request.url !== `/v1/projects/${PROJECT}/messages:send`) {
      return reply(response, 404, error(404, "NOT_FOUND", "Requested entity was not found."));
    }
    google.counts.messages += 1;
    const fault = accessFault(request.headers.authorization);
    if (fault !== null) {
      complaints.push(fault);
      return reply(
        response,
        401,
        error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
      );
    }
    return take(request, response, body);
  }

  function take(request: IncomingMessage, response: ServerResponse, body: string): unknown {
    const message: { message?: { token?: string } } = JSON.parse(body);
    const wrong = request.headers["content-type"]?.startsWith("application/json")
      ? faultIn(message)
      : "the content type is not JSON";
    if (wrong !== null) {
      complaints.push(wrong);
      return reply(response, 400, error(400, "INVALID_ARGUMENT", wrong));
    }
    const token = message.message?.token ?? "";
    attempts.set(token, (attempts.get(token) ?? 0) + 1);
    const answer = google.answer(token, attempts.get(token) ?? 1);
    if (answer === "hang") return null;
    if (answer === "cut") return request.socket.destroy();
    if (answer === "ok") accepted.push({ token, body: { ...message } });
    const [status, text, retryAfter] = answered(answer, token);
    if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
    return reply(response, status, text);
  }

  function handToken(response: ServerResponse, body: string): unknown {
    google.counts.tokens += 1;
    if (google.tokenAnswer !== null)
      return reply(response, google.tokenAnswer.status, google.tokenAnswer.body);
    const form = new URLSearchParams(body);
    const fault = claimFault(form.get("grant_type"), form.get("assertion") ?? "");
    if (fault !== null) {
      complaints.push(fault);
      return reply(response, 400, JSON.stringify({ error: "invalid_grant", error_description: fault }));
    }
    const token = `ya29.${randomUUID()}`;
    tokens.set(token, Date.now() + google.tokenLifetime * 1000);
    return reply(
      response,
      200,
      JSON.stringify({ access_token: token, expires_in: google.tokenLifetime, token_type: "Bearer" }),
    );
  }

  function claimFault(grant: string | null, assertion: string): string | null {
    if (grant !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return "Invalid grant type";
    const [head = "", claims = "", signature = ""] = assertion.split(".");
    const signed = Buffer.from(`${head}.${claims}`);
    if (!verify("RSA-SHA256", signed, publicKey, Buffer.from(signature, "base64url"))) {
      return "Invalid JWT Signature.";
    }
    const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    if (decode(head).alg !== "RS256") return "Invalid JWT: alg";
    const { iss, scope, aud, iat, exp } = decode(claims);
    const now = Date.now() / 1000;
    if (iss !== EMAIL) return "Invalid issuer";
    if (scope !== SCOPE) return "Invalid scope";
    if (aud !== tokenUri) return "Invalid audience";
    if (!(Math.abs(iat - now) < 300 && exp > now && exp - iat <= 3600)) {
      return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
    }
    return null;
  }

  function accessFault(header: string | undefined): string | null {
    const token = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
    if (token === undefined) return "no bearer token";
    const until = tokens.get(token);
    return until === undefined || until < Date.now() ? "unknown or expired access token" : null;
  }
}

function answered(
  answer: Exclude<GoogleAnswer, "hang" | "cut">,
  token: string,
): [number, string, string | undefined] {
  const fcm = (code: string) => ({
    "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
    errorCode: code,
  });
  switch (answer) {
    case "ok":
      return [
        200,
        JSON.stringify({ name: `projects/${PROJECT}/messages/0:1500415314455276%31bd1c96` }),
        undefined,
      ];
    case "unregistered":
      return [
        404,
        error(404, "NOT_FOUND", "Requested entity was not found.", fcm("UNREGISTERED")),
        undefined,
      ];
    case "bad-token": {
      const words = `The registration token is not a valid FCM registration token: ${token}`;
      return [400, error(400, "INVALID_ARGUMENT", words, fcm("INVALID_ARGUMENT")), undefined];
    }
    case "bad-argument":
      return [
        400,
        error(400, "INVALID_ARGUMENT", "Android message is too big", fcm("INVALID_ARGUMENT")),
        undefined,
      ];
    case "sender-mismatch":
      return [
        403,
        error(403, "PERMISSION_DENIED", "SenderId mismatch", fcm("SENDER_ID_MISMATCH")),
        undefined,
      ];
    case "apns-key": {
      const words = "Auth error from APNS or Web Push Service";
      return [401, error(401, "UNAUTHENTICATED", words, fcm("THIRD_PARTY_AUTH_ERROR")), undefined];
    }
    default:
      return [answer.status, answer.body ?? error(answer.status, "ERROR", "Something."), answer.retryAfter];
  }
}

function error(code: number, status: string, message: string, detail?: unknown): string {
  return JSON.stringify({
    error: { code, message, status, ...(detail !== undefined && { details: [detail] }) },
  });
}

function reply(response: ServerResponse, status: number, body: string): ServerResponse {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  return response.end(body);
}
