// The HTTP client of the daemon: the work is done in a thread, so that a thousand phones cost the alarms nothing.
import { Worker } from "node:worker_threads";
import { reasonOf } from "../../lib/errors.ts";
import { ownProgram } from "../../lib/own-program.ts";
import type { HttpReply } from "./exchange.ts";
import type { HttpClient, HttpClientOptions } from "./http.ts";
import type { HttpOrder, HttpResult } from "./http-thread.ts";

interface Waiting {
  readonly resolve: (reply: HttpReply) => void;
  readonly reject: (failure: unknown) => void;
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
}

const THREAD = ownProgram("./http-thread", import.meta.url);

/**
 * What node was told about connections holds for the thread too, which is given no other option: it refuses some. Those of
 * NODE_OPTIONS and all that holds for the whole process it has anyway.
 */
const CONNECTIONS = /^--(?:no-)?(?:use-system-ca$|tls-(?:min|max)-|dns-result-order=|network-family-)/;

/**
 * Of the thread's heap. With the usual one the program was at 290 MB after sixty crowds of 1,000 messages and stayed there, with this
 * one at 160 MB, and they took as long.
 */
const YOUNG_GENERATION = { maxYoungGenerationSizeMb: 6 };

/** As `createHttpClient`; the thread starts with the first request, and anew with the next one after it died. */
export function createThreadedHttpClient(options: HttpClientOptions, program: URL = THREAD): HttpClient {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;
  let closed = false;

  return {
    post(request, signal) {
      if (closed) return Promise.reject(new Error("the connection is closed"));
      if (signal.aborted) return Promise.reject(signal.reason);
      worker ??= start();
      const thread = worker;
      lastId += 1;
      const id = lastId;
      const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
      const onAbort = (): void => {
        take(id)?.reject(signal.reason);
        thread.postMessage({ id, request: null } satisfies HttpOrder);
      };
      signal.addEventListener("abort", onAbort);
      waiting.set(id, { resolve, reject, signal, onAbort });
      thread.ref();
      thread.postMessage({ id, request } satisfies HttpOrder);
      return promise;
    },
    close() {
      closed = true;
      void worker?.terminate();
      failAll("the connection is closed");
    },
  };

  /** While nobody waits for an answer, the thread keeps no program running. */
  function start(): Worker {
    const execArgv = process.execArgv.filter((option) => CONNECTIONS.test(option));
    const how = { workerData: options, execArgv, resourceLimits: YOUNG_GENERATION, name: "push" };
    const started = new Worker(program, how);
    started.on("message", (result: HttpResult) => {
      const who = take(result.id);
      if ("reply" in result) who?.resolve(result.reply);
      else who?.reject(new Error(result.words));
    });
    started.on("error", (failure: unknown) => onGone(started, reasonOf(failure)));
    started.on("exit", () => onGone(started, "the thread for push messages ended"));
    return started;
  }

  /** Null when it was given up meanwhile. */
  function take(id: number): Waiting | null {
    const found = waiting.get(id);
    if (found === undefined) return null;
    waiting.delete(id);
    found.signal.removeEventListener("abort", found.onAbort);
    if (waiting.size === 0) worker?.unref();
    return found;
  }

  function onGone(gone: Worker, problem: string): void {
    if (worker !== gone) return;
    worker = null;
    failAll(problem);
  }

  function failAll(problem: string): void {
    for (const id of [...waiting.keys()]) take(id)?.reject(new Error(problem));
  }
}
