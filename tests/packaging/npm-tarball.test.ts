/** The npm tarball works where npm puts it: below node_modules, where Node refuses to run TypeScript. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
let folder = "";
let installed = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes-npm-"));
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  });
  const tarball = packed.trim().split("\n").at(-1) ?? "";
  installed = join(folder, "node_modules/zmes");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, tarball), "--strip-components=1", "-C", installed]);
  // As npm lays them out: the packages it needs are beside it.
  for (const name of readdirSync(join(root, "node_modules")).filter((entry) => !entry.startsWith(".")))
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("it runs with the Node that came with it, in an empty folder", () => {
  const done = spawnSync(join(installed, "bin/zmes"), ["help"], {
    cwd: folder,
    env: { PATH: "/bin:/usr/bin" },
    encoding: "utf8",
  });
  expect(done).toMatchObject({ status: 0, stderr: "" });
  expect(done.stdout).toContain("install-daemon");
});

test("it holds the program, its documents and its license, and nothing else", () => {
  expect(readdirSync(installed).sort()).toEqual([
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "bin",
    "dist",
    "docs",
    "examples",
    "package.json",
    "packaging",
  ]);
});
