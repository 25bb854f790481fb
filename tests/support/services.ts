/** A private MariaDB for a test: the one that `npm test` started for everybody, or one of the test's own. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Somebody said by name that this machine has no services: their tests are skipped instead of failing. */
export const servicesSkipped = process.env.ZMES_TEST_SKIP_SERVICES === "1";

/** A running MariaDB: user `root` without a password, no network. */
export interface Mariadb {
  readonly socketPath: string;
  /** Takes the server away from everybody who is connected; the data stays. Only for a server of the test's own. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The test is done with it. */
  close(): Promise<void>;
}

/** The MariaDB that `npm test` shares among all test files, or else one of our own. Each file makes a database of its own name. */
export async function sharedMariadb(): Promise<Mariadb> {
  const socketPath = process.env.ZMES_TEST_MARIADB_SOCKET;
  if (socketPath === undefined || socketPath === "") return await ownMariadb();
  const refuse = () => Promise.reject(new Error("The shared MariaDB cannot be paused: use ownMariadb()."));
  return { socketPath, pause: refuse, resume: refuse, close: async () => {} };
}

/** A MariaDB for one test file alone, which may stop and start it. */
export async function ownMariadb(): Promise<Mariadb> {
  const parent = process.env.ZMES_TEST_SERVICES ?? tmpdir();
  const directory = await mkdtemp(join(parent, "zmes-mariadb-"));
  await chmod(directory, 0o755);
  await mariadb("start", directory);
  return {
    socketPath: join(directory, "mariadb.sock"),
    pause: async () => await mariadb("stop", directory),
    resume: async () => await mariadb("start", directory),
    close: async () => {
      await mariadb("stop", directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const run = promisify(execFile);

async function mariadb(command: "start" | "stop", directory: string): Promise<void> {
  await run("bash", [join(import.meta.dirname, "../../scripts/services/mariadb.sh"), command, directory]);
}
