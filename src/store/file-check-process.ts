// Checks a whole store from end to end, in a process of its own: a large one takes many seconds, and unlike a thread a
// process can be ended in the middle of it. Its exit code is the answer.
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker } from "node:worker_threads";
import { isDamage } from "./database.ts";
import { CHECKED } from "./file-check.ts";

if (isMainThread) watchOver(new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) }));
else process.exit(check(process.argv[2] ?? ""));

/** Our input ends with the program that started us, however that ended: nobody is left to hear the answer then. */
function watchOver(checking: Worker): void {
  checking.on("exit", (code) => process.exit(code));
  process.stdin.on("close", () => process.kill(process.pid, "SIGKILL")).resume();
}

function check(path: string): number {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    const found = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    database.close();
    return found === "ok" ? CHECKED.whole : CHECKED.damaged;
  } catch (failure) {
    return isDamage(failure) ? CHECKED.damaged : CHECKED.unknown;
  }
}
