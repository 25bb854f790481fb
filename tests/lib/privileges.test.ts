import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const module = fileURLToPath(new URL("../../src/lib/privileges.ts", import.meta.url));

/** Runs becomeUser in a process of its own and prints who that is then. */
function became(args: readonly string[], options: { readonly uid?: number } = {}) {
  const script = `
    const { becomeUser } = await import(${JSON.stringify(module)});
    if (process.getuid() === 0) process.setgroups([0, 4]);
    try {
      const name = becomeUser(...JSON.parse(process.argv[1]));
      const open = (() => { try { process.setuid(0); return true; } catch { return false; } })();
      console.log(JSON.stringify({ name, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(),
        umask: process.umask(), backToRoot: open }));
    } catch (failure) {
      console.log(JSON.stringify({ code: failure.code, message: failure.message }));
    }`;
  const all = ["--input-type=module", "-e", script, JSON.stringify(args)];
  const done = spawnSync(process.execPath, all, { encoding: "utf8", cwd: "/", ...options });
  return JSON.parse(done.stdout);
}

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)("root becomes the named user, with its groups, for good", () => {
  const id = (flag: string): number => Number(execFileSync("id", [flag, "www-data"], { encoding: "utf8" }));
  const result = became(["www-data", "www-data"]);
  expect(result).toMatchObject({ name: "www-data", uid: id("-u"), gid: id("-g"), backToRoot: false });
  expect(result.groups).not.toContain(0);
  expect(result.groups).not.toContain(4);
  expect(result.umask).toBe(0o027);
});

test.runIf(isRoot)("without a name it is the usual user of the web server", () => {
  expect(became([]).name).toMatch(/^(www-data|apache)$/);
});

test.runIf(isRoot)("a user that does not exist is an error that names it", () => {
  expect(became(["nosuchuser"])).toMatchObject({
    code: "PRIVILEGES_FAILED",
    message: expect.stringContaining("nosuchuser"),
  });
});

test("anybody else stays who they are", () => {
  const options = isRoot ? { uid: 65534 } : {};
  expect(became(["www-data"], options)).toMatchObject({ name: null, umask: 0o027 });
});
