import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually } from "../support/eventually.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-check-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// The check runs behind everything else, so that a machine without a moment to spare hardly lets it begin: a minute.

test("the check ends with the program that began it, also when that is killed", async () => {
  // Opening it takes for ever.
  const file = join(folder, "zmes.db");
  execFileSync("mkfifo", [file]);
  const module = new URL("../../src/store/file-check.ts", import.meta.url);
  const program = `const { startFileCheck } = await import(${JSON.stringify(module)});
    startFileCheck(${JSON.stringify(file)}, () => undefined);
    setInterval(() => undefined, 1000);`;
  const begun = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore" });
  const check = await eventually(() => childOf(begun.pid));
  expect(readFileSync(`/proc/${check}/cmdline`, "utf8")).toContain(file);
  begun.kill("SIGKILL");
  await vi.waitFor(() => expect(isRunning(check)).toBe(false), 60_000);
}, 90_000);

/** Once it runs its own program. */
function childOf(pid: number | undefined): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  expect(child).toBeGreaterThan(0);
  expect(readFileSync(`/proc/${child}/cmdline`, "utf8")).toContain("file-check-process");
  return child;
}

function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}
