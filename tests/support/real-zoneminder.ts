/** A real ZoneMinder with three synthetic cameras, driven through scripts/real-zoneminder.sh (which says what they do). */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { vi } from "vitest";

/**
 * True when the tests against the real ZoneMinder may be left out: somebody said so by name, or allowed it for services that
 * this machine lacks. For describe.skipIf; says why.
 */
export function realZoneMinderMayBeSkipped(): boolean {
  if (process.env.ZMES_TEST_SKIP_REAL_ZONEMINDER === "1") return true;
  if (process.env.ZMES_TEST_SKIP_SERVICES !== "1") return false;
  const { status, stderr } = spawnSync("bash", [path, "usable"], { encoding: "utf8" });
  if (status !== 0) console.warn(`SKIPPED: ${stderr.trim()} (ZMES_TEST_SKIP_SERVICES=1 allows it.)`);
  return status !== 0;
}

/**
 * Takes the machine's ZoneMinder over and starts its cameras, or all of it with the option for event notification on;
 * refuses with the reason where it is not ours to take.
 */
export async function up(kind: "cameras" | "package" = "cameras"): Promise<void> {
  await takeTurn();
  try {
    await script("up", kind);
  } catch (error) {
    endTurn();
    const reason = (error as { readonly stderr?: string }).stderr?.trim() ?? String(error);
    throw new Error(`${reason}\nZMES_TEST_SKIP_REAL_ZONEMINDER=1 leaves out the tests against it.`);
  }
}

/** Where ZoneMinder looks for its programs, and for zmeventnotification.pl. */
export const BIN_FOLDER = "/var/lib/zmes-test-zoneminder/run/bin";
/** Where it and its daemons log. */
export const LOG_FOLDER = "/var/lib/zmes-test-zoneminder/run/log";

/** `zmpkg.pl COMMAND`; `environment` is what the daemons then find. */
export async function zmpkg(
  command: "start" | "stop" | "restart" | "logrot",
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  await scriptIn(environment, "package", command);
}

/** `zmdc.pl COMMAND zmeventnotification.pl`; gives what it printed. */
export async function zmdc(command: "status" | "restart" | "stop" | "start"): Promise<string> {
  return script("daemon", command);
}

/** Stops it and puts the machine's configuration back. */
export async function down(): Promise<void> {
  await script("down");
  endTurn();
}

/** For `beforeAll`: `up` waits while another file of tests uses ZoneMinder. */
export const UP_MS = 420_000;

/** Holds the lock until its input ends, and that does not outlive us. */
let turn: ChildProcess | undefined;

/** Waits until no other file of tests uses ZoneMinder: its daemons end all others of their names, in whatever namespace. */
export async function takeTurn(): Promise<void> {
  const lock = join(tmpdir(), "zmes-real-zoneminder.lock");
  turn = spawn("flock", [lock, "sh", "-c", "echo mine; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (turn.stdout !== null) await once(turn.stdout, "data");
}

export function endTurn(): void {
  turn?.stdin?.end();
}

/** What `zmu -a` and the web page's button do. */
export async function forceAlarm(monitorId: number): Promise<void> {
  await script("alarm", String(monitorId));
}

/** Ends a forced alarm and waits until the camera is at rest: an alarm before that would continue the same event. */
export async function cancelAlarm(monitorId: number): Promise<void> {
  await script("cancel", String(monitorId));
  await untilState(monitorId, ["IDLE", "TAPE"]);
}

/** Waits until ZoneMinder itself says that the camera is in one of these states. */
export async function untilState(monitorId: number, states: readonly string[]): Promise<void> {
  await vi.waitFor(
    async () => {
      const state = await script("state", String(monitorId));
      if (!states.includes(state)) throw new Error(`camera ${monitorId} is ${state}`);
    },
    { timeout: 20_000, interval: 100 },
  );
}

/** The shared memory file of a camera. */
export function cameraFile(monitorId: number): string {
  return `/dev/shm/zmes-test-zoneminder/zm.mmap.${monitorId}`;
}

/** Restarts the camera's process. It returns at once; the new process takes a second or two. */
export async function restartCamera(monitorId: number): Promise<void> {
  await script("restart", String(monitorId));
}

/** Takes the database away from ZoneMinder and from everybody else. */
export async function stopDatabase(): Promise<void> {
  await script("database", "stop");
}

/** Gives the database back. */
export async function startDatabase(): Promise<void> {
  await script("database", "start");
}

/** Asks ZoneMinder's database; one array of columns per row. */
export async function query(sql: string): Promise<readonly (readonly string[])[]> {
  const output = await script("sql", sql);
  return output === "" ? [] : output.split("\n").map((line) => line.split("\t"));
}

const path = join(import.meta.dirname, "../../scripts/real-zoneminder.sh");
const run = promisify(execFile);

/** One owner per test run, so that two runs on one machine do not pull ZoneMinder away from each other. */
const owner = process.env.ZMES_REAL_ZONEMINDER_OWNER ?? String(process.pid);

async function script(...args: readonly string[]): Promise<string> {
  return scriptIn({}, ...args);
}

async function scriptIn(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<string> {
  const { stdout } = await run("bash", [path, ...args], {
    env: { ...process.env, ...environment, ZMES_REAL_ZONEMINDER_OWNER: owner },
  });
  return stdout.trim();
}
