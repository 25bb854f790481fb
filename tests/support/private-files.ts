/** This machine's files once more: what is installed or changed in there is seen by nobody else, and gone at the end. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { vi } from "vitest";

export interface PrivateFiles {
  /** Runs a program that sees them; gives what it wrote to stdout, and fails as execFile does. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  stop(): void;
}

/**
 * /etc, /usr and /var become overlays, their changes a tmpfs, in a mount namespace of their own. Everything else (/tmp,
 * /run, /dev/shm, processes, the network) is the machine's: nothing that cleans up or boots may run in there. Root only.
 */
export async function createPrivateFiles(
  environment: Readonly<Record<string, string>> = {},
): Promise<PrivateFiles> {
  const folder = mkdtempSync(join(tmpdir(), "zmes-private-"));
  const keeper = spawn(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-euc", MOUNTS, "sh", folder],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [keeper.stdout, keeper.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
  await vi.waitFor(() => {
    if (keeper.exitCode !== null) throw new Error(`no private files (needs root): ${said}`);
    if (!said.includes("ready")) throw new Error("not mounted yet");
  }, 5_000);
  const env = { ...process.env, ...environment };
  return {
    async run(program, ...args) {
      const inside = ["--target", pidOf(keeper), "--mount", "--wd=/", "--", program, ...args];
      return (await promisify(execFile)("nsenter", inside, { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
    },
    stop() {
      keeper.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ends with its input, and so with whoever started it. */
const MOUNTS = `
  mount -t tmpfs -o mode=755 changes "$1"
  for name in etc usr var; do
    mkdir "$1/$name" "$1/$name.work"
    mount -t overlay -o "lowerdir=/$name,upperdir=$1/$name,workdir=$1/$name.work" overlay "/$name"
  done
  echo ready
  exec cat >/dev/null`;

function pidOf({ pid }: ChildProcess): string {
  if (pid === undefined) throw new Error("unshare did not start");
  return String(pid);
}
