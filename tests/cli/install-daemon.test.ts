import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installDaemon } from "../../src/cli/install-daemon.ts";
import { testIo } from "../support/command-io.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-install-daemon-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "conf.d"));
  writeFileSync(join(folder, "zm.conf"), "ZM_WEB_USER=www-data\n");
  writeFileSync(join(folder, "zmes.yml"), `zoneminder:\n  config: ${join(folder, "zm.conf")}\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const list = () => join(folder, "state/made-files");
const daemon = () => join(folder, "bin/zmeventnotification.pl");

async function run(...argv: string[]) {
  const io = testIo({ ZMES_MADE_FILES: list() });
  const code = await installDaemon.run(argv, io);
  return { code, out: io.out(), err: io.err() };
}

test("the folder is the one that ZoneMinder's configuration names", async () => {
  writeFileSync(join(folder, "conf.d/01-system-paths.conf"), `ZM_PATH_BIN=${join(folder, "bin")}\n`);
  const { code, out } = await run("--config", join(folder, "zmes.yml"));
  expect(code).toBe(0);
  expect(out).toContain("OPT_USE_EVENTNOTIFICATION");
  expect(readFileSync(daemon(), "utf8")).toContain("/src/main.ts");
});

test("where it names none, --path is asked for", async () => {
  const { code, err } = await run("--config", join(folder, "zmes.yml"));
  expect(code).toBe(1);
  expect(err).toContain("--path");
});

test("what was made is noted once, for the removal of the package, and forgotten when it is gone", async () => {
  await run("--path", join(folder, "bin"));
  await run("--path", join(folder, "bin"));
  expect(readFileSync(list(), "utf8")).toBe(`daemon ${daemon()}\n`);
  expect((await run("--uninstall", "--path", join(folder, "bin"))).code).toBe(0);
  expect(readFileSync(list(), "utf8")).toBe("");
  expect(existsSync(daemon())).toBe(false);
});

test("an original that would be lost is refused with its code", async () => {
  writeFileSync(daemon(), "one");
  writeFileSync(`${daemon()}.zmes-original`, "another");
  const { code, err } = await run("--path", join(folder, "bin"));
  expect(code).toBe(1);
  expect(err).toContain("[DAEMON_BACKUP_DIFFERS]");
});

test("called wrongly it says so", async () => {
  expect((await run("now")).code).toBe(2);
  expect((await run("--pth")).code).toBe(2);
});

test("ZoneMinder's user may run the file, whatever umask root works with", async () => {
  const umask = process.umask(0o077);
  try {
    await run("--path", join(folder, "bin"));
  } finally {
    process.umask(umask);
  }
  expect(statSync(daemon()).mode & 0o777).toBe(0o755);
});

test("an original that an upgrade put there again stays, and the older copy of it is named", async () => {
  writeFileSync(daemon(), "one");
  await run("--path", join(folder, "bin"));
  writeFileSync(daemon(), "two");
  const { code, out } = await run("--uninstall", "--path", join(folder, "bin"));
  expect(code).toBe(0);
  expect(out).toContain("is still kept as");
  expect(readFileSync(daemon(), "utf8")).toBe("two");
});
