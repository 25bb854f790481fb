// Loads onnxruntime and opens models with it: its build for this machine, or WebAssembly where there is none.
import { readFile } from "node:fs/promises";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { reasonOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { howToInstall, isPackaged } from "../packages.ts";

/** What both builds have in common. */
interface Runtime {
  readonly InferenceSession: {
    create(model: string | Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: typeof Tensor;
  readonly env: {
    logLevel?: "verbose" | "info" | "warning" | "error" | "fatal";
    readonly wasm: { numThreads?: number };
  };
}

/** How the two builds are loaded. */
export interface RuntimeLoaders {
  readonly native: () => Promise<Runtime>;
  readonly web: () => Promise<Runtime>;
}

export interface OpenedSession {
  readonly session: InferenceSession;
  readonly Tensor: Runtime["Tensor"];
  readonly device: "CPU" | "CUDA" | "CPU (WebAssembly)";
}

interface SessionOptions {
  readonly processor: "cpu" | "gpu";
  readonly threads: number;
  readonly logger: Logger;
  readonly loaders?: RuntimeLoaders;
}

/** Rejects with an Error that names the file, or says what to install. */
export async function openSession(file: string, options: SessionOptions): Promise<OpenedSession> {
  const { runtime, isNative } = await loadRuntime(options);
  runtime.env.logLevel = "fatal";
  if (!isNative) return openForWeb(runtime, file, options);
  if (options.processor === "gpu") {
    const onGpu = await openOnGpu(runtime, file, options);
    if (onGpu !== null) return onGpu;
  }
  const session = await opened(file, () =>
    runtime.InferenceSession.create(file, settingsOf(options, ["cpu"])),
  );
  return { session, Tensor: runtime.Tensor, device: "CPU" };
}

/** Only what ends the process: errors are thrown as well, and warnings are about optimizations. All go to stderr, past every log. */
const LOG_FATAL = 4;

const usualLoaders: RuntimeLoaders = {
  native: async () => unwrapped(await import("onnxruntime-node")),
  web: async () => unwrapped(await import("onnxruntime-web")),
};

/** Both are CommonJS: whether names are exported, too, depends on how they were bundled. */
function unwrapped(module: Runtime | { readonly default: Runtime }): Runtime {
  return "InferenceSession" in module ? module : module.default;
}

async function loadRuntime({ loaders = usualLoaders, logger }: SessionOptions) {
  let problem: string;
  try {
    return { runtime: await loaders.native(), isNative: true };
  } catch (failure) {
    problem = reasonOf(failure).split("\n", 1)[0] ?? "";
  }
  try {
    const runtime = await loaders.web();
    sayOnce(
      logger,
      `onnxruntime has no build for this machine (${problem}); WebAssembly does its work, about four times slower`,
    );
    return { runtime, isNative: false };
  } catch {
    const web = isPackaged
      ? ""
      : " Where it has no build for the machine: `npm install --no-save --ignore-scripts onnxruntime-web@1.30.0`.";
    throw new Error(`onnxruntime cannot be loaded: ${problem}. ${howToInstall()}${web}`);
  }
}

/** Null when there is no GPU that can be used: the runtime would not fall back by itself. */
async function openOnGpu(
  runtime: Runtime,
  file: string,
  options: SessionOptions,
): Promise<OpenedSession | null> {
  try {
    const session = await runtime.InferenceSession.create(file, settingsOf(options, ["cuda", "cpu"]));
    return { session, Tensor: runtime.Tensor, device: "CUDA" };
  } catch (failure) {
    const problem = reasonOf(failure).split("\n", 1)[0] ?? "";
    sayOnce(options.logger, `The GPU cannot be used (${problem}); models run on the CPU`);
    return null;
  }
}

async function openForWeb(runtime: Runtime, file: string, options: SessionOptions): Promise<OpenedSession> {
  runtime.env.wasm.numThreads = options.threads;
  const session = await opened(file, async () =>
    runtime.InferenceSession.create(await readFile(file), { logSeverityLevel: LOG_FATAL }),
  );
  return { session, Tensor: runtime.Tensor, device: "CPU (WebAssembly)" };
}

function settingsOf(
  { threads }: SessionOptions,
  executionProviders: string[],
): InferenceSession.SessionOptions {
  return {
    executionProviders,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_FATAL,
    // Threads that wait in a loop after each run cost 35 ms of CPU time a second, which cameras need.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
}

async function opened(file: string, create: () => Promise<InferenceSession>): Promise<InferenceSession> {
  try {
    return await create();
  } catch (failure) {
    const reason = reasonOf(failure);
    throw new Error(`${file} cannot be loaded as a model: ${reason}. ${wayOut(reason)}`, { cause: failure });
  }
}

/** PyTorch's newer exporter puts the weights into FILE.data when it is not told otherwise. */
function wayOut(reason: string): string {
  return /external data/i.test(reason)
    ? `Its weights are in a second file: make one of both with Python, onnx.save(onnx.load("FILE"), "ONE.onnx").`
    : "Get or export the file again; `zmes models check FILE` tries it.";
}

/** Several models would say the same. */
const said = new WeakMap<Logger, Set<string>>();

function sayOnce(logger: Logger, message: string): void {
  const messages = said.get(logger) ?? new Set();
  said.set(logger, messages);
  if (messages.has(message)) return;
  messages.add(message);
  logger.warn(message);
}
