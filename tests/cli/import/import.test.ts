/** `zmes import` as it is typed: what is found, what is written, and what it refuses. */
import { chmodSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findOriginals } from "../../../src/cli/import/places.ts";
import { importCommand } from "../../../src/cli/import.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { testIo } from "../../support/command-io.ts";
import { contents, machine } from "./support.ts";

async function run(root: string, ...argv: string[]) {
  const io = testIo({ ZMES_MADE_FILES: join(root, "made-files") });
  const code = await importCommand.run(argv, io);
  return { code, out: io.out(), err: io.err() };
}

test("without --apply nothing is written", async () => {
  const root = machine("6.1");
  const before = contents(root);
  const { code, out } = await run(root, "--root", root);
  expect(code).toBe(0);
  expect(contents(root)).toEqual(before);
  expect(out).toContain(`sudo zmes import --apply --root ${root}`);
});

test("with --apply the file is for the server's group, and what was made is noted", async () => {
  const root = machine("1.5");
  expect((await run(root, "--root", root, "--apply")).code).toBe(0);
  for (const name of ["zmes.yml", "zmes-secrets.yml"])
    expect((statSync(join(root, "etc/zm", name)).mode & 0o777).toString(8)).toBe("640");
  if (process.getuid?.() === 0)
    expect(readFileSync(join(root, "made-files"), "utf8")).toContain(
      `file ${join(root, "etc/zm/zmes.yml")}\n`,
    );
});

test("a zmes.yml that is there is replaced only with --force, and kept", async () => {
  const root = machine("7.0", { "etc/zm/zmes.yml": "network:\n  port: 1\n" });
  expect((await run(root, "--root", root)).out).toContain("--force");
  const refused = await run(root, "--root", root, "--apply");
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("--force");
  expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toBe("network:\n  port: 1\n");
  const forced = await run(root, "--root", root, "--apply", "--force");
  expect(forced.code).toBe(0);
  expect(readFileSync(join(root, "etc/zm/zmes.yml.before-import"), "utf8")).toBe("network:\n  port: 1\n");
  expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toContain("port: 9000");
});

test("a token file that is there by now is not written over", async () => {
  const there = "xyz:abc:::ios:enabled\n";
  const root = machine("1.0", { "var/lib/zmeventnotification/push/tokens.txt": there });
  await run(root, "--root", root, "--apply");
  expect(readFileSync(join(root, "var/lib/zmeventnotification/push/tokens.txt"), "utf8")).toBe(there);
  expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toContain(
    "token_file: /etc/private/tokens.txt",
  );
});

test.each(["/etc/private/tokens.txt", "'/etc/private/tokens.txt'"])(
  "done twice it changes nothing, and phones that registered meanwhile stay in use (%s)",
  async (place) => {
    const config = `[ssl]\nenable = 0\n[fcm]\nenable = 1\ntoken_file = ${place}\n`;
    const root = machine("1.0", { "etc/zmeventnotification.ini": config });
    expect((await run(root, "--root", root, "--apply")).code).toBe(0);
    const before = contents(root);
    const again = await run(root, "--root", root, "--apply");
    expect([again.code, again.out]).toEqual([0, expect.stringContaining("it is there already")]);
    expect(contents(root)).toEqual(before);
    const phones = join(root, "var/lib/zmeventnotification/push/tokens.txt");
    writeFileSync(phones, '{"tokens":{"new":{"platform":"ios","pushstate":"enabled"}}}');
    expect((await run(root, "--root", root, "--apply", "--force")).code).toBe(0);
    expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toContain(
      "token_file: /var/lib/zmeventnotification/push/tokens.txt",
    );
  },
);

test("what an import left that was cut short does not stand in the way", async () => {
  const root = machine("1.5");
  expect((await run(root, "--root", root, "--apply")).code).toBe(0);
  const written = readFileSync(join(root, "etc/zm/zmes.yml"), "utf8");
  rmSync(join(root, "etc/zm/zmes.yml"));
  expect((await run(root, "--root", root, "--apply")).code).toBe(0);
  expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toBe(written);
});

test("an import that fails in the middle leaves what was there before", async () => {
  const root = machine("1.5", {
    "etc/zm/zmes.yml": "network:\n  port: 1\n",
    "etc/zm/zmes-secrets.yml": "secrets:\n  MINE: x\n",
    // No file can be written with a folder in the place of its temporary one.
    "etc/zm/zmes.yml.zmes-new/x": "",
    "made-files": "",
  });
  const before = contents(root);
  const { code, err } = await run(root, "--root", root, "--apply", "--force");
  expect([code, err]).toEqual([1, expect.stringContaining("could not be written")]);
  writeFileSync(join(root, "made-files"), "");
  expect(contents(root)).toEqual(before);
});

test("where nothing is installed it says so and names the way out", async () => {
  const root = machine(null);
  const { code, err } = await run(root, "--root", root);
  expect(code).toBe(1);
  expect(err).toMatch(/--from.*zmes setup/s);
});

test("of two installed generations the newer one is taken, and the other named", async () => {
  const root = machine("7.0", { "etc/zmeventnotification.ini": "[network]\nport = 1\n" });
  const { out } = await run(root, "--root", root);
  expect(out).toContain("Found: /etc/zm/zmeventnotification.yml");
  expect(out).toContain("Not looked at: /etc/zmeventnotification.ini");
  expect(findOriginals(root)).toEqual([
    join(root, "etc/zm/zmeventnotification.yml"),
    join(root, "etc/zmeventnotification.ini"),
  ]);
});

