// Access to Google for a service account: a signed claim is exchanged for a token, which is used until it expires.
import { sign } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { AppError, reasonOf } from "../../lib/errors.ts";
import { orAborted } from "../../lib/within.ts";
import { DeliveryError } from "../channel.ts";
import type { ServiceAccount } from "./account.ts";
import { retryAfterMs } from "./errors.ts";
import type { HttpReply } from "./exchange.ts";

export interface Access {
  readonly token: string;
  readonly projectId: string;
}

export interface AccessTokens {
  /**
   * The token that holds now; whoever asks while one is fetched waits for the same one. Throws a DeliveryError,
   * always "retry": a key can be put right while the notice is still worth sending.
   */
  get(signal: AbortSignal): Promise<Access>;
  /** Google refused this token: it is not used again. A newer one stays. */
  discard(access: Access): void;
}

export interface AccessTokensDeps {
  /** Asked before each exchange, so that a replaced key file is noticed. */
  readonly account: () => Promise<ServiceAccount>;
  /** One POST of a form to the account's token address. */
  readonly post: (tokenUri: string, form: string, signal: AbortSignal) => Promise<HttpReply>;
  readonly clock: Clock;
}

/** Nothing is read or asked for before the first `get`. */
export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const { clock } = deps;
  let held: Held | null = null;
  let fetching: Promise<Held> | null = null;
  let failed: { readonly failure: DeliveryError; readonly at: number } | null = null;

  const fetch = async (): Promise<Held> => {
    try {
      const account = await deps.account();
      held = await exchange(deps, account);
      failed = null;
      return held;
    } catch (failure) {
      const words = failure instanceof AppError ? `${failure.message}. ${failure.hint}` : reasonOf(failure);
      const known = failure instanceof DeliveryError ? failure : new DeliveryError("retry", words);
      failed = { failure: known, at: clock.monotonic() };
      throw known;
    } finally {
      fetching = null;
    }
  };

  return {
    async get(signal) {
      if (held !== null && clock.monotonic() < held.until) return held.access;
      if (failed !== null && clock.monotonic() - failed.at < FAILURE_PAUSE_MS) throw failed.failure;
      // Not ended by one caller's signal: the others, and the next alarm, want the token too.
      fetching ??= fetch();
      return (await orAborted(fetching, signal)).access;
    },
    discard(access) {
      if (held?.access === access) held = null;
    },
  };
}

interface Held {
  readonly access: Access;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Tokens hold an hour; one is given up this long before its end, so that none expires on the way. */
const MARGIN_MS = 60_000;
/** A thousand notices that wait for a token must not become a thousand refused logins. */
const FAILURE_PAUSE_MS = 5_000;
/** What Google allows at most. */
const CLAIM_SECONDS = 3600;
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const MAX_WORDS = 200;

async function exchange({ post, clock }: AccessTokensDeps, account: ServiceAccount): Promise<Held> {
  const asked = clock.monotonic();
  const assertion = signedClaim(account, Math.floor(clock.now() / 1000));
  const form = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
  const reply = await post(account.tokenUri, form, new AbortController().signal);
  const fields = fieldsOf(reply.body);
  const token = fields.get("access_token");
  if (reply.status !== 200 || typeof token !== "string" || token === "")
    throw refusal(reply, fields, clock.now());
  const lifetime = Number(fields.get("expires_in"));
  const seconds = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : CLAIM_SECONDS;
  return { access: { token, projectId: account.projectId }, until: asked + seconds * 1000 - MARGIN_MS };
}

/** RFC 7523: a JWT signed with RS256 (RFC 7518, 3.3). */
function signedClaim(account: ServiceAccount, now: number): string {
  const header = { alg: "RS256", typ: "JWT" };
  const claim = {
    iss: account.clientEmail,
    scope: SCOPE,
    aud: account.tokenUri,
    iat: now,
    exp: now + CLAIM_SECONDS,
  };
  const input = [header, claim]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${input}.${sign("RSA-SHA256", Buffer.from(input), account.privateKey).toString("base64url")}`;
}

/** Google's words: {"error": "invalid_grant", "error_description": "..."}. */
function refusal(reply: HttpReply, fields: ReadonlyMap<string, unknown>, now: number): DeliveryError {
  const words = ["error", "error_description"]
    .map((name) => fields.get(name))
    .filter((value) => typeof value === "string" && value !== "")
    .join(": ");
  const said = words === "" ? "" : `: ${words.slice(0, MAX_WORDS)}`;
  const message = `Google refused the service account (${reply.status}${said})`;
  return new DeliveryError("retry", message, retryAfterMs(reply, now));
}

function fieldsOf(body: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}
