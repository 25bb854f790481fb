// In place of the thread for push messages: answers, says nothing or dies, as the path of the request asks.
import { parentPort } from "node:worker_threads";
import type { HttpOrder, HttpResult } from "../../src/channels/fcm/http-thread.ts";

const NOTHING: unknown = null;
let count = 0;
parentPort?.on("message", ({ id, request }: HttpOrder) => {
  count += 1;
  if (request?.path === "/die") throw new Error("the thread stumbled");
  if (request?.path === "/die-silently") throw NOTHING;
  if (request?.path !== "/answer") return;
  const reply = { status: 200, retryAfter: null, body: `request ${count} of this thread` };
  parentPort?.postMessage({ id, reply } satisfies HttpResult);
});
