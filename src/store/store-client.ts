// Talks to the store's thread: one answer for every question, and a new thread when one dies.
import { Worker } from "node:worker_threads";
import type { Clock } from "../lib/clock.ts";
import { ownProgram } from "../lib/own-program.ts";
import type { StoreAnswer, StoreRequest, StoreWork } from "./messages.ts";

export interface StoreClient {
  /** The thread's answer; one that says "not done" when the thread died. Never throws. */
  ask(work: StoreWork): Promise<StoreAnswer["outcome"]>;
  /** Whether the thread has owed an answer for so long, in ms: it answers one question after the other. */
  owesSince(ms: number): boolean;
  /** Ends the thread. */
  end(): Promise<void>;
}

export interface StoreClientOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly onSetAside: (aside: NonNullable<StoreAnswer["setAside"]>) => void;
  /** The program of the thread; the store's own unless said otherwise. */
  readonly thread?: URL;
}

interface Question {
  readonly resolve: (outcome: StoreAnswer["outcome"]) => void;
  readonly askedAt: number;
}

const THREAD = ownProgram("./store-thread", import.meta.url);

/** Builds the client; the thread starts with the first question. */
export function createStoreClient(options: StoreClientOptions): StoreClient {
  const waiting = new Map<number, Question>();
  let worker: Worker | null = null;
  let lastId = 0;
  let ended = false;

  const onAnswer = ({ id, setAside, outcome }: StoreAnswer): void => {
    if (setAside !== null) options.onSetAside(setAside);
    waiting.get(id)?.resolve(outcome);
    waiting.delete(id);
  };

  const onGone = (gone: Worker, problem: string): void => {
    if (worker !== gone) return;
    worker = null;
    for (const { resolve } of waiting.values()) resolve({ done: false, problem, newer: null });
    waiting.clear();
  };

  const start = (): Worker => {
    const started = new Worker(options.thread ?? THREAD, {
      workerData: options.path,
      execArgv: [],
      name: "store",
    });
    started.on("message", onAnswer);
    started.on("error", (failure: Error) => onGone(started, failure.message));
    started.on("exit", () => onGone(started, "its thread ended"));
    return started;
  };

  return {
    ask(work) {
      if (ended) return Promise.resolve({ done: false, problem: "the store is closed", newer: null });
      const { promise, resolve } = Promise.withResolvers<StoreAnswer["outcome"]>();
      worker ??= start();
      lastId += 1;
      waiting.set(lastId, { resolve, askedAt: options.clock.monotonic() });
      const request: StoreRequest = { id: lastId, now: options.clock.now(), work };
      worker.postMessage(request);
      return promise;
    },
    owesSince(ms) {
      const [oldest] = waiting.values();
      return oldest !== undefined && options.clock.monotonic() - oldest.askedAt >= ms;
    },
    async end() {
      ended = true;
      await worker?.terminate();
    },
  };
}
