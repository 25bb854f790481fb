// The thread that reads objectconfig files: a question for a monitor in, its settings or why there are none out.
import { parentPort, workerData } from "node:worker_threads";
import { createLogger } from "../../lib/log.ts";
import { createSettingsFor } from "./settings.ts";
import type { SettingsAnswer, SettingsQuestion, SettingsThreadData } from "./settings-thread.ts";

const tell = (answer: SettingsAnswer): void => parentPort?.postMessage(answer);
const { logger } = createLogger([
  {
    name: "thread",
    level: "warn",
    write: ({ message }) => tell({ kind: "warning", text: message }),
    close: async () => undefined,
  },
]);
const settingsFor = createSettingsFor(workerData as SettingsThreadData, logger);

parentPort?.on("message", async ({ id, monitor, options }: SettingsQuestion) => {
  tell({ kind: "answer", id, answer: await settingsFor(monitor, options) });
});
