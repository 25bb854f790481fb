// Everything the port answers besides WebSocket: the health check, pictures, and 404 without a word for all else.
import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Pictures } from "./pictures.ts";

export interface HttpAppOptions {
  /** Says whether the program does its work. */
  health(): boolean;
  /** null: there are none. */
  readonly pictures: Pick<Pictures, "answer"> | null;
  /** The client's address, behind a trusted proxy too. */
  addressOf(request: IncomingMessage): string;
}

type Bindings = { Bindings: HttpBindings };

/** The application behind the HTTP server. */
export function createHttpApp({ health, pictures, addressOf }: HttpAppOptions): Hono<Bindings> {
  const app = new Hono<Bindings>();
  app.get("/healthz", (c) => (health() ? c.text("ok") : c.body(null, 503)));
  if (pictures !== null) app.get("/p/:id", (c) => showPicture(c, pictures, addressOf(c.env.incoming)));
  app.notFound((c) => c.body(null, 404));
  app.onError((_failure, c) => c.body(null, 500));
  return app;
}

/** A link is as good as a password for a day: it is not kept by browsers and proxies, and not told to other sites. */
const PRIVATE = {
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Seconds: how often a database that is away is asked whether it is back (src/zoneminder/database.ts). */
const RETRY_AFTER = "10";

async function showPicture(
  c: Context<Bindings, "/p/:id">,
  pictures: Pick<Pictures, "answer">,
  address: string,
): Promise<Response> {
  const answer = await pictures.answer({ id: c.req.param("id"), address });
  if (answer.status === 503)
    return c.text(`${answer.reason} Try again later.\n`, 503, { ...PRIVATE, "Retry-After": RETRY_AFTER });
  if (answer.status !== 200) return c.body(null, answer.status, PRIVATE);
  const headers = { ...PRIVATE, "Content-Type": "image/jpeg", "Content-Length": String(answer.bytes.length) };
  return c.body(new Uint8Array(answer.bytes), 200, headers);
}
