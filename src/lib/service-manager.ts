// Tells systemd that the program is ready, that it still does its work, and that it stops (sd_notify(3)).
import { spawn } from "node:child_process";
import type { Clock } from "./clock.ts";
import { reasonOf } from "./errors.ts";
import type { Logger } from "./log.ts";

export interface ServiceManager {
  /** Everything is up. Told once, after the work has been done for the first time as well. */
  ready(): void;
  /** The work was done once more: whoever calls this is what the watchdog watches. Cheap, may be called very often. */
  alive(): void;
  /** The program begins to stop. */
  stopping(): void;
}

/** What systemd gave the program to know; read and taken away before anything else is started. */
export interface ServiceEnvironment {
  readonly socket: string;
  /** Without a sign of life for this long, systemd ends the program; null: it does not watch. */
  readonly watchdogMs: number | null;
}

export interface ServiceManagerOptions {
  /** null: nobody wants to know, and nothing is ever done. */
  readonly environment: ServiceEnvironment | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Takes systemd's variables out of the environment, so that people's scripts cannot speak for the program by
 * accident. null when it was not started by a service manager that wants to be told.
 */
export function takeServiceEnvironment(
  env: Record<string, string | undefined>,
  pid: number = process.pid,
): ServiceEnvironment | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = env;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  if (!socket) return null;
  const ms = Number(usec) / 1000;
  const isForUs = watched === undefined || Number(watched) === pid;
  return { socket, watchdogMs: isForUs && Number.isFinite(ms) && ms > 0 ? ms : null };
}

/** Node has no unix datagram sockets: systemd's own program sends each message. Needs NotifyAccess=all in the unit. */
export function createServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { environment, clock, logger } = options;
  if (environment === null) return { ready() {}, alive() {}, stopping() {} };
  const { socket, watchdogMs } = environment;
  const pauseMs = watchdogMs === null ? null : watchdogMs / SIGNS_PER_WATCHDOG;
  const waiting: string[] = [];
  let isSending = false;
  let complained = false;
  let isUp = false;
  let hasWorked = false;
  let isReady = false;
  let signAt = 0;

  return {
    ready() {
      isUp = true;
      tellReady();
    },
    alive() {
      hasWorked = true;
      tellReady();
      if (!isReady || pauseMs === null) return;
      const now = clock.monotonic();
      // A sign that could not be sent yet is as good as a second one.
      if (now < signAt || isSending) return;
      signAt = now + pauseMs;
      send("WATCHDOG=1");
    },
    stopping() {
      if (isReady) send("STOPPING=1");
    },
  };

  function tellReady(): void {
    if (isReady || !isUp || !hasWorked) return;
    isReady = true;
    send("READY=1");
  }

  /** One after the other: the order matters. */
  function send(message: string): void {
    waiting.push(message);
    if (!isSending) next();
  }

  function next(): void {
    const message = waiting.shift();
    isSending = message !== undefined;
    if (message === undefined) return;
    const env = { NOTIFY_SOCKET: socket, PATH: process.env.PATH };
    const child = spawn("systemd-notify", [message], { env, stdio: "ignore", timeout: SEND_TIMEOUT_MS });
    child.on("error", (failure) => complain(message, reasonOf(failure)));
    child.on("exit", (code, signal) => {
      if (code !== 0) complain(message, `systemd-notify ended with ${code ?? signal}`);
    });
    child.on("close", next);
  }

  function complain(message: string, reason: string): void {
    if (complained) return;
    complained = true;
    logger.warn(`The service manager could not be told "${message}": ${reason}`);
  }
}

/** Two may get lost on a busy machine. */
const SIGNS_PER_WATCHDOG = 3;
/** systemd-notify waits for systemd's answer for at most 5 s by itself; a machine may be slow besides. */
const SEND_TIMEOUT_MS = 10_000;
