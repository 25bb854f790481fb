// Everything the port answers besides WebSocket: the health check, and 404 without a word for all else.
import { Hono } from "hono";

/** The application behind the HTTP server. `health` says whether the program does its work. */
export function createHttpApp(health: () => boolean): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => (health() ? c.text("ok") : c.body(null, 503)));
  app.notFound((c) => c.body(null, 404));
  app.onError((_failure, c) => c.body(null, 500));
  return app;
}