describe("with --from", () => {
  test("a folder of copied files is enough", async () => {
    const backup = machine("5.15");
    const root = machine(null);
    const from = [
      "--from",
      join(backup, "etc/zm"),
      "--from",
      join(backup, "var/lib/zmeventnotification/push"),
    ];
    expect((await run(root, "--root", root, ...from, "--apply")).code).toBe(0);
    const config = readFileSync(join(root, "etc/zm/zmes.yml"), "utf8");
    expect(config).toContain("secrets: /etc/zm/zmes-secrets.yml");
    expect(readFileSync(join(root, "etc/zm/zmes-secrets.yml"), "utf8")).toContain("planted#broker;word");
    expect(existsSync(join(root, "var/lib/zmeventnotification/push/tokens.txt"))).toBe(true);
  });

  test("a file is taken although one is installed", async () => {
    const root = machine("7.0");
    const file = join(machine("1.0"), "etc/zmeventnotification.ini");
    expect((await run(root, "--root", root, "--from", file)).out).toContain(`Found: ${file}`);
  });

  test("a token file alone goes with the configuration that is installed", async () => {
    const root = machine("1.0");
    const tokens = join(machine("3.2"), "var/lib/zmeeventnotification/push/tokens.txt");
    const { out } = await run(root, "--root", root, "--from", tokens);
    expect(out).toContain("Found: /etc/zmeventnotification.ini");
    expect(out).toContain(tokens);
  });

  test("a file that is not there is said", async () => {
    const root = machine("7.0");
    expect((await run(root, "--root", root, "--from", "/nowhere.ini")).err).toContain("/nowhere.ini");
  });
});

test("--json is JSON with rows, losses and what was written", async () => {
  const root = machine("2.2");
  const dry = JSON.parse((await run(root, "--root", root, "--json")).out);
  expect(dry).toMatchObject({ source: "/etc/zmeventnotification.ini", written: [] });
  expect(dry.losses[0]).toHaveProperty("restore");
  const done = JSON.parse((await run(root, "--root", root, "--json", "--apply")).out);
  expect(done.written).toContain(join(root, "etc/zm/zmes.yml"));
});

test("without --detection the original's script stays, and the lines that switch over are comments", async () => {
  const root = machine("3.2");
  const { out } = await run(root, "--root", root, "--apply");
  expect(out).toMatch(/objectconfig.*as before; the built-in detector can read it too/);
  expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toContain("# detection:\n#   enable: yes\n");
  expect(loadConfig({ path: join(root, "etc/zm/zmes.yml") }).config.detection.enable).toBe(false);
});

test("with --detection the built-in detector reads the objectconfig, and a comment names the script", async () => {
  const root = machine("3.2");
  const { out } = await run(root, "--root", root, "--detection", "--apply");
  expect(out).toContain("  detection:\n    enable: yes\n    config: /etc/zm/objectconfig.ini\n");
  const { config, problems } = loadConfig({ path: join(root, "etc/zm/zmes.yml") });
  expect(problems.filter((problem) => problem.includes("detection"))).toEqual([]);
  expect(config.detection).toMatchObject({ enable: true, config: "/etc/zm/objectconfig.ini" });
  expect(readFileSync(join(root, "etc/zm/zmes.yml"), "utf8")).toMatch(/^# .*in place of the hook .*\.sh/m);
});

test("a test message to the phones is offered; without a terminal the command is named", async () => {
  const root = machine("7.0");
  expect((await run(root, "--root", root, "--apply")).out).toContain("zmes test-push all");
});

test("a file that cannot be understood is said with its line, and nothing is written", async () => {
  const root = machine(null, { "etc/zm/zmeventnotification.yml": "network:\n  port: [\n" });
  const { code, err } = await run(root, "--root", root, "--apply");
  expect(code).toBe(1);
  expect(err).toMatch(/zmeventnotification\.yml:\d/);
  expect(existsSync(join(root, "etc/zm/zmes.yml"))).toBe(false);
});

test("a file of any name is taken when it is named", async () => {
  const root = machine(null, { "backup/old.settings": "[network]\nport = 9001\n" });
  const { out } = await run(root, "--root", root, "--from", join(root, "backup/old.settings"));
  expect(out).toMatch(/network\.port +\/backup\/old\.settings:2/);
});

test.runIf(process.getuid?.() === 0)("root is not led through a link to a file of its own", async () => {
  const root = machine("3.2", { "of-root": "root:planted:1:0:9:7:::\n" });
  chmodSync(join(root, "of-root"), 0o600);
  const phones = join(root, "var/lib/zmeeventnotification/push/tokens.txt");
  rmSync(phones);
  symlinkSync(join(root, "of-root"), phones);
  const { code, err } = await run(root, "--root", root, "--apply");
  expect(code).toBe(1);
  expect(err).toContain("cannot read it");
  expect(existsSync(join(root, "var/lib/zmeventnotification/push/tokens.txt"))).toBe(false);
});

test("called wrongly it says so", async () => {
  expect((await run("/", "--aply")).code).toBe(2);
  expect((await run("/", "now")).code).toBe(2);
});

test("a disk that refuses is said in a line", async () => {
  const root = machine("1.0");
  writeFileSync(join(root, "etc/zm"), "no folder");
  const { code, err } = await run(root, "--root", root, "--apply");
  expect(code).toBe(1);
  expect(err).toMatch(/^zmes import: This could not be written/);
});
