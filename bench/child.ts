// Child processes that answer calls: the daemon, its bare counterpart and the clients each have a core to win.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** The calls a child answers. Arguments and answers cross as JSON. */
type Calls<C> = { readonly [K in keyof C]: (argument: never) => unknown };
type ArgumentOf<F> = F extends (argument: infer A) => unknown ? A : never;
type AnswerOf<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

export interface Child<C extends Calls<C>> {
  readonly pid: number;
  call<K extends keyof C & string>(name: K, argument: ArgumentOf<C[K]>): Promise<AnswerOf<C[K]>>;
  /** Ends the process and waits until it is gone. */
  end(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly problem: string });

/** A child may need a moment for a call (9,000 logins), but not forever. */
const CALL_TIMEOUT_MS = 180_000;
const END_TIMEOUT_MS = 5_000;

/** Starts `bench/<name>.ts` as a process of its own; `options` are its one argument. */
export function startChild<C extends Calls<C>>(name: string, options: unknown = {}): Child<C> {
  const child = fork(new URL(`./${name}.ts`, import.meta.url), [JSON.stringify(options)], {
    execArgv: ["--expose-gc", ...profiling(name)],
    // Nothing but the results goes to standard output.
    stdio: ["ignore", 2, 2, "ipc"],
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  child.on("message", (answer: Answer) => {
    const question = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("problem" in answer) question?.reject(new Error(`${name}: ${answer.problem}`));
    else question?.resolve(answer.value);
  });
  child.on("exit", (code, signal) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${name} ended: ${signal ?? `code ${code}`}`));
    waiting.clear();
  });
  return {
    pid: child.pid ?? 0,
    async call(call, argument) {
      if (!child.connected) throw new Error(`${name} is not running, so it cannot ${call}`);
      const question = Promise.withResolvers<unknown>();
      lastId += 1;
      waiting.set(lastId, question);
      child.send({ id: lastId, name: call, argument } satisfies Question);
      const timer = setTimeout(
        () => question.reject(new Error(`${name}: no answer to ${call}`)),
        CALL_TIMEOUT_MS,
      );
      try {
        return (await question.promise) as AnswerOf<C[typeof call]>;
      } finally {
        clearTimeout(timer);
      }
    },
    end: () => endOf(child),
  };
}

/** The other side: answers calls until the bench is gone. The child's options are given to `build`. */
export async function answerCalls<Options, C extends Calls<C>>(
  build: (options: Options) => C | Promise<C>,
): Promise<void> {
  // With the bench gone, however it ended, nobody needs this process.
  process.on("disconnect", () => process.exit(0));
  const calls: object = await build(JSON.parse(process.argv[2] ?? "{}"));
  process.on("message", async ({ id, name, argument }: Question) => {
    try {
      const call: unknown = Reflect.get(calls, name);
      const value: unknown = typeof call === "function" ? await call(argument) : null;
      process.send?.({ id, value: value ?? null } satisfies Answer);
    } catch (failure) {
      process.send?.({ id, problem: String(failure) } satisfies Answer);
    }
  });
}

/** Milliseconds of CPU this process has used, all its threads, user and system. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Resident bytes of what is really needed: garbage, and the room kept for more of it, is given back first. */
export async function collectedRss(): Promise<number> {
  await global.gc?.({ type: "major", execution: "async", flavor: "last-resort" });
  await global.gc?.({ type: "major", execution: "async", flavor: "last-resort" });
  return process.memoryUsage.rss();
}

/** ZMES_BENCH_PROFILE=FOLDER keeps a CPU profile of every child there, for Chrome's developer tools. */
function profiling(name: string): readonly string[] {
  const folder = process.env.ZMES_BENCH_PROFILE;
  if (folder === undefined || folder === "") return [];
  return [
    "--cpu-prof",
    "--cpu-prof-interval=200",
    `--cpu-prof-dir=${folder}`,
    `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`,
  ];
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.disconnect();
  const timer = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}
