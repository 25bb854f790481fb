import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pictures } from "../../src/cli/pictures.ts";
import { testIo } from "../support/command-io.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-pictures-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(data: string, ...argv: string[]) {
  const [config, zoneminder] = [join(folder, "zmes.yml"), join(folder, "zm.conf")];
  // Otherwise the command, started as root, would make the test's own process the web server's.
  writeFileSync(zoneminder, "ZM_WEB_USER=root\nZM_WEB_GROUP=root\n");
  writeFileSync(config, `general:\n  base_data_path: ${data}\nzoneminder:\n  config: ${zoneminder}\n`);
  const io = testIo();
  const code = await pictures.run([...argv, "--config", config], io);
  return { code, out: io.out(), err: io.err() };
}

test("a new key takes the place of the old one, for the server's user alone, and is not shown", async () => {
  const file = join(folder, "picture-links.key");
  writeFileSync(file, "old");
  const { code, out, err } = await run(folder, "rotate-key");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const key = readFileSync(file, "utf8").trim();
  expect(Buffer.from(key, "base64url")).toHaveLength(32);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(out).toContain("no longer work");
  expect(out).not.toContain(key);
});

test("where the key cannot be written, that is said", async () => {
  const { code, err } = await run(join(folder, "nowhere"), "rotate-key");
  expect(code).toBe(1);
  expect(err).toContain("could not be exchanged");
  expect(err).toContain(`${join(folder, "nowhere")} does not exist yet. Make it: sudo zmes setup`);
});

test.each([[[]], [["rotate"]], [["rotate-key", "now"]]])(
  "called with %j it says what it takes",
  async (argv) => {
    const { code, err } = await run(folder, ...argv);
    expect(code).toBe(2);
    expect(err).toContain("rotate-key");
  },
);
