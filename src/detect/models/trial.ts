// Tries a model in a process of its own: what it is, and how fast on this machine. A damaged model can abort its process.
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { DarknetSettings, HogSettings, OnnxSettings } from "../../domain/detect-settings.ts";
import { ownProgram } from "../../lib/own-program.ts";

export interface Trial {
  /** Family, size, labels, device. */
  readonly description: string;
  /** Null when nobody names them. */
  readonly labels: readonly string[] | null;
  readonly loadMs: number;
  /** From a JPEG of 1920x1080 to its boxes; median of a few. 0 when it was only loaded. */
  readonly pictureMs: number;
  /** What was logged meanwhile, such as that the GPU cannot be used. */
  readonly remarks: readonly string[];
}

export interface TrialJob {
  readonly settings: OnnxSettings | DarknetSettings | HogSettings;
  readonly threads: number;
  /** Whether it is not shown any picture. */
  readonly isOnlyLoaded?: boolean;
}

export interface TrialOptions {
  readonly signal: AbortSignal;
  /** For tests. */
  readonly deadlineMs?: number;
  readonly script?: string;
}

/** Rejects with an Error that says why the model cannot be used. */
export async function tryModel(job: TrialJob, options: TrialOptions): Promise<Trial> {
  // Whatever it leaves behind when it is killed lies here: a converted model has up to 250 MB.
  const folder = await mkdtemp(path.join(tmpdir(), "zmes-models-"));
  try {
    return await tryIn(folder, job, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryIn(folder: string, job: TrialJob, options: TrialOptions): Promise<Trial> {
  const { promise, resolve, reject } = Promise.withResolvers<Trial>();
  const gone = Promise.withResolvers<void>();
  const { deadlineMs = DEADLINE_MS, script = SCRIPT } = options;
  if (options.signal.aborted) throw new Error("it was interrupted");
  const child = fork(script, [JSON.stringify(job)], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: environment(folder),
    execArgv: [],
    killSignal: "SIGKILL",
    timeout: deadlineMs,
  });
  const onAbort = (): void => {
    child.kill("SIGKILL");
  };
  options.signal.addEventListener("abort", onAbort, { once: true });
  child.on("message", (message) => {
    const answer = ANSWER.safeParse(message).data;
    if (answer === undefined) return;
    if ("failure" in answer) reject(new Error(answer.failure));
    else resolve(answer);
  });
  const started = performance.now();
  child.on("error", reject);
  child.on("exit", (code, signal) => {
    gone.resolve();
    if (options.signal.aborted) reject(new Error("it was interrupted"));
    else if (performance.now() - started >= deadlineMs)
      reject(new Error(`it was not ready after ${deadlineMs / 1000} s, which is too slow to be of use`));
    else
      reject(
        new Error(
          `the process that tried it ended (${signal ?? `exit code ${code}`}): the file is damaged, or there is not enough memory`,
        ),
      );
  });
  return promise.finally(async () => {
    options.signal.removeEventListener("abort", onAbort);
    // It may be writing until it is gone.
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await gone.promise;
  });
}

/** A full YOLOv4 is converted in 2 s and looks at six pictures in 6 s; small boards are ten times slower. */
const DEADLINE_MS = 180_000;

const SCRIPT = fileURLToPath(ownProgram("./trial-process", import.meta.url));

const ANSWER = z.union([
  z.object({ failure: z.string() }),
  z.object({
    description: z.string(),
    labels: z.array(z.string()).nullable(),
    loadMs: z.number(),
    pictureMs: z.number(),
    remarks: z.array(z.string()),
  }),
]);

/** As the detector has it: little, and one arena, because a model's memory is not to be spread. */
function environment(folder: string): NodeJS.ProcessEnv {
  const { PATH, LD_LIBRARY_PATH, CUDA_VISIBLE_DEVICES } = process.env;
  return { PATH, LD_LIBRARY_PATH, CUDA_VISIBLE_DEVICES, TMPDIR: folder, MALLOC_ARENA_MAX: "2" };
}
