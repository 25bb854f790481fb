/** This machine's files and programs once more: what is installed, changed or started there ends with it, seen by nobody. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";

export interface PrivateFiles {
  /** Runs a program that sees them; gives what it wrote to stdout, and fails as execFile does. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  stop(): void;
}

/**
 * /etc, /usr and /var become overlays, their changes a tmpfs; /run, /dev/shm and processes are its own. /tmp and the network
 * are the machine's: nothing that cleans up or boots may run in there. Root only.
 */
export async function createPrivateFiles(
  environment: Readonly<Record<string, string>> = {},
): Promise<PrivateFiles> {
  const folder = mkdtempSync(join(tmpdir(), "zmes-private-"));
  const keeper = spawn("unshare", [...NAMESPACES, "sh", "-euc", MOUNTS, "sh", folder], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [keeper.stdout, keeper.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
  await eventually(() => {
    if (keeper.exitCode !== null) throw new Error(`no private files (needs root): ${said}`);
    if (!said.includes("ready")) throw new Error("not mounted yet");
  });
  const env = { ...process.env, ...environment };
  const first = firstProcess(keeper);
  return {
    async run(program, ...args) {
      const inside = ["--target", first, "--mount", "--pid", "--wd=/", "--", program, ...args];
      return (await promisify(execFile)("nsenter", inside, { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
    },
    stop() {
      keeper.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its first process ends with us, and all others with that one. */
const NAMESPACES = [
  ...["--mount", "--propagation", "private"],
  ...["--pid", "--fork", "--kill-child", "--mount-proc"],
];

/** The first process inherits all orphans: with CHLD ignored (execve(2) keeps that) the kernel clears them away. */
const MOUNTS = `
  mount -t tmpfs -o mode=755 changes "$1"
  for name in etc usr var; do
    mkdir "$1/$name" "$1/$name.work"
    mount -t overlay -o "lowerdir=/$name,upperdir=$1/$name,workdir=$1/$name.work" overlay "/$name"
  done
  mount -t tmpfs -o mode=755 run /run
  mount -t tmpfs -o mode=1777 shm /dev/shm
  echo ready
  exec env --ignore-signal=CHLD cat >/dev/null`;

function firstProcess({ pid }: ChildProcess): string {
  if (pid === undefined) throw new Error("unshare did not start");
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
}
