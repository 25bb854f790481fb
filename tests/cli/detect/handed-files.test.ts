import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { handOver } from "../../../src/cli/detect/handed-files.ts";
import { temporaryFolder } from "../../support/folders.ts";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

/** Started by root, it becomes nobody, as `zmes detect` becomes the web user; otherwise it stays who it is. */
const AS_NOBODY = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { handOver } from "./src/cli/detect/handed-files.ts";
  const [file, drawTo, shared] = process.argv.slice(1);
  const becomeNobody = () => { if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); } };
  const files = await handOver({ file, drawTo }, shared, becomeNobody);
  writeFileSync(files.drawTo, "drawn from " + readFileSync(files.file, "utf8"));
  files.finish();`;

test("what only root can read is looked at, and what is drawn comes to where only root can write", () => {
  const [secret, shared] = [join(folder, "secret"), join(folder, "shared")];
  mkdirSync(secret, { mode: 0o700 });
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  chmodSync(folder, 0o755);
  writeFileSync(join(secret, "a.jpg"), "a picture");
  const drawn = join(secret, "drawn.jpg");
  const argv = ["--input-type=module", "-e", AS_NOBODY, "--", join(secret, "a.jpg"), drawn, shared];
  execFileSync(process.execPath, argv, { cwd: join(import.meta.dirname, "../../..") });
  expect(readFileSync(drawn, "utf8")).toBe("drawn from a picture");
  expect(readdirSync(shared)).toEqual([]);
});

test("a file that is not there is said before anything else is done", async () => {
  const rights = () => expect.unreachable();
  await expect(handOver({ file: join(folder, "none.jpg"), drawTo: null }, folder, rights)).rejects.toThrow(
    `${join(folder, "none.jpg")} cannot be read: it does not exist`,
  );
});
