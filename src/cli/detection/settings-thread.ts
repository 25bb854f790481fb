// Settings for looks in a server: objectconfig files are read in a thread, so that neither a large one nor a slow disk holds up
// the watching.
import { Worker } from "node:worker_threads";
import type { Config } from "../../config/schema.ts";
import type { DetectRequest } from "../../detect/socket-messages.ts";
import type { DetectSettings } from "../../domain/detect-settings.ts";
import type { Part } from "../../lib/lifecycle.ts";
import type { Logger } from "../../lib/log.ts";
import { ownProgram } from "../../lib/own-program.ts";
import { within } from "../../lib/within.ts";
import type { SettingsFor } from "./job.ts";
import { createSettingsFor } from "./settings.ts";

export type SettingsThreadData = Pick<Config, "detection" | "general">;

export interface SettingsQuestion {
  readonly id: number;
  readonly monitor: number | null;
  readonly options: DetectRequest["options"];
}

type Settings = DetectSettings | { readonly failed: string };

export type SettingsAnswer =
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Settings };

/** The largest file takes a second or two; a disk that hangs may never answer, and alarms do not wait for that. */
const PATIENCE_MS = 5_000;
/** A thread in the middle of a system call cannot be ended. */
const END_MS = 500;

const THREAD = ownProgram("./settings-worker", import.meta.url);

/** The thread starts with the first question about a file. `settingsFor` never rejects. */
export function createSettingsThread(
  { general, detection }: SettingsThreadData,
  logger: Logger,
  { thread = THREAD, patienceMs = PATIENCE_MS } = {},
): Part & { readonly settingsFor: SettingsFor } {
  const hangs = { failed: `objectconfig could not be read within ${patienceMs / 1000} s` };
  const ofSection = createSettingsFor({ general, detection }, logger);
  const asked = new Map<number, (answer: Settings) => void>();
  let worker: Worker | null = null;
  let lastId = 0;
  let isHanging = false;

  return {
    name: "objectconfig",
    async start() {},
    async stop() {
      const last = worker;
      onGone(last, "the program ends");
      if (last !== null) await within(last.terminate(), END_MS);
    },
    async settingsFor(monitor, options) {
      if (options.config === null && detection.config === null) return ofSection(monitor, options);
      if (isHanging) return hangs;
      const { promise, resolve } = Promise.withResolvers<Settings>();
      lastId += 1;
      const id = lastId;
      asked.set(id, resolve);
      worker ??= begin();
      worker.postMessage({ id, monitor, options } satisfies SettingsQuestion);
      const answer = await within(promise, patienceMs);
      if (answer !== null) return answer;
      // Until it answers, nobody else waits.
      isHanging = asked.delete(id);
      return hangs;
    },
  };

  function begin(): Worker {
    const data: SettingsThreadData = { general, detection };
    const begun = new Worker(thread, { workerData: data, execArgv: [], name: "objectconfig" });
    begun.on("message", (message: SettingsAnswer) => {
      if (message.kind === "warning") logger.warn(message.text);
      else {
        isHanging = false;
        asked.get(message.id)?.(message.answer);
        asked.delete(message.id);
      }
    });
    begun.on("error", (failure: Error) => onGone(begun, failure.message));
    begun.on("exit", () => onGone(begun, "its thread has ended"));
    begun.unref();
    return begun;
  }

  function onGone(gone: Worker | null, why: string): void {
    if (gone === null || worker !== gone) return;
    worker = null;
    isHanging = false;
    for (const answer of asked.values()) answer({ failed: `objectconfig could not be read: ${why}` });
    asked.clear();
  }
}
