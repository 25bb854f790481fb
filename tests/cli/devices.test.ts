import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkConfig } from "../../src/cli/check-config.ts";
import { devices } from "../../src/cli/devices.ts";
import { testIo } from "../support/command-io.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/tokens", name), "utf8");

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-devices-"));
  file = join(folder, "tokens.txt");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...argv: string[]) {
  const [config, zoneminder] = [join(folder, "zmes.yml"), join(folder, "zm.conf")];
  // Otherwise the command, started as root, would make the test's own process the web server's.
  writeFileSync(zoneminder, "ZM_DB_HOST=localhost\nZM_WEB_USER=root\nZM_WEB_GROUP=root\n");
  writeFileSync(
    config,
    `fcm:\n  token_file: ${file}\n  monthly_cap: 20\nzoneminder:\n  config: ${zoneminder}\n`,
  );
  const io = testIo();
  const code = await devices.run(["--config", config, ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

const TOKEN = `${"x".repeat(140)}0123456789`;

function write(entry: Record<string, unknown>): void {
  writeFileSync(file, JSON.stringify({ tokens: { [TOKEN]: entry } }));
}

test("each phone has a line, with the end of its token and never more", async () => {
  write({
    monlist: "2,4",
    intlist: "0,60",
    platform: "ios",
    pushstate: "disabled",
    invocations: { count: 17, at: new Date().getMonth() },
    zmes: {
      owner: "anna",
      badge: 3,
      success: 1_790_000_000_000,
      error: { at: 1_790_000_001_000, reason: "503" },
    },
  });
  const { code, out } = await run();
  expect(code).toBe(0);
  const [, line = ""] = out.split("\n");
  expect(line.split(/ {2,}/)).toEqual([
    "...0123456789",
    "anna",
    "ios",
    "2,4",
    "0,60",
    "disabled",
    "3",
    "17 of 20",
    "2026-09-21 14:13:20Z",
    "2026-09-21 14:13:21Z 503",
  ]);
  expect(out).not.toContain("x0123456789");
});

test("a phone without owner is marked, with the day until which it is told", async () => {
  write({ zmes: { since: Date.UTC(2026, 10, 1) } });
  const { out } = await run();
  expect(out).toContain("(no owner, until 2026-12-01)");
  expect(out).toMatch(/ all +- +enabled/);
});

test("a month that is used up is said", async () => {
  write({ platform: "ios", invocations: { count: 20, at: new Date().getMonth() } });
  expect((await run()).out).toContain("20 of 20: no more");
});

test("--json prints the same, as data", async () => {
  write({ platform: "android", profile: "Home", zmes: { owner: "anna" } });
  const { out } = await run("--json");
  expect(JSON.parse(out)).toEqual([
    {
      token_end: "0123456789",
      user: "anna",
      adopted_until: null,
      platform: "android",
      app: "zmninja-ng",
      profile: "Home",
      monitors: "",
      intervals: "",
      state: "enabled",
      badge: 0,
      pushes_this_month: 0,
      monthly_cap: 20,
      last_success: null,
      last_error: null,
    },
  ]);
});

test("an old file is shown and left as it is", async () => {
  writeFileSync(file, fixture("v5.txt"));
  const { code, out } = await run();
  expect([code, out.trim().split("\n")]).toEqual([0, expect.objectContaining({ length: 4 })]);
  expect(readFileSync(file, "utf8")).toBe(fixture("v5.txt"));
  expect(readdirSync(folder).sort()).toEqual(["tokens.txt", "zm.conf", "zmes.yml"]);
});

test("check-config leaves an old file as it is, too", async () => {
  writeFileSync(file, fixture("v5.txt"));
  writeFileSync(join(folder, "zmes.yml"), `fcm:\n  token_file: ${file}\nssl:\n  enable: no\n`);
  await checkConfig.run(["--config", join(folder, "zmes.yml")], testIo());
  expect(readFileSync(file, "utf8")).toBe(fixture("v5.txt"));
  expect(readdirSync(folder).sort()).toEqual(["tokens.txt", "zmes.yml"]);
});

test("without a file there are no phones, and none is made", async () => {
  const { code, out } = await run();
  expect([code, out, existsSync(file)]).toEqual([0, "No phones are registered.\n", false]);
});

test("a damaged file is a failure that says so", async () => {
  writeFileSync(file, '{"tokens":');
  const { code, out, err } = await run();
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("the token file is damaged");
});

test("a name with control characters cannot forge a line", async () => {
  write({ zmes: { owner: "anna\n\u001b[2Jroot" } });
  expect((await run()).out.trim().split("\n")).toHaveLength(2);
});

test("anything that is no option is refused", async () => {
  expect((await run("list")).code).toBe(2);
});
