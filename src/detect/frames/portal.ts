// Pictures of events from ZoneMinder's web pages, for storages that are not on this machine: with a token of its API.
import type { PortalSettings } from "../../domain/detect-settings.ts";
import type { FrameId } from "../../domain/detection.ts";
import { orAborted } from "../../lib/within.ts";
import { type HttpAnswer, place, request } from "./http.ts";

export interface Portal {
  /**
   * The picture, as ZoneMinder serves it. Rejects with an Error that says what is wrong, in words without secrets: no
   * such picture (yet), a login that is refused, a server that does not answer.
   */
  picture(event: number, id: FrameId, signal: AbortSignal): Promise<Buffer>;
}

/** The portal with these settings; the same one for the same settings, so that its login is used again. */
export type Portals = (settings: PortalSettings) => Portal;

/** Keeps logins, at most as many as anybody has ZoneMinders. */
export function createPortals(): Portals {
  const known = new Map<string, Portal>();
  return (settings) => {
    const key = JSON.stringify(settings);
    const portal = known.get(key) ?? createPortal(settings);
    if (known.size >= MOST_PORTALS) known.clear();
    known.set(key, portal);
    return portal;
  };
}

const MOST_PORTALS = 50;

/** What shows the web pages who asks. */
type Pass =
  | { readonly kind: "open" }
  /** From 1.33.9 on. image.php knows no header for it: it must go into the query. */
  | { readonly kind: "token"; readonly token: string }
  /** Of a session, for ZoneMinder before 1.33.9. */
  | { readonly kind: "cookie"; readonly cookie: string };

function createPortal(settings: PortalSettings): Portal {
  const pages = pageUrl(settings.url);
  let pass: Promise<Pass> | null = null;

  return {
    async picture(event, id, signal) {
      const isUsed = pass !== null;
      const first = await load(event, id, signal);
      if (isPicture(first)) return first.body;
      // A token lives for two hours; ZoneMinder answers others with its login page, or a redirect to it.
      if (!isUsed || !looksUnknown(first)) throw complaint(first, event, id);
      pass = null;
      const second = await load(event, id, signal);
      if (isPicture(second)) return second.body;
      throw complaint(second, event, id);
    },
  };

  async function load(event: number, id: FrameId, signal: AbortSignal): Promise<HttpAnswer> {
    pass ??= loggingIn();
    const known = await orAborted(pass, signal);
    const url = new URL(pages);
    const token = known.kind === "token" ? { token: known.token } : {};
    url.search = new URLSearchParams({ view: "image", eid: String(event), fid: id, ...token }).toString();
    const cookie = known.kind === "cookie" ? known.cookie : null;
    return request({ url, method: "GET", cookie, allowSelfSigned: settings.allowSelfSigned, signal });
  }

  /** Ends by itself only: others may wait for the same one when whoever began it has left. */
  function loggingIn(): Promise<Pass> {
    const mine = logIn(settings);
    mine.catch(() => {
      if (pass === mine) pass = null;
    });
    return mine;
  }

  function complaint(answer: HttpAnswer, event: number, id: FrameId): Error {
    const what = `${id} of event ${event} at ${place(pages)}`;
    if (looksUnknown(answer)) {
      const isAnonymous = settings.user === null;
      const way = isAnonymous
        ? "set user and password"
        : "check user, password and the user's right to see events";
      return new Error(`${what}: ZoneMinder wants a login; ${way}`);
    }
    if (answer.status === 404 || answer.body.length === 0)
      return new Error(`${what}: there is no such picture`);
    return new Error(`${what}: no picture, but ${answer.status} ${answer.contentType.slice(0, 100)}`);
  }
}

/**
 * Logs in with the API; where that gives no token (before 1.33.9, or without API), with the form of the web pages, whose
 * session then counts. The password goes into the body, never into an address.
 */
async function logIn(settings: PortalSettings): Promise<Pass> {
  const { user, password, allowSelfSigned } = settings;
  if (user === null) return { kind: "open" };
  const { signal } = new AbortController();
  const common = { method: "POST", allowSelfSigned, signal } as const;
  const pages = pageUrl(settings.url);
  const api = settings.apiUrl ?? new URL("api", pages).href;
  const url = new URL(`${api.replace(/\/+$/, "")}/host/login.json`);
  const answer = await request({ ...common, url, form: { user, pass: password ?? "" } });
  const token = tokenIn(answer);
  if (token !== null) return { kind: "token", token };
  if (answer.status === 401 || answer.status === 403)
    throw new Error(`${place(url)}: ZoneMinder refuses user ${user}; check user and password`);
  const form = { action: "login", view: "console", username: user, password: password ?? "" };
  const session = await request({ ...common, url: pages, form });
  if (session.status < 400 && session.cookies !== "") return { kind: "cookie", cookie: session.cookies };
  throw new Error(
    `${place(url)}: no token, but ${answer.status} ${answer.contentType}; ` +
      "check that ZoneMinder's API is on and that api_portal leads to it",
  );
}

function tokenIn({ status, body }: HttpAnswer): string | null {
  if (status !== 200) return null;
  try {
    const answer: unknown = JSON.parse(body.toString("utf8"));
    if (typeof answer !== "object" || answer === null || !("access_token" in answer)) return null;
    return typeof answer.access_token === "string" ? answer.access_token : null;
  } catch {
    return null;
  }
}

function isPicture({ status, contentType, body }: HttpAnswer): boolean {
  return status === 200 && contentType.startsWith("image/") && body.length > 0;
}

function looksUnknown({ status, contentType, body }: HttpAnswer): boolean {
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) return true;
  return status === 200 && body.length > 0 && contentType.startsWith("text/html");
}

/** "https://host/zm", with or without a slash or index.php behind it. */
function pageUrl(portal: string): URL {
  const url = new URL(portal);
  url.search = "";
  url.hash = "";
  url.pathname = `${url.pathname.replace(/\/index\.php\/?$/, "").replace(/\/+$/, "")}/index.php`;
  return url;
}
