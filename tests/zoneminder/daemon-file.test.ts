import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { closedToOthers, daemonFile } from "../../src/zoneminder/daemon-file.ts";

const ORIGINAL = "#!/usr/bin/perl\nprint 'the original';\n";
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmes daemon's "));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that writes what it was given beside itself, because its standard streams may be anything. */
function aProgram(name = "main.mjs") {
  const main = join(folder, name);
  writeFileSync(
    main,
    `import { readFileSync, writeFileSync } from "node:fs";
     const blocked = /^SigBlk:\\s*(\\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
     writeFileSync(import.meta.filename + ".json", JSON.stringify({ argv: process.argv.slice(2), pid: process.pid, blocked }));`,
  );
  return { node: process.execPath, main };
}

const said = (main: string) => JSON.parse(readFileSync(`${main}.json`, "utf8"));
const put = (text: string) => writeFileSync(daemonFile(folder).file, text, { mode: 0o755 });
const text = (name: string) => readFileSync(join(folder, name), "utf8");

describe("the file that zmdc.pl executes", () => {
  test("becomes our program with our Node, in the same process, with every argument as it is", () => {
    const program = aProgram();
    const daemon = daemonFile(folder);
    expect(daemon.install(program)).toBe("installed");
    const args = ["--config", "/etc/a b.yml", "$(id)", "", "it's"];
    const done = spawnSync(daemon.file, args, { env: { PATH: "/bin" } });
    expect(done.status).toBe(0);
    expect(said(program.main)).toMatchObject({ argv: args, pid: done.pid });
  });

  test.each([
    ["closed", "POSIX::close($_) for (0, 1, 2);"],
    [
      "a database socket, and dead pipes",
      `socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0); POSIX::dup2(fileno($a), 0);
       pipe(my $r, my $w); POSIX::dup2(fileno($r), 2); POSIX::dup2(fileno($w), 1); close($w); close($r);`,
    ],
  ])("starts with a blocked SIGCHLD and standard streams that are %s", (_what, perl) => {
    const program = aProgram();
    const daemon = daemonFile(folder);
    daemon.install(program);
    const script = `use Socket; use POSIX; POSIX::sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGCHLD)); ${perl} exec { $ARGV[0] } @ARGV;`;
    expect(spawnSync("perl", ["-e", script, daemon.file]).status).toBe(0);
    expect(said(program.main).blocked).toMatch(/^0+$/);
  });

  test("ends without a word on the standard streams when the program is gone", () => {
    const program = aProgram();
    const daemon = daemonFile(folder);
    daemon.install(program);
    rmSync(program.main);
    const done = spawnSync(daemon.file, { encoding: "utf8" });
    expect(done).toMatchObject({ status: 1, stdout: "", stderr: "" });
  });
});

describe("installing", () => {
  test("keeps an original, and uninstalling puts that very file back", () => {
    put(ORIGINAL);
    const { ino } = statSync(daemonFile(folder).file);
    const daemon = daemonFile(folder);
    expect(daemon.install(aProgram())).toBe("replaced");
    expect(text("zmeventnotification.pl.zmes-original")).toBe(ORIGINAL);
    expect(statSync(daemon.file).mode & 0o777).toBe(0o755);
    expect(daemon.uninstall()).toBe("restored");
    expect(text("zmeventnotification.pl")).toBe(ORIGINAL);
    expect(statSync(daemon.file).ino).toBe(ino);
    expect(existsSync(daemon.backup)).toBe(false);
  });

  test("twice is as good as once, and follows a program that has moved", () => {
    put(ORIGINAL);
    const daemon = daemonFile(folder);
    daemon.install(aProgram());
    expect(daemon.install(aProgram("moved.mjs"))).toBe("renewed");
    expect(text("zmeventnotification.pl")).toContain("moved.mjs");
    expect(text("zmeventnotification.pl.zmes-original")).toBe(ORIGINAL);
    expect(readdirSync(folder).filter((name) => name.includes("zmes-new"))).toEqual([]);
  });

  test("never writes over an original that was kept before", () => {
    put("another original");
    writeFileSync(daemonFile(folder).backup, ORIGINAL);
    expect(() => daemonFile(folder).install(aProgram())).toThrow(/another original is kept/);
    expect(text("zmeventnotification.pl")).toBe("another original");
    expect(text("zmeventnotification.pl.zmes-original")).toBe(ORIGINAL);
  });

  test("keeps a link as the link it was", () => {
    symlinkSync("/opt/elsewhere/zmeventnotification.pl", join(folder, "zmeventnotification.pl"));
    const daemon = daemonFile(folder);
    expect(daemon.install(aProgram())).toBe("replaced");
    expect(daemon.uninstall()).toBe("restored");
  });

  test("where the folder is missing, that is said with the way out", () => {
    expect(() => daemonFile(join(folder, "nowhere")).install(aProgram())).toThrow(/cannot be changed/);
  });
});

describe("uninstalling", () => {
  test("leaves nothing where there was no original", () => {
    const daemon = daemonFile(folder);
    daemon.install(aProgram());
    expect(daemon.uninstall()).toBe("removed");
    expect(existsSync(daemon.file)).toBe(false);
    expect(daemon.uninstall()).toBe("absent");
  });

  test("leaves a file alone that somebody else put there", () => {
    put(ORIGINAL);
    expect(daemonFile(folder).uninstall()).toBe("not-ours");
    expect(text("zmeventnotification.pl")).toBe(ORIGINAL);
  });
});

test("a folder that is closed to other users is named", () => {
  const closed = join(folder, "closed");
  mkdirSync(closed, { mode: 0o700 });
  writeFileSync(join(closed, "main.js"), "", { mode: 0o644 });
  expect(closedToOthers(join(closed, "main.js"))).toBe(closed);
  expect(closedToOthers("/bin/sh")).toBeNull();
});
