// A private mosquitto for tests: own folder, own configuration, free ports on 127.0.0.1. Never the system's broker.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

const PROGRAMS = { server: "mosquitto", passwords: "mosquitto_passwd" };
/** Where Debian puts the broker; it is often not on PATH. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
const START_MS = 20_000;

export interface MosquittoOptions {
  /** User and password that are asked for; without it everybody is let in. */
  readonly login?: { readonly username: string; readonly password: string };
  /** With a login: whether guests are let in all the same. */
  readonly guests?: boolean;
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  readonly websockets?: boolean;
  /** Keeps sessions and messages over a stop, as brokers with a disk do. */
  readonly keeps?: boolean;
  /** Lines of an ACL file. */
  readonly acl?: readonly string[];
}

export interface Mosquitto {
  readonly port: number;
  /** What it has written to its log so far. */
  log(): string;
  /** Ends it like a service manager; what it kept is gone, as with a broker that has no disk, unless it `keeps`. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Makes it hang: connections stay open, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Stops it and removes everything. */
  stop(): Promise<void>;
}

/**
 * True when tests that need mosquitto may be left out: it is not installed and ZMES_TEST_SKIP_SERVICES=1 allows it.
 * For describe.skipIf; says once what is missing.
 */
export function mosquittoMayBeSkipped(): boolean {
  const skip = process.env.ZMES_TEST_SKIP_SERVICES === "1" && missing() !== null;
  if (skip) console.warn(`SKIPPED: ${missing()} (ZMES_TEST_SKIP_SERVICES=1 allows leaving these tests out.)`);
  return skip;
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const problem = missing();
  if (problem) throw new Error(`${problem} Set ZMES_TEST_SKIP_SERVICES=1 to leave these tests out.`);
  const folder = mkdtempSync(join(tmpdir(), "zmes-mosquitto-"));
  const port = await freePort();
  let child: ChildProcess | null = null;
  const clean = () => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  const lines = configLines(folder, port, options.websockets ? await freePort() : null, options);
  writeFileSync(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);

  const stopServer = async () => {
    const running = child;
    child = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGCONT");
    running.kill("SIGTERM");
    await gone;
  };
  const startServer = async () => {
    child = spawn(PROGRAMS.server, ["-c", join(folder, "mosquitto.conf")], {
      stdio: "ignore",
      env: { ...process.env, PATH },
    });
    await answering(child, port, () => logOf(folder));
  };
  await startServer().catch((failure: unknown) => {
    clean();
    throw failure;
  });
  return {
    port,
    log: () => logOf(folder),
    stopServer,
    startServer,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    async stop() {
      await stopServer();
      process.off("exit", clean);
      clean();
    },
  };
}

function missing(): string | null {
  for (const program of Object.values(PROGRAMS)) {
    const found = PATH.split(":").some((folder) => existsSync(join(folder, program)));
    if (!found)
      return `These tests need mosquitto and ${program} was not found (Debian: apt install mosquitto).`;
  }
  return null;
}

function configLines(
  folder: string,
  port: number,
  spare: number | null,
  options: MosquittoOptions,
): string[] {
  const { login, tls, acl } = options;
  const lines = [
    `persistence ${options.keeps === true}`,
    `persistence_location ${folder}/`,
    `log_dest file ${join(folder, "log")}`,
    "log_type all",
    `listener ${port} 127.0.0.1`,
    `allow_anonymous ${login === undefined || options.guests === true}`,
  ];
  // It would become another user when started by root, who may not read the folder of the test.
  if (process.getuid?.() === 0) lines.unshift("user root");
  if (spare !== null) lines.push("protocol websockets");
  if (tls) lines.push(`certfile ${tls.cert}`, `keyfile ${tls.key}`);
  if (tls?.clientCa) lines.push(`cafile ${tls.clientCa}`, "require_certificate true");
  // 2.0.11 does not start with WebSocket listeners alone.
  if (spare !== null) lines.push(`listener ${spare} 127.0.0.1`);
  if (login) {
    const file = join(folder, "passwords");
    execFileSync(PROGRAMS.passwords, ["-b", "-c", file, login.username, login.password], {
      env: { ...process.env, PATH },
      stdio: "ignore",
    });
    lines.push(`password_file ${file}`);
  }
  if (acl) {
    writeFileSync(join(folder, "acl"), `${acl.join("\n")}\n`, { mode: 0o600 });
    lines.push(`acl_file ${join(folder, "acl")}`);
  }
  return lines;
}

function logOf(folder: string): string {
  return existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8") : "";
}

async function answering(child: ChildProcess, port: number, log: () => string): Promise<void> {
  const isOpen = (): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
    return promise;
  };
  const isOver = () => child.exitCode !== null;
  if (await until(isOpen, { everyMs: 20, atMostMs: START_MS, isOver })) return;
  throw new Error(`mosquitto did not start:\n${log().slice(-2000)}`);
}
