// The thread that talks to push services: encryption and HTTP/2 for a thousand phones must never delay an alarm.
import { parentPort, workerData } from "node:worker_threads";
import { reasonOf, systemCode } from "../../lib/errors.ts";
import type { HttpReply, HttpRequest } from "./exchange.ts";
import { createHttpClient, type HttpClientOptions } from "./http.ts";

/** From the daemon. */
export interface HttpOrder {
  readonly id: number;
  /** null: nobody waits any longer for the answer to the request of this id. */
  readonly request: HttpRequest | null;
}

/** To the daemon, for each request exactly once. `words`: why there is no reply. */
export type HttpResult =
  | { readonly id: number; readonly reply: HttpReply }
  | { readonly id: number; readonly words: string };

const client = createHttpClient(workerData as HttpClientOptions);
const underWay = new Map<number, AbortController>();

parentPort?.on("message", ({ id, request }: HttpOrder) => {
  if (request === null) underWay.get(id)?.abort(new Error("given up"));
  else void work(id, request);
});

async function work(id: number, request: HttpRequest): Promise<void> {
  const abort = new AbortController();
  underWay.set(id, abort);
  const result = await client.post(request, abort.signal).then(
    (reply): HttpResult => ({ id, reply }),
    // Node leaves the message empty where it tried several addresses.
    (failure: unknown): HttpResult => ({ id, words: reasonOf(failure) || (systemCode(failure) ?? "") }),
  );
  underWay.delete(id);
  parentPort?.postMessage(result);
}
