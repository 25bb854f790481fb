// A private MariaDB for tests: own folder, own socket, optionally a free TCP port. Never the system's server.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { systemClock } from "../../src/lib/clock.ts";
import type { Logger } from "../../src/lib/log.ts";
import { createDatabase, type Database } from "../../src/zoneminder/database.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

const fixtures = new URL("../fixtures/schemas/", import.meta.url);
const PROGRAMS = { server: "mariadbd", install: "mariadb-install-db", client: "mariadb" };
const PACKAGE_SCHEMA = "/usr/share/zoneminder/db/zm_create.sql";
/** Where Debian and others put the server; it is often not on PATH. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin:/usr/libexec`;
const START_MS = 20_000;

export type SchemaVersion = "1.30" | "1.34" | "1.36" | "1.37.27" | "1.38";

export interface Mariadb {
  readonly socket: string;
  /** 0 when the server does not listen on TCP. */
  readonly port: number;
  /** Runs statements as the administrator and returns the output, tab-separated. */
  sql(text: string, database?: string): string;
  /** Makes an empty ZoneMinder database of that version; user zmuser, password zmpass may use it. */
  createZoneMinder(database: string, version: SchemaVersion): void;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Makes the server hang, as a host that went away does: every thread stands still when it returns. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Stops the server and removes everything. */
  stop(): Promise<void>;
}

/**
 * True when tests that need MariaDB may be left out: it is not installed and ZMES_TEST_SKIP_SERVICES=1 allows it.
 * For describe.skipIf; says once what is missing.
 */
export function mariadbMayBeSkipped(): boolean {
  const skip = process.env.ZMES_TEST_SKIP_SERVICES === "1" && missing() !== null;
  if (skip) console.warn(`SKIPPED: ${missing()} (ZMES_TEST_SKIP_SERVICES=1 allows leaving these tests out.)`);
  return skip;
}

/** Starts a server of its own; `tcp` adds a free port on 127.0.0.1, `args` go to mariadbd. */
export async function startMariadb(options: { tcp?: boolean; args?: string[] } = {}): Promise<Mariadb> {
  const problem = missing();
  if (problem) throw new Error(`${problem} Set ZMES_TEST_SKIP_SERVICES=1 to leave these tests out.`);
  const folder = mkdtempSync(join(tmpdir(), "zmes-mariadb-"));
  let child: ChildProcess | null = null;
  const clean = () => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  // The server drops to another user when started by root and must get through this folder.
  chmodSync(folder, 0o755);
  const owner = process.getuid?.() === 0 ? ["--user=mysql"] : [];
  if (owner.length > 0) execFileSync("chown", ["mysql", folder]);
  execFileSync(PROGRAMS.install, [...installArgs(folder), ...owner], { env: { ...process.env, PATH } });
  const socket = join(folder, "s");
  const port = options.tcp ? await freePort() : 0;
  const args = [...serverArgs(folder, port), ...owner, ...(options.args ?? [])];

  const sql = (text: string, database?: string) => {
    const client = ["--no-defaults", "-uroot", `-S${socket}`, "-N", "--default-character-set=utf8mb4"];
    const run = spawnSync(PROGRAMS.client, [...client, ...(database ? [database] : [])], { input: text });
    if (run.status !== 0) throw new Error(`The statements failed: ${run.stderr}\n${text.slice(0, 500)}`);
    return run.stdout.toString();
  };
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
    // Another one in the same folder would leave nobody to end the first.
    if (child !== null && child.exitCode === null && child.signalCode === null) return;
    child = spawn(PROGRAMS.server, args, { stdio: "ignore", env: { ...process.env, PATH } });
    await answering(child, socket, join(folder, "log"));
  };
  await startServer();
  sql("CREATE USER zmuser@localhost IDENTIFIED BY 'zmpass', zmuser@'127.0.0.1' IDENTIFIED BY 'zmpass'");

  return {
    socket,
    port,
    sql,
    createZoneMinder(database, version) {
      sql(
        `CREATE DATABASE \`${database}\` CHARACTER SET utf8mb4; GRANT ALL ON \`${database}\`.* TO zmuser@localhost, zmuser@'127.0.0.1'`,
      );
      sql(schemaText(version), database);
    },
    stopServer,
    startServer,
    async freeze() {
      child?.kill("SIGSTOP");
      const hasStopped = await until(() => allThreadsStopped(child?.pid), { everyMs: 5, atMostMs: START_MS });
      if (!hasStopped) throw new Error("MariaDB goes on although it was stopped");
    },
    thaw: () => void child?.kill("SIGCONT"),
    async stop() {
      await stopServer();
      process.off("exit", clean);
      clean();
    },
  };
}

/** A connection of the product to a database of that server; the test stops it. */
export function openDatabase(
  server: Mariadb,
  database: string,
  logger: Logger = pino({ level: "silent" }),
): Database {
  const target = {
    sockets: [server.socket],
    tcp: null,
    database,
    user: "zmuser",
    password: "zmpass",
    tls: null,
  };
  return createDatabase(target, { logger, clock: systemClock });
}

function missing(): string | null {
  for (const program of Object.values(PROGRAMS)) {
    const found = PATH.split(":").some((folder) => existsSync(join(folder, program)));
    if (!found)
      return `These tests need MariaDB and ${program} was not found (Debian: apt install mariadb-server).`;
  }
  return existsSync(PACKAGE_SCHEMA)
    ? null
    : `These tests need the schema of ZoneMinder 1.36 at ${PACKAGE_SCHEMA} (Debian: apt install zoneminder).`;
}

function installArgs(folder: string): string[] {
  const quick = ["--innodb-log-file-size=8M", "--skip-test-db", "--auth-root-authentication-method=normal"];
  return ["--no-defaults", `--datadir=${folder}/data`, `--tmpdir=${folder}`, ...quick];
}

function serverArgs(folder: string, port: number): string[] {
  const network = port > 0 ? ["--bind-address=127.0.0.1", `--port=${port}`] : ["--skip-networking"];
  return [
    "--no-defaults",
    `--datadir=${folder}/data`,
    // Each server sweeps its folder for temporary files at start: a shared one would lose those of the others.
    `--tmpdir=${folder}`,
    `--socket=${folder}/s`,
    `--pid-file=${folder}/pid`,
    `--log-error=${folder}/log`,
    "--skip-log-bin",
    "--performance-schema=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=0",
    ...network,
  ];
}

/** The package's own file for 1.36, without its choice of a database; ours for the others. */
function schemaText(version: SchemaVersion): string {
  if (version !== "1.36") return readFileSync(new URL(`${version}.sql`, fixtures), "utf8");
  return readFileSync(PACKAGE_SCHEMA, "utf8").replace(/^(CREATE DATABASE|USE) .*$/gm, "");
}

async function answering(child: ChildProcess, socket: string, log: string): Promise<void> {
  const ping = ["--no-defaults", "-uroot", `-S${socket}`, "-e", "SELECT 1"];
  const answers = () => spawnSync(PROGRAMS.client, ping).status === 0;
  const isOver = () => child.exitCode !== null;
  if (await until(answers, { everyMs: 50, atMostMs: START_MS, isOver })) return;
  throw new Error(`MariaDB did not start:\n${existsSync(log) ? readFileSync(log, "utf8").slice(-2000) : ""}`);
}

/** The signal reaches the threads one after the other: one that still runs could answer. */
function allThreadsStopped(pid: number | undefined): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((task) => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, "utf8")));
}
