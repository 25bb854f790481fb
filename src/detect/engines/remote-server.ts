// What the two detection servers of the original have in common: a login that gives a token, and a form with a picture.

import { z } from "zod";
import type { RemoteSettings } from "../../domain/detect-settings.ts";
import { askHttp, type HttpResponse, jsonOf, multipart, serverName } from "../http.ts";
import type { Frame } from "../picture/frame.ts";
import type { Finding } from "./engine.ts";

/** What differs between them. */
export interface RemoteProtocol {
  readonly name: string;
  /** Relative to the base that `base` gives. */
  readonly loginPath: string;
  readonly detectPath: string;
  /** The address that paths are appended to, from the one that is configured; without "/" at its end. */
  base(url: string): string;
  /** True: nothing is answered without a login. */
  readonly needsLogin: boolean;
  /** Null when the answer is of another form. */
  read(answer: unknown, frame: Frame): readonly Finding[] | null;
  /** The way out of a refusal, where there is one. */
  hint(status: number, words: string): string | null;
}

export interface RemoteServer {
  /** For people: scheme, host and port. */
  readonly name: string;
  /** Sends the picture, logging in before where that is needed. Rejects with an Error in words. */
  detect(frame: Frame, signal: AbortSignal): Promise<readonly Finding[]>;
}

/** A thousand boxes take 100 kB; what is longer comes from another program. */
const ANSWER_BYTES = 4_194_304;

/** Nothing is sent before `detect`. The token is kept until the server refuses it. */
export function createRemoteServer(settings: RemoteSettings, protocol: RemoteProtocol): RemoteServer {
  const { user, password, allowSelfSigned } = settings;
  const base = protocol.base(settings.url.replace(/\/+$/, ""));
  const loginUrl = addressOf(`${base}${protocol.loginPath}`);
  const detectUrl = addressOf(`${base}${protocol.detectPath}`);
  const name = serverName(detectUrl);
  let token: string | null = null;

  return { name, detect };

  async function detect(frame: Frame, signal: AbortSignal): Promise<readonly Finding[]> {
    const form = new FormData();
    form.set("file", new Blob([Buffer.from(await frame.jpeg())], { type: "image/jpeg" }), "picture.jpg");
    const { headers, body } = await multipart(form);
    const post = (): Promise<HttpResponse> =>
      send(
        detectUrl,
        { ...headers, ...(token !== null && { authorization: `Bearer ${token}` }) },
        body,
        signal,
      );
    if (user !== null) token ??= await login(signal);
    else if (protocol.needsLogin)
      throw new Error(`${name} (${protocol.name}) answers only after a login: set ml_user and ml_password`);
    let response = await post();
    if (user !== null && isRefused(response.status)) {
      token = null;
      token = await login(signal);
      response = await post();
    }
    return read(response, frame);
  }

  async function login(signal: AbortSignal): Promise<string> {
    const body = Buffer.from(JSON.stringify({ username: user, password: password ?? "" }));
    const response = await send(loginUrl, { "content-type": "application/json" }, body, signal);
    if (isRefused(response.status))
      throw new Error(`${name} refuses the login of ${user}: check ml_user and ml_password`);
    if (response.status !== 200) throw new Error(`${name} answered the login with ${response.status}`);
    const parsed = tokenAnswer.safeParse(jsonOf(response));
    if (parsed.success) return parsed.data.access_token;
    throw new Error(`${name} answered the login without a token: is it ${protocol.name}?`);
  }

  function read(response: HttpResponse, frame: Frame): readonly Finding[] {
    const { status } = response;
    if (status !== 200) {
      const words = complaint(response);
      const hint = isRefused(status) ? refusalHint(user) : protocol.hint(status, words);
      throw new Error(
        `${name} answered ${status}${words && ` (${words})`}${hint === null ? "" : `: ${hint}`}`,
      );
    }
    const findings = protocol.read(jsonOf(response), frame);
    if (findings !== null) return findings;
    throw new Error(`${name} answered in a form that is not that of ${protocol.name}: check ml_gateway`);
  }

  function send(
    url: URL,
    headers: Record<string, string>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    return askHttp({ url, method: "POST", headers, body, maxBytes: ANSWER_BYTES, allowSelfSigned, signal });
  }
}

const tokenAnswer = z.object({
  access_token: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(8192),
});

/** flask-jwt-extended answers 422 to a token it cannot read, FastAPI 403 where there is none. */
function isRefused(status: number): boolean {
  return status === 401 || status === 403 || status === 422;
}

function refusalHint(user: string | null): string {
  return user === null ? "set ml_user and ml_password" : "the login was accepted, its token was not";
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new Error("The address of the detection server (ml_gateway) is not an http:// or https:// URL");
}

/** What FastAPI (detail), flask (msg, message) say of an error; never the whole body. */
const complaintAnswer = z
  .object({ detail: z.string() })
  .or(z.object({ msg: z.string() }))
  .or(z.object({ message: z.string() }));

function complaint(response: HttpResponse): string {
  const parsed = complaintAnswer.safeParse(jsonOf(response));
  return parsed.success ? (Object.values(parsed.data)[0] ?? "").slice(0, 200) : "";
}
