import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { isStartedByZmdc } from "../../src/zoneminder/zmdc.ts";

test.each([
  [["/usr/bin/perl", "-wT", "/usr/bin/zmdc.pl", "startup"], true],
  [["zmdc.pl"], true],
  [["/bin/sh", "-c", "zmdc.pl stop zmeventnotification.pl; zmes"], false],
  [["vi", "/usr/bin/zmdc.pl"], false],
  [[], false],
] as const)("a parent %j means started by zmdc.pl: %s", (parent, expected) => {
  expect(isStartedByZmdc(parent)).toBe(expected);
});

test.each([
  [true, "zmeventnotification.pl"],
  [false, "zmes"],
])(
  "under zmdc.pl (%s) the process is called %s, in the short name killall compares as well",
  (under, name) => {
    const module = fileURLToPath(new URL("../../src/zoneminder/zmdc.ts", import.meta.url));
    const script = `
    import { readFileSync } from "node:fs";
    (await import(${JSON.stringify(module)})).takeProcessTitle(${under});
    console.log(JSON.stringify(["cmdline", "comm"].map((file) => readFileSync("/proc/self/" + file, "utf8"))));`;
    const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    const [cmdline, comm] = JSON.parse(done.stdout);
    expect(cmdline.split("\0")[0].trim()).toBe(name);
    // TASK_COMM_LEN: fifteen characters.
    expect(comm.trim()).toBe(name.slice(0, 15));
  },
);
