import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../../bin/zmes", import.meta.url));
const realNode = realpathSync(process.execPath);
/** What zmdc.pl leaves of PATH. */
const ZMDC_PATH = "/bin:/usr/bin:/usr/local/bin";
/** Prints how it was started. */
const PROGRAM = `
  const { basename } = process.getBuiltinModule("node:path");
  console.log(JSON.stringify({ args: process.argv.slice(2), main: basename(process.argv[1]), pid: process.pid,
    node: process.execPath }));`;

let home = "";
beforeEach(() => {
  home = realpathSync(mkdtempSync(path.join(tmpdir(), "zmes launcher-")));
  put("bin/zmes", "");
  copyFileSync(launcher, path.join(home, "bin/zmes"));
  chmodSync(path.join(home, "bin/zmes"), 0o755);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function put(name: string, content: string, mode = 0o644): string {
  const file = path.join(home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content, { mode });
  return file;
}

/** A program on a PATH of its own, before the usual one. */
function putTool(name: string, script: string): string {
  return path.dirname(put(`tools/${name}`, `#!/bin/sh\n${script}\n`, 0o755));
}

function putOwnNode(): void {
  mkdirSync(path.join(home, "node_modules/node/bin"), { recursive: true });
  symlinkSync(realNode, path.join(home, "node_modules/node/bin/node"));
}

function run(
  args: readonly string[] = [],
  environment: Record<string, string> = {},
  command = path.join(home, "bin/zmes"),
) {
  const env = { PATH: ZMDC_PATH, ...environment };
  return spawnSync(command, args, { encoding: "utf8", cwd: "/", env });
}

describe("the launcher", () => {
  test("runs the sources of a checkout with the Node that was installed for it, and says nothing itself", () => {
    putOwnNode();
    put("src/main.ts", PROGRAM);
    const done = run();
    expect(done.stderr).toBe("");
    expect(JSON.parse(done.stdout)).toMatchObject({ main: "main.ts", node: realNode });
  });

  test("hands over every argument as it is", () => {
    putOwnNode();
    put("src/main.ts", PROGRAM);
    const args = ["run", "--config", "/etc/zm/a b.yml", "$(id)", "*", "", "--"];
    expect(JSON.parse(run(args).stdout).args).toEqual(args);
  });

  test("becomes the program, so that one process is left", () => {
    putOwnNode();
    put("src/main.ts", PROGRAM);
    const done = run();
    expect(JSON.parse(done.stdout).pid).toBe(done.pid);
  });

  test("works through links, also under the original's name, with the PATH of zmdc.pl", () => {
    putOwnNode();
    put("src/main.ts", PROGRAM);
    const first = path.join(home, "zmes");
    const second = path.join(home, "zmeventnotification.pl");
    symlinkSync("bin/zmes", first);
    symlinkSync(first, second);
    expect(JSON.parse(run(["--version"], {}, second).stdout)).toMatchObject({
      main: "main.ts",
      args: ["--version"],
    });
  });

  test("passes on the exit status", () => {
    putOwnNode();
    put("src/main.ts", "process.exit(2);");
    expect(run().status).toBe(2);
  });

  test("runs what was built where there are no sources, or when asked to", () => {
    putOwnNode();
    put("dist/main.js", PROGRAM);
    expect(JSON.parse(run().stdout).main).toBe("main.js");
    put("src/main.ts", PROGRAM);
    expect(JSON.parse(run().stdout).main).toBe("main.ts");
    expect(JSON.parse(run([], { ZMES_DIST: "1" }).stdout).main).toBe("main.js");
  });

  test("takes a Node from PATH that is new enough", () => {
    put("src/main.ts", PROGRAM);
    const tools = putTool("node", `exec "${realNode}" "$@"`);
    expect(JSON.parse(run([], { PATH: `${tools}:${ZMDC_PATH}` }).stdout).main).toBe("main.ts");
  });

  test("lets the program use the store without a warning on stderr", () => {
    putOwnNode();
    put("src/main.ts", 'import { DatabaseSync } from "node:sqlite"; new DatabaseSync(":memory:").close();');
    expect(run()).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("the launcher refuses, with the reason and status 1,", () => {
  function refusal(tool: string, script: string): string {
    const tools = putTool(tool, script);
    const done = run([], { PATH: `${tools}:${ZMDC_PATH}` });
    expect(done.status).toBe(1);
    expect(done.stdout).toBe("");
    return done.stderr;
  }

  test("a Node that is too old, naming its version", () => {
    put("src/main.ts", PROGRAM);
    expect(refusal("node", "echo v20.20.2")).toMatch(
      /Node\.js 24 or newer is needed; .*\/tools\/node is v20\.20\.2/,
    );
  });

  test("a Node that does not work", () => {
    put("src/main.ts", PROGRAM);
    expect(refusal("node", "exit 127")).toContain("does not say its version");
  });

  test("a system without Node", () => {
    put("src/main.ts", PROGRAM);
    const tools = path.dirname(putTool("node-is-missing", ""));
    for (const name of ["readlink", "uname", "getconf"])
      symlinkSync(`/usr/bin/${name}`, path.join(tools, name));
    const done = run([], { PATH: tools });
    expect(done).toMatchObject({ status: 1, stderr: expect.stringContaining("no Node.js was found") });
  });

  test.each([
    ["uname", "case $1 in -m) echo armv7l ;; *) echo Linux ;; esac", "32-bit system (armv7l)"],
    [
      "getconf",
      'case $1 in LONG_BIT) echo 32 ;; *) echo "glibc 2.36" ;; esac',
      "programs of this system are 32-bit",
    ],
    [
      "getconf",
      'case $1 in LONG_BIT) echo 64 ;; *) echo "glibc 2.27" ;; esac',
      "glibc 2.27; zmes needs glibc 2.28",
    ],
    ["uname", "echo FreeBSD", "This system is FreeBSD"],
  ])("a system on which Node 24 cannot run (%s: %s)", (tool, script, reason) => {
    putOwnNode();
    put("src/main.ts", PROGRAM);
    const text = refusal(tool, script);
    expect(text).toContain(reason);
    expect(text).toContain("container image");
  });

  test("an installation without the program", () => {
    putOwnNode();
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining("The program is missing") });
  });
});
