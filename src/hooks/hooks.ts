// Runs the hooks of alarms: a few at a time, the others wait in a queue that is bounded by number and by age.
import { availableParallelism } from "node:os";
import type { Alarm } from "../domain/alarm.ts";
import type { HookNote, HookOutcome } from "../domain/hook.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import type { ProgramResult, ProgramRunner } from "../lib/run-program.ts";
import { hideSecrets } from "../lib/secrets-in-logs.ts";
import { type BuiltIn, looksAt, replacesScript } from "./built-in.ts";
import { type CommandOptions, commandsOf } from "./commands.ts";
import { type Answer, hookArguments, readAnswer, userScriptArguments } from "./contract.ts";
import { createRunner } from "./runner.ts";

/** Keys of the section "hook". */
export interface HookOptions extends CommandOptions {
  readonly hook_skip_monitors: readonly number[];
  readonly hook_pass_image_path: boolean;
  readonly max_parallel_hooks: number;
  readonly timeout: number;
  readonly max_waiting: number;
  readonly max_wait: number;
}

export interface HooksDeps {
  readonly hook: HookOptions;
  /** The section "customize"; old configurations run what is configured. */
  readonly customize: { readonly use_hooks: boolean };
  readonly isOldDialect: boolean;
  /** A detector in place of the scripts; absent or null: there is none. */
  readonly builtIn?: BuiltIn | null;
  /** Where the event's files are, or will be; null when nobody can say. */
  readonly eventFolder: (alarm: Alarm) => Promise<string | null>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Hooks extends Part {
  /** "run": one looks at this alarm; "skip": hooks are on, but not for its monitor; "none": there is none. */
  plan(alarm: Alarm): "run" | "skip" | "none";
  /**
   * Takes a place in the queue; the answer runs the hook for the alarm as it is by then. It never throws, and says
   * "dropped" at once when there is no place, or when its turn came too late. `since`: when it began to wait, of the
   * monotonic clock; absent: now.
   */
  enter(alarm: Alarm, since?: number): (alarm: Alarm) => Promise<HookOutcome>;
  counts(): HookCounts;
}

interface HookCounts {
  readonly running: number;
  readonly waiting: number;
  /** Alarms told without their hook since the start. */
  readonly dropped: number;
  readonly timedOut: number;
}

/** A detector's JSON with a hundred boxes has 10 KB. */
const OUTPUT_BYTES = 262_144;
/** Of what a script printed to stderr, the log gets the end. */
const LOGGED_CHARACTERS = 2_000;

const THE_END = "the program ends";

/** Nothing runs before the first alarm. */
export function createHooks(deps: HooksDeps): Hooks {
  const { hook, customize, isOldDialect, builtIn = null, clock, logger } = deps;
  const limit = hook.max_parallel_hooks || availableParallelism() * 2;
  const options = { environment: deps.environment, clock, outputBytes: OUTPUT_BYTES };
  const runner = createRunner({ ...options, concurrency: 0 });
  const userRunner = createRunner({ ...options, concurrency: limit });
  const commands = commandsOf(deps);
  const skipped: ReadonlySet<number> = new Set(hook.hook_skip_monitors);
  const stopping = new AbortController();
  const turns = createTurns(limit, stopping.signal);
  const userLanes = new Map<MonitorId, Promise<void>>();
  let lastStart = Promise.resolve();
  /** Alarms that wait or are looked at. */
  let inside = 0;
  /** User scripts that wait or run. */
  let telling = 0;
  let dropped = 0;
  let timedOut = 0;

  return {
    name: "hooks",
    async start() {},
    async stop() {
      stopping.abort();
      runner.stop();
      userRunner.stop();
    },
    plan(alarm) {
      const isScript = (customize.use_hooks || isOldDialect) && commandFor(alarm) !== null;
      if (!(replacesScript(builtIn, alarm) ? looksAt(builtIn, alarm) : isScript)) return "none";
      return skipped.has(alarm.monitor.id) ? "skip" : "run";
    },
    enter,
    counts: () => ({ running: turns.running(), waiting: inside - turns.running(), dropped, timedOut }),
  };

  function enter(first: Alarm, since?: number): (alarm: Alarm) => Promise<HookOutcome> {
    if (inside >= hook.max_waiting + limit) {
      return async () => drop(first, `${hook.max_waiting} others wait already (hook.max_waiting)`);
    }
    const lastMoment = (since ?? clock.monotonic()) + hook.max_wait * 1000;
    inside += 1;
    if (looksAt(builtIn, first)) return (alarm) => lookAt(builtIn, alarm, lastMoment);
    return async (alarm) => {
      const leave = await turns.take(lastMoment - clock.monotonic());
      try {
        if (leave !== null) return await ask(alarm);
        if (stopping.signal.aborted) return drop(alarm, THE_END);
        return drop(alarm, `its turn did not come within ${hook.max_wait} s (hook.max_wait)`);
      } finally {
        leave?.();
        inside -= 1;
      }
    };
  }

  /** It has a queue of its own; what is waited for here is the alarms of the same monitor before this one. */
  async function lookAt(by: BuiltIn, alarm: Alarm, lastMoment: number): Promise<HookOutcome> {
    const begun = clock.monotonic();
    try {
      if (begun >= lastMoment)
        return drop(alarm, `its turn did not come within ${hook.max_wait} s (hook.max_wait)`);
      const found = await by.look(alarm, stopping.signal);
      if (stopping.signal.aborted && "failed" in found) return drop(alarm, THE_END);
      if ("failed" in found) {
        logger.warn(`${about(alarm)} is told as if there were no detector: ${found.failed}`);
        return { ...unanswered("failed"), text: found.failed };
      }
      const answer = readAnswer(found.printed, { kind: "exited", code: 0 }, false);
      logAnswer(alarm, answer, clock.monotonic() - begun);
      tellUserScript(alarm, answer, await folderFor(alarm));
      return answer.outcome;
    } finally {
      inside -= 1;
    }
  }

  async function folderFor(alarm: Alarm): Promise<string | null> {
    return hook.hook_pass_image_path ? await deps.eventFolder(alarm).catch(() => null) : null;
  }

  async function ask(alarm: Alarm): Promise<HookOutcome> {
    const command = commandFor(alarm) ?? [];
    const folder = await folderFor(alarm);
    await oneByOne();
    const result = await run(runner, [...command, ...hookArguments(alarm, folder)]);
    logOutput(alarm, result, "hook");
    switch (result.end.kind) {
      case "timeout":
        timedOut += 1;
        logger.warn(
          `${about(alarm)}: the hook took longer than ${hook.timeout} s (hook.timeout) and was ended`,
        );
        return unanswered("timed-out");
      case "aborted":
        return drop(alarm, THE_END);
      case "not-started":
        return drop(alarm, `${command[0]} could not be started: ${result.end.reason}`);
      case "exited":
      case "killed": {
        const answer = readAnswer(result.stdout, result.end, isOldDialect);
        logAnswer(alarm, answer, result.ms);
        tellUserScript(alarm, answer, folder);
        return answer.outcome;
      }
    }
  }

  /** Starting a program takes milliseconds: between two of them the scan goes on. */
  async function oneByOne(): Promise<void> {
    const before = lastStart;
    lastStart = before.then(() => new Promise((resolve) => setImmediate(resolve)));
    await before;
  }

  function run(by: ProgramRunner, argv: readonly string[]): Promise<ProgramResult> {
    return by.run({ argv, timeoutMs: hook.timeout * 1000, signal: stopping.signal });
  }

  /** People do not wait for it, and it hears of a beginning before the end. */
  function tellUserScript(alarm: Alarm, answer: Answer, folder: string | null): void {
    const command = alarm.phase === "ended" ? commands.userEnd : commands.userStart;
    if (command === null) return;
    if (telling >= hook.max_waiting + limit) {
      logger.warn(`${about(alarm)}: the user script is left out: too many wait already (hook.max_waiting)`);
      return;
    }
    telling += 1;
    const { id } = alarm.monitor;
    const before = userLanes.get(id) ?? Promise.resolve();
    const job = before.then(async () => {
      const result = await run(userRunner, [...command, ...userScriptArguments(alarm, answer, folder)]);
      logOutput(alarm, result, "user script");
      if (result.end.kind !== "exited" || result.end.code !== 0)
        logger.warn({ end: result.end }, `${about(alarm)}: the user script did not end well`);
    });
    userLanes.set(id, job);
    void job.finally(() => {
      telling -= 1;
      if (userLanes.get(id) === job) userLanes.delete(id);
    });
  }

  function commandFor({ phase }: Alarm): readonly string[] | null {
    return phase === "ended" ? commands.end : commands.start;
  }

  function drop(alarm: Alarm, why: string): HookOutcome {
    dropped += 1;
    logger.warn({ dropped }, `${about(alarm)} is told as if there were no hook: ${why}`);
    return unanswered("dropped");
  }

  function logOutput(alarm: Alarm, { stderr, isCut }: ProgramResult, what: string): void {
    const said = hideSecrets(stderr.trim()).slice(-LOGGED_CHARACTERS);
    if (said !== "") logger.info({ event: alarm.eventId ?? 0 }, `${about(alarm)}: the ${what} said: ${said}`);
    if (isCut)
      logger.warn(`${about(alarm)}: the ${what} printed more than ${OUTPUT_BYTES} bytes: the rest is lost`);
  }

  function logAnswer(alarm: Alarm, { outcome }: Answer, ms: number): void {
    const { result, text, note } = outcome;
    if (note === "bad-json")
      logger.warn(`${about(alarm)}: the JSON of the hook could not be read and is left out`);
    logger.info(
      { event: alarm.eventId ?? 0, result, ms: Math.round(ms) },
      `${about(alarm)}: the hook said: ${text}`,
    );
  }
}

function unanswered(note: HookNote): HookOutcome {
  return { result: 1, text: "", json: null, note };
}

function about({ eventId, monitor }: Alarm): string {
  return `Event ${eventId ?? 0} of ${monitor.name}`;
}

/** So many at once; the others in the order in which they came. */
function createTurns(limit: number, stopping: AbortSignal) {
  const waiting = new Set<() => void>();
  let running = 0;
  const leave = (): void => {
    running -= 1;
    const [next] = waiting;
    next?.();
  };
  stopping.addEventListener("abort", () => {
    for (const next of [...waiting]) next();
  });

  return {
    running: () => running,
    /** Gives the way to leave again, or null when the turn did not come in time. */
    take(waitMs: number): Promise<(() => void) | null> {
      const { promise, resolve } = Promise.withResolvers<(() => void) | null>();
      const begin = (): void => {
        running += 1;
        resolve(leave);
      };
      if (waitMs <= 0 || stopping.aborted) resolve(null);
      else if (running < limit) begin();
      else {
        const next = (): void => {
          clearTimeout(timer);
          waiting.delete(next);
          if (stopping.aborted) resolve(null);
          else begin();
        };
        const timer = setTimeout(() => {
          waiting.delete(next);
          resolve(null);
        }, waitMs);
        waiting.add(next);
      }
      return promise;
    },
  };
}
