/** `zmes doctor`, run by root, where somebody else chose the words: nothing that is printed or advised does harm. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { problem, warning } from "../../../src/cli/doctor/check.ts";
import { configuration } from "../../../src/cli/doctor/configuration.ts";
import { dataDirectory, tokenFile } from "../../../src/cli/doctor/data.ts";
import { hooks } from "../../../src/cli/doctor/hooks.ts";
import { findPortHolder } from "../../../src/cli/doctor/port-holder.ts";
import { jsonReport, printable, textReport } from "../../../src/cli/doctor/report.ts";
import { system } from "../../../src/cli/doctor/system.ts";
import { isSystemFolder } from "../../../src/cli/system-folders.ts";
import { shellWord } from "../../../src/lib/command-line.ts";
import { createPatient, type Patient } from "../../support/doctor.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";

let patient: Patient;
beforeEach(() => {
  patient = createPatient();
});
afterEach(() => patient.remove());

const ESCAPES = "cam\u001b]0;owned\u0007\u009b2J\r\nok       all is well";

test("names from cameras, servers and processes move no cursor and forge no line", () => {
  const outcome = { check: "x", title: "X", findings: [problem(ESCAPES, `Stop ${ESCAPES}.`)] };
  const clean = [printable(outcome)];
  const text = textReport(clean, { colour: false, columns: null });
  expect(text).not.toMatch(/[\p{Cc}--\n]/v);
  expect(text.split("\n").filter((line) => line.startsWith("ok"))).toEqual([]);
  expect(JSON.parse(jsonReport(clean, "8")).checks[0].findings[0].text).not.toMatch(/[\p{Cc}--\n]/v);
});

test("an endless answer of a server is cut", () => {
  const outcome = { check: "x", title: "X", findings: [warning("a".repeat(60_000), null)] };
  expect(printable(outcome).findings[0]?.text.length).toBeLessThan(1100);
});

test("of a process that holds the port, its arguments are not told: a password may be among them", async () => {
  const port = await freePort();
  const code = `require("node:net").createServer().listen(${port}, "127.0.0.1")`;
  const child = spawn(process.execPath, ["-e", code, "--", "--password=secret"], { stdio: "ignore" });
  try {
    await eventually(() => expect(findPortHolder(port)?.pid).toBe(child.pid));
    expect(findPortHolder(port)?.command).not.toMatch(/secret|createServer/);
  } finally {
    child.kill("SIGKILL");
  }
});

test.skipIf(process.getuid?.() !== 0)(
  "what doctor advises for a token file that is a link changes nothing where it leads",
  async () => {
    const secret = join(patient.folder, "shadow");
    writeFileSync(secret, "root");
    chmodSync(secret, 0o600);
    const file = join(patient.folder, "tokens.txt");
    symlinkSync(secret, file);
    const advised = await adviceFor(file);
    expect(advised).toContain("chown -h ");
    spawnSync("sh", ["-c", advised.replace(/^.*?: sudo /, "")]);
    expect(spawnSync("stat", ["-c", "%U", secret], { encoding: "utf8" }).stdout).toBe("root\n");
  },
);

/** The fix, as somebody who may not read the file gets it. */
async function adviceFor(file: string): Promise<string> {
  chmodSync(patient.folder, 0o755);
  const script = `
    import { tokenFile } from ${JSON.stringify(join(import.meta.dirname, "../../../src/cli/doctor/data.ts"))};
    process.setgid(65534); process.setuid(65534);
    const [found] = await tokenFile.run({ config: { fcm: { token_file: ${JSON.stringify(file)} } }, user: "nobody", webUser: "www-data" });
    console.log(found.fix);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
    encoding: "utf8",
  });
  return stdout.trim() || stderr;
}

test("the copy of a damaged token file is put back with the server's rights, not with root's", async () => {
  const file = join(patient.folder, "tokens.txt");
  writeFileSync(file, '{"tokens": {"a": ');
  const [found] = await patient.examine(tokenFile, { fcm: { token_file: file } });
  expect(found?.fix).toMatch(/sudo -u \S+ cp /);
});

test("a path is one word of the command that is to be copied, whatever is in it", async () => {
  const file = join(patient.folder, "hook; touch x $(id) 'y'");
  writeFileSync(file, "#!/bin/sh\r\n");
  chmodSync(file, 0o755);
  const [found] = await patient.examine(hooks, {
    customize: { use_hooks: true },
    hook: { event_start_hook: `"${file}"` },
  });
  expect(found?.fix).toContain(shellWord(file));
  const { stdout } = spawnSync("sh", ["-c", `printf %s ${shellWord(file)}`], { encoding: "utf8" });
  expect(stdout).toBe(file);
});

test("a folder of the system is never advised to be given away", () => {
  const never = [
    "/",
    "/etc",
    "/etc/zm",
    "/usr",
    "/usr/lib/x",
    "/var",
    "/var/lib",
    "/var/lib/",
    "/root/.ssh",
    "/home",
    "/tmp",
  ];
  expect(never.filter((folder) => !isSystemFolder(folder))).toEqual([]);
  const fine = [
    "/var/lib/zmeventnotification",
    "/home/bob/zmes",
    "/data",
    "/srv/zmes",
    "/opt/zmes",
    "/usr/local/zmes",
    "/mnt/disk/zmes",
  ];
  expect(fine.filter(isSystemFolder)).toEqual([]);
  expect(dataDirectory.name).toBe("data-directory");
});

test.skipIf(process.getuid?.() !== 0)(
  "a configuration that the server itself may change is warned of",
  async () => {
    chmodSync(patient.folder, 0o755);
    mkdirSync(join(patient.folder, "etc"));
    const file = join(patient.folder, "etc/zmeventnotification.ini");
    writeFileSync(file, "[ssl]\nenable = no\n");
    chownSync(file, 33, 33);
    const script = `
    import { configuration } from ${JSON.stringify(join(import.meta.dirname, "../../../src/cli/doctor/configuration.ts"))};
    import { loadConfig } from ${JSON.stringify(join(import.meta.dirname, "../../../src/config/load.ts"))};
    const loaded = loadConfig({ path: ${JSON.stringify(file)} });
    process.setgid(33); process.setuid(33);
    const found = await configuration.run({ loaded, config: loaded.config, user: "www-data", webUser: "www-data" });
    console.log(JSON.stringify(found));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
      encoding: "utf8",
    });
    expect(stdout).toContain(`sudo chown root ${file}`);
    expect(configuration.name).toBe("configuration");
  },
);

