// Checks a whole store from end to end, in a process of its own: a large one takes many seconds, and unlike a thread a
// process can be ended in the middle of it. Its exit code is the answer.
// biome-ignore lint/correctness/noUnresolvedImports: Biome does not know this module of Node 24 yet
import { DatabaseSync } from "node:sqlite";
import { isDamage } from "./database.ts";
import { CHECKED } from "./file-check.ts";

process.exitCode = check(process.argv[2] ?? "");

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
