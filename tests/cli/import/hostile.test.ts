/** `zmes import` by root, of settings that somebody wrote who is the web server's user. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importReport } from "../../../src/cli/import/report.ts";
import { machine, planFor } from "./support.ts";

test("nothing in the original's file moves the cursor of the terminal that shows the report", async () => {
  const root = machine(null, {
    "etc/zm/zmeventnotification.ini":
      "[ssl]\nenable = no\n\u001b]0;x\u0007key = 1\n[hook]\nevent_start_hook = /tmp/x\u001b[2Jy\n" +
      "[customize]\nuse_hooks = yes\nes_rules = /tmp/\u009b31mrules\n",
  });
  const report = importReport(await planFor(root));
  expect(report).toContain("\\u001b[2Jy");
  expect(report).not.toMatch(/[\p{Cc}--\n]/v);
});

test("a pipe that the original's file names keeps nobody waiting", () => {
  const root = machine(null, {
    "etc/zm/zmeventnotification.ini":
      "[general]\nsecrets = /pipe\n[ssl]\nenable = no\n[customize]\nes_rules = /pipe\n[fcm]\ntoken_file = /pipe\n",
  });
  spawnSync("mkfifo", [join(root, "pipe")]);
  const main = join(import.meta.dirname, "../../../src/main.ts");
  const { status } = spawnSync(process.execPath, [main, "import", "--root", root], { timeout: 20_000 });
  expect(status).toBe(0);
});
