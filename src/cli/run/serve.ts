// The server as a process: its user, logs and signals, and one run after another until it shall end.
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { Clock } from "../../lib/clock.ts";
import { AppError, reasonOf } from "../../lib/errors.ts";
import { createLogger, type Log, type LogDestination } from "../../lib/log.ts";
import { createTerminal } from "../../lib/log-terminal.ts";
import { becomeUser } from "../../lib/privileges.ts";
import { createServiceManager, takeServiceEnvironment } from "../../lib/service-manager.ts";
import type { KeptSettings } from "../../store/overrides.ts";
import { requireZmConf } from "./installed-zoneminder.ts";
import type { LiveConfig } from "./live-config.ts";
import { type OneRunOptions, oneRun } from "./one-run.ts";

export interface ServeOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again, with these changes of escontrol instead of those on the disk. */
  readonly read: (kept?: KeptSettings) => LoadedConfig;
  /** Log in detail, on the console as well. */
  readonly debug: boolean;
  readonly underZmdc: boolean;
  /** Aborted when the program shall end. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
}

/** Runs until `stop` is aborted. Throws an AppError when the daemon cannot start. */
export async function serve(options: ServeOptions): Promise<void> {
  const { loaded, stop } = options;
  const conf = requireZmConf(loaded.config.zoneminder.config);
  // Before the first file of ours is opened: data belongs to the web server's user.
  const user = becomeUser(conf.values.get("ZM_WEB_USER"), conf.values.get("ZM_WEB_GROUP"));
  if (user !== null) requireOwnFiles(user);
  const log = createLogger(consoleOf(options, loaded.config));
  const serviceManager = createServiceManager({
    environment: takeServiceEnvironment(process.env),
    clock: options.clock,
    logger: log.logger,
  });
  stop.addEventListener("abort", serviceManager.stopping, { once: true });
  const crashed = Promise.withResolvers<never>();
  crashed.promise.catch(() => undefined); // between two runs nobody else listens
  let live: LiveConfig | null = null;
  const onCrash = (failure: unknown): void => crashed.reject(failure);
  const onRotate = (): void => log.reopen();
  const onHangup = (): void => {
    log.reopen();
    live?.reload("signal HUP");
  };
  process.on("uncaughtException", onCrash).on("unhandledRejection", onCrash);
  // ZoneMinder up to 1.39.21 rotates logs with HUP, later releases with WINCH.
  process.on("SIGHUP", onHangup).on("SIGWINCH", onRotate);
  try {
    await runs(options, {
      ...options,
      log,
      serviceManager,
      stopped: aborted(stop),
      crashed: crashed.promise,
      onConsoleChange: (config) => void log.replace("terminal", consoleOf(options, config)[0] ?? null),
      onLive: (now) => {
        live = now;
      },
    });
  } catch (failure) {
    if (stop.aborted) return;
    report(log, failure);
    throw failure;
  } finally {
    await log.close();
    process.off("SIGHUP", onHangup).off("SIGWINCH", onRotate);
    process.off("uncaughtException", onCrash).off("unhandledRejection", onCrash);
  }
}

/** A restart that fails because of what has changed goes back to what ran before, once. */
async function runs({ loaded }: ServeOptions, options: Omit<OneRunOptions, "loaded">): Promise<void> {
  const { log, stop, onConsoleChange } = options;
  let before: LoadedConfig | null = null;
  let next: LoadedConfig | null = loaded;
  while (next !== null) {
    const current: LoadedConfig = next;
    if (before !== null) onConsoleChange(current.config);
    try {
      next = await oneRun({ ...options, loaded: current });
      before = current;
    } catch (failure) {
      if (!(failure instanceof AppError) || before === null || stop.aborted) throw failure;
      log.logger.error(`${failure.message}. ${failure.hint} [${failure.code}]`);
      log.logger.error("The server goes on with the configuration it had before the restart");
      next = before;
      before = null;
    }
  }
}

/** What zmdc.pl's children print ends in its own log: there the console speaks only when asked to. */
function consoleOf({ debug, underZmdc }: ServeOptions, config: Config): LogDestination[] {
  const { verbose, console_logs } = config.customize;
  const { format, level } = config.logging;
  if (underZmdc && !debug && !verbose && !console_logs && format !== "json") return [];
  return [createTerminal({ level: debug ? "debug" : level, format })];
}

/** Some of the program is loaded later (the store's thread, character sets): it must be readable without root. */
function requireOwnFiles(user: string): void {
  const own = fileURLToPath(import.meta.url);
  try {
    accessSync(own, constants.R_OK);
  } catch (failure) {
    throw new AppError(
      "PROGRAM_UNREADABLE",
      { user, path: path.dirname(own), problem: reasonOf(failure) },
      failure,
    );
  }
}

function report({ logger }: Log, failure: unknown): void {
  if (failure instanceof AppError) logger.fatal(`${failure.message}. ${failure.hint} [${failure.code}]`);
  else logger.fatal({ err: failure }, "The program failed and ends; whoever supervises it starts it again");
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
