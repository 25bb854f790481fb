// Reads a file with the rights of the server's user: root must not be led through a link that this user put there.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { type FileText, readTextFile } from "../config/config-file.ts";

/** As root, the text as `user` can read it; otherwise as we can. Never throws. */
export async function readAsServer(file: string, user: string): Promise<FileText> {
  if (process.getuid?.() !== 0 || user === "root") return readTextFile(file);
  if (!existsSync(file)) return { ok: false, absent: true, why: "it does not exist" };
  try {
    const options = { timeout: RUN_MS, maxBuffer: MOST_BYTES, cwd: "/" };
    const { stdout } = await promisify(execFile)("runuser", ["-u", user, "--", "cat", "--", file], options);
    return { ok: true, text: stdout };
  } catch {
    return { ok: false, absent: false, why: `${user}, the server's user, cannot read it` };
  }
}

const RUN_MS = 5_000;
/** As large as any file of settings may be (src/config/config-file.ts); ten thousand phones are under 4 MB. */
const MOST_BYTES = 4_194_304;