/** The program itself, as root; killed when it hangs. */
function doctorWith(config: string, ...argv: readonly string[]) {
  const file = join(patient.folder, "zmes.yml");
  writeFileSync(file, config);
  chmodSync(patient.folder, 0o755);
  const main = join(import.meta.dirname, "../../../src/main.ts");
  return spawnSync(process.execPath, [main, "doctor", "--config", file, ...argv], {
    encoding: "utf8",
    timeout: 40_000,
    env: { ...process.env, NO_COLOR: "1" },
  });
}

test("that the server is to run as root is warned of", async () => {
  const [, found] = await patient.examine(system, {}, { webUser: "root" });
  expect(found).toMatchObject({ level: "warning", text: expect.stringContaining("every hook") });
});

test("a pipe in place of what remote control changed keeps root waiting for nobody", () => {
  spawnSync("mkfifo", [join(patient.folder, "data/escontrol.json")]);
  const { signal, stdout } = doctorWith(
    `general:\n  base_data_path: ${patient.folder}/data\n  use_escontrol_interface: yes\n` +
      `zoneminder:\n  config: ${patient.folder}/zm.conf\nssl:\n  enable: no\nfcm:\n  enable: no\n`,
  );
  expect(signal).toBeNull();
  expect(stdout).toContain("zmes.yml was read");
});

test.skipIf(process.getuid?.() !== 0)("a user that does not exist is a finding, in JSON too", () => {
  patient.writeZmConf({ ZM_WEB_USER: "nobody-of-this-name" });
  const config = `zoneminder:\n  config: ${patient.folder}/zm.conf\nssl:\n  enable: no\n`;
  const { status, stdout, stderr } = doctorWith(config, "--json");
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, checks: [{ check: "system", level: "problem" }] });
});
