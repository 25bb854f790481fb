// Keeps one detector process alive: starts it, warms it up, restarts it ever more patiently, lets it rest.
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { DetectSettings } from "../../domain/detect-settings.ts";
import type { Clock } from "../../lib/clock.ts";
import { reasonOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { ownProgram } from "../../lib/own-program.ts";
import { within } from "../../lib/within.ts";
import { removeAbandoned } from "./left-overs.ts";
import type { FromProcess, ProcessSetup, ToProcess } from "./messages.ts";
import { type DetectorProcess, startProcess } from "./process.ts";

export interface Keeper {
  /** Begins with the first process, where it is to be warm from the start. */
  start(): void;
  /** Ends the process for good. */
  stop(): Promise<void>;
  /** Somebody has work: there will be a process soon. */
  wake(): void;
  /** There is no work: after a while the process may go. */
  rest(): void;
  /** It has done something: what went wrong before is over. */
  works(): void;
  send(message: ToProcess): void;
  /** Ends a process that hangs; the reason is told to `onEnd`. */
  kill(why: string): void;
  isReady(): boolean;
  pid(): number | null;
  crashes(): number;
  /** Why there is no process and none is waited for; null otherwise. */
  whyDown(): string | null;
}

export interface KeeperOptions {
  readonly setup: ProcessSetup;
  /** 0: it never rests. */
  readonly idleMs: number;
  readonly deps: {
    readonly warmUp?: () => Promise<DetectSettings | null>;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly script?: string;
  };
  hasWork(): boolean;
  onReady(): void;
  onMessage(message: FromProcess): void;
  onEnd(why: string): void;
}

/** A process that does not say a word for so long will not. Reading its program from a slow disk takes seconds. */
const START_MS = 30_000;
/** Loading: a Darknet model of 250 MB is converted in 2 s on a quick machine. */
const WARM_UP_MS = 120_000;
/** So many ends in a row without an answer in between: alarms no longer wait for it. */
const FAILURES_UNTIL_DOWN = 3;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** How long the settings for the warm-up may take. */
const SETTINGS_MS = 10_000;

export function createKeeper(options: KeeperOptions): Keeper {
  const { deps, setup } = options;
  const { logger } = deps;
  let current: DetectorProcess | null = null;
  let isReady = false;
  let isStopped = false;
  let isWarming = false;
  let isResting = false;
  let killedFor: string | null = null;
  let failures = 0;
  let crashes = 0;
  let lastWhy = "";
  let retry: NodeJS.Timeout | null = null;
  let patience: NodeJS.Timeout | null = null;
  let idle: NodeJS.Timeout | null = null;

  return {
    start() {
      if (deps.warmUp !== undefined) begin();
    },
    async stop() {
      isStopped = true;
      for (const timer of [retry, patience, idle]) if (timer !== null) clearTimeout(timer);
      current?.kill();
      await current?.gone;
    },
    wake() {
      if (idle !== null) clearTimeout(idle);
      idle = null;
      if (current === null && retry === null) begin();
    },
    rest,
    works() {
      if (failures >= 1) logger.info("The detector works again");
      failures = 0;
    },
    send: (message) => current?.send(message),
    kill(why) {
      killedFor ??= why;
      current?.kill();
    },
    isReady: () => isReady && killedFor === null && !isResting,
    pid: () => current?.pid ?? null,
    crashes: () => crashes,
    whyDown: () => (failures >= FAILURES_UNTIL_DOWN && retry !== null ? lastWhy : null),
  };

  function begin(): void {
    if (isStopped || current !== null) return;
    retry = null;
    killedFor = null;
    isResting = false;
    void removeAbandoned(tmpdir(), deps.clock.now());
    try {
      current = startProcess({
        script: deps.script ?? WORKER,
        environment: deps.environment,
        onMessage: hear,
        onEnd: ended,
      });
    } catch (failure) {
      ended(`it could not be started: ${reasonOf(failure)}`);
      return;
    }
    waitAtMost(START_MS, "it did not start");
    current.send({ kind: "setup", setup });
  }

  function hear(message: FromProcess): void {
    if (message.kind === "log") logger[message.level](message.text);
    else if (message.kind === "ready") becomeReady();
    else if (message.kind === "warm") warmed(message);
    else options.onMessage(message);
  }

  function becomeReady(): void {
    if (isReady) return;
    isReady = true;
    if (patience !== null) clearTimeout(patience);
    patience = null;
    void warm();
    options.onReady();
    rest();
  }

  async function warm(): Promise<void> {
    const mine = current;
    const settings = await within(deps.warmUp?.() ?? Promise.resolve(null), SETTINGS_MS);
    if (settings === null || mine === null || mine !== current) return;
    isWarming = true;
    waitAtMost(WARM_UP_MS, "its models were not loaded");
    mine.send({ kind: "warm", settings });
  }

  function warmed({ ms, engines, troubles }: FromProcess & { kind: "warm" }): void {
    isWarming = false;
    if (patience !== null) clearTimeout(patience);
    patience = null;
    for (const trouble of troubles) logger.warn(`The detector: ${trouble}`);
    if (engines.length > 0)
      logger.info({ ms: Math.round(ms) }, `The detector is ready: ${engines.join("; ")}`);
    rest();
  }

  function waitAtMost(ms: number, why: string): void {
    if (patience !== null) clearTimeout(patience);
    patience = setTimeout(() => {
      killedFor ??= `${why} within ${ms / 1000} s`;
      current?.kill();
    }, ms);
  }

  function rest(): void {
    if (idle !== null) clearTimeout(idle);
    idle = null;
    if (options.idleMs === 0 || options.hasWork() || isWarming || current === null) return;
    idle = setTimeout(() => {
      isResting = true;
      logger.info("The detector had nothing to do and gives its memory back (detection.idle_unload)");
      current?.kill();
    }, options.idleMs).unref();
  }

  function ended(how: string): void {
    const why = killedFor ?? how;
    const wasResting = isResting;
    current = null;
    isReady = false;
    isWarming = false;
    isResting = false;
    killedFor = null;
    for (const timer of [patience, idle]) if (timer !== null) clearTimeout(timer);
    if (isStopped) return;
    if (!wasResting) afterCrash(why);
    options.onEnd(why);
    if (wasResting && options.hasWork()) begin();
  }

  function afterCrash(why: string): void {
    crashes += 1;
    failures += 1;
    lastWhy = why;
    const isLate = failures - 1;
    const pause = isLate === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (isLate - 1));
    if (failures === 1) logger.warn(`The detector has ended: ${why}. It is started again`);
    if (failures === FAILURES_UNTIL_DOWN)
      logger.error(`The detector keeps ending: ${why}. Alarms are told without it until it works again`);
    logger.debug({ failures, pause }, `The detector has ended: ${why}`);
    retry = setTimeout(() => {
      retry = null;
      if (deps.warmUp !== undefined || options.hasWork()) begin();
    }, pause);
  }
}

/** Beside this folder; compiled files end in .js. */
const WORKER = fileURLToPath(ownProgram("../worker", import.meta.url));
