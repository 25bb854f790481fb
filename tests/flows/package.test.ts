/**
 * From the Debian package to the first alarm and back, beside a real ZoneMinder: installed, set up, started by hand and by
 * ZoneMinder, upgraded, removed and purged, without touching the machine.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { connect, type Listener, logIn } from "../support/listener.ts";
import { createPrivateFiles, type PrivateFiles } from "../support/private-files.ts";
import {
  BIN_FOLDER,
  endTurn,
  realZoneMinderMayBeSkipped,
  takeTurn,
  UP_MS,
} from "../support/real-zoneminder.ts";

const root = join(import.meta.dirname, "../..");
const DATA = "/var/lib/zmeventnotification";
const DAEMON = `${BIN_FOLDER}/zmeventnotification.pl`;
const ORIGINAL = "#!/usr/bin/perl\nsleep 1000;";
const NAME = "zm.example.org";
const GARAGE = 2; // one event per motion: 3 of every 8 seconds
const TOKEN = "cGhvbmU:APA91b-long-enough-27a387";
/** What is promised: from the package to the first alarm. */
const PROMISED_MS = 120_000;
const CHANGING = ["dpkg", "apt", "zmes-test-zoneminder"]
  .map((name) => `/var/lib/${name}`)
  .concat("/var/cache", "/var/log", "/var/tmp");
/** What `zmes doctor` finds where only a key for push, a broker and hooks were not given. */
const HEALTHY: Readonly<Record<string, string>> = {
  ...given("ok", "system", "zoneminder", "database", "shared-memory", "configuration", "certificate"),
  ...given("ok", "data-directory", "token-file", "disk", "clock", "double-push", "original", "starter"),
  ...given("ok", "port", "self-test"),
  ...given("warning", "push"),
  ...given("skipped", "mqtt", "hooks", "detection"),
};

describe.skipIf(realZoneMinderMayBeSkipped())("the Debian package", { timeout: 90_000 }, () => {
  let folder = "";
  let machine: PrivateFiles | undefined;
  let port = 0;
  let before = "";

  const deb = (version: string) => join(folder, `zmes_${version}_${architecture}.deb`);
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const inside = (): PrivateFiles => {
    if (!machine) throw new Error("there is no machine to install it on");
    return machine;
  };
  const sh = (script: string) => inside().run("sh", "-euc", script);
  const zoneminder = (...args: string[]) =>
    inside().run("bash", join(root, "scripts/real-zoneminder.sh"), ...args);
  const apt = (command: string, ...args: string[]) => inside().run("apt-get", command, "--yes", ...args);
  // Triggers of other packages (man-db) have nothing to do with ours, and take seconds.
  const quickly = ["-o", "DPkg::Options::=--no-triggers"];
  const exists = async (file: string) => (await sh(`test -e ${file} && echo yes || true`)) === "yes\n";
  const zmes = (...args: string[]) => inside().run("zmes", ...args);
  /** Every file there is, its owner and mode; only the system's own lists and logs are left out. */
  const everything = () =>
    sh(`find /etc /usr /var \\( ${CHANGING.map((name) => `-path ${name}`).join(" -o ")} \\) -prune \\
      -o -printf '%p %M %u:%g %l\\n' | sort`);
  /** As a phone that was given the authority, and trusts nothing else. */
  const phone = async (name = NAME): Promise<Listener> =>
    await logIn(`wss://${name}:${port}`, "admin", "admin", {}, await sh("cat /etc/zm/zmes-ca.crt"));
  const doctor = async (): Promise<Readonly<Record<string, string>>> => {
    const { checks } = JSON.parse(await sh("zmes doctor --json || true")) as DoctorReport;
    return Object.fromEntries(checks.map(({ check, level }) => [check, level]));
  };

  /** Waits until clients are let in; gives the process. */
  async function untilRunning(): Promise<number> {
    return vi.waitFor(
      async () => {
        await (await connect(`wss://localhost:${port}`)).close();
        return Number(await sh(`cat ${DATA}/zmes.pid`));
      },
      { timeout: 30_000, interval: 200 },
    );
  }

  async function tellsMotion(): Promise<void> {
    const client = await phone();
    try {
      const told = () => expect(client.alarms(GARAGE)[0]?.Cause).toMatch(/^Motion/);
      await vi.waitFor(told, { timeout: 30_000, interval: 20 });
    } finally {
      await client.close();
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-deb-"));
    for (const version of ["8.0.0", "8.0.1"])
      execFileSync(process.execPath, [
        join(root, "packaging/package.ts"),
        ...["--fast", "--version", version, "--out", folder],
      ]);
    port = await freePort();
    await takeTurn();
    machine = await createPrivateFiles();
    await sh(`rm -rf ${DATA} /etc/zm/zmes* /var/lib/zmes`);
    await zoneminder("up");
    await sh(`printf '%s\\n' '${ORIGINAL}' >${DAEMON}; chmod 755 ${DAEMON}`);
    before = await everything();
  }, UP_MS);

  afterAll(async () => {
    if (machine) await zoneminder("down");
    machine?.stop();
    endTurn();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it("tells the first alarm within two minutes of its installation", async () => {
    const began = performance.now();
    await apt("install", deb("8.0.0"));
    await zmes("setup", "--yes", "--name", NAME, "--port", String(port));
    // Not on the network of whoever runs the tests; and something that an upgrade has to keep.
    await sh(`sed -i 's/^  port: .*/&\\n  address: 127.0.0.1/' /etc/zm/zmes.yml`);
    await sh("runuser -u www-data -- zmes run </dev/null >/dev/null 2>&1 &");
    await untilRunning();
    await tellsMotion();
    const took = performance.now() - began;
    console.log(`From \`apt install\` to the first alarm: ${(took / 1000).toFixed(1)} s.`);
    expect(took).toBeLessThan(PROMISED_MS);
  });

  it("is trusted for the name it was set up with, and for no other", async () => {
    await expect(phone("zm.example.net")).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("is found in good health, but for what nobody has given or chosen yet", async () => {
    expect(await doctor()).toEqual({ ...HEALTHY, starter: "warning" });
  });

  it("brings everything it promises, and no configuration", async () => {
    for (const file of [
      "/usr/bin/zmes",
      "/usr/lib/systemd/system/zmes.service",
      "/usr/share/man/man1/zmes.1.gz",
      "/usr/share/bash-completion/completions/zmes",
      "/usr/share/doc/zmes/copyright",
      "/usr/share/doc/zmes/examples/zmes.yml",
    ])
      expect(await exists(file), file).toBe(true);
    expect(await inside().run("dpkg", "--listfiles", "zmes")).not.toContain("/etc/");
    expect(await inside().run("dpkg", "--verify", "zmes")).toBe("");
    expect(await inside().run("stat", "--format=%U:%G %a", DATA)).toBe("www-data:www-data 750\n");
    expect(await zmes("version")).toBe("8.0.0\n");
  });

  it("shows the installed size that it takes", async () => {
    const kib = Number(await inside().run("dpkg-deb", "--field", deb("8.0.0"), "Installed-Size"));
    const used = Number((await sh("du -sk --apparent-size /usr/lib/zmes")).split("\t")[0]);
    expect(kib).toBeGreaterThan(used);
    expect(kib / 1024).toBeLessThan(200);
  });

  it("offers commands and their options to bash", async () => {
    const offered = async (line: string) =>
      (
        await inside().run(
          "bash",
          "-c",
          `. /usr/share/bash-completion/completions/zmes; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
           _zmes; echo "\${COMPREPLY[@]}"`,
        )
      ).trim();
    expect(await offered("zmes inst")).toBe("install-daemon");
    expect(await offered("zmes install-daemon --un")).toBe("--uninstall");
    expect(await offered("zmes help dev")).toBe("devices");
  });

  it("is started by ZoneMinder in place of the original, and tells the next alarm", async () => {
    const pid = await untilRunning();
    await sh(`kill ${pid}`);
    await eventually(async () => expect(await exists(`/proc/${pid}`)).toBe(false));
    await zmes("install-daemon");
    await zoneminder("sql", "UPDATE Config SET Value = '1' WHERE Name = 'ZM_OPT_USE_EVENTNOTIFICATION'");
    await zoneminder("package", "restart");
    await untilRunning();
    expect(await zoneminder("daemon", "status")).toContain("running since");
    await tellsMotion();
    expect(await doctor()).toEqual(HEALTHY);
  });

  it("is upgraded: the new program runs, with the configuration and the phones of the old one", async () => {
    const oldProcess = await untilRunning();
    const client = await phone();
    client.send({
      event: "push",
      data: { type: "token", platform: "android", token: TOKEN, state: "enabled" },
    });
    await eventually(async () => expect(await sh(`cat ${DATA}/push/tokens.txt`)).toContain(TOKEN));
    await client.close();
    const kept = async () => await sh(`md5sum /etc/zm/zmes* ${DATA}/tls/server.*`);
    const files = await kept();
    await apt("install", ...quickly, deb("8.0.1"));
    await vi.waitFor(async () => expect(await untilRunning()).not.toBe(oldProcess), 30_000);
    expect(await zmes("version")).toBe("8.0.1\n");
    expect(await kept()).toBe(files);
    expect(await sh(`cat ${DATA}/push/tokens.txt`)).toContain(TOKEN);
    expect(await zmes("devices")).toContain("admin");
    expect(await sh(`head -c 40 ${DAEMON}.zmes-original`)).toBe(`${ORIGINAL}\n`);
    await (await phone()).close();
  });

  it("installed once more changes nothing", async () => {
    const list = await sh("cat /var/lib/zmes/made-files");
    await apt("install", ...quickly, "--reinstall", deb("8.0.1"));
    expect(await sh("cat /var/lib/zmes/made-files")).toBe(list);
  });

  it("removed, gives its place back to the original, which ZoneMinder starts, and keeps the rest", async () => {
    const pid = await untilRunning();
    await apt("remove", ...quickly, "zmes");
    expect(await sh(`cat ${DAEMON}`)).toBe(`${ORIGINAL}\n`);
    expect(await zoneminder("daemon", "status")).toContain("running since");
    expect(await exists(`/proc/${pid}`)).toBe(false);
    expect(await sh(`cat ${DATA}/push/tokens.txt`)).toContain(TOKEN);
    expect(await exists("/etc/zm/zmes.yml")).toBe(true);
  });

  it("purged, takes along what it made, and nothing else", async () => {
    await sh(`mkdir ${DATA}/models; echo theirs >${DATA}/models/theirs`);
    await apt("purge", ...quickly, "zmes");
    expect(await sh(`find ${DATA} -type f`)).toBe(`${DATA}/models/theirs\n`);
    await sh(`rm -r ${DATA}`);
    expect(await everything()).toBe(before);
    expect(await sh(`cat ${DAEMON}`)).toBe(`${ORIGINAL}\n`);
  });
});

interface DoctorReport {
  readonly checks: readonly { readonly check: string; readonly level: string }[];
}

function given(level: string, ...checks: readonly string[]): Record<string, string> {
  return Object.fromEntries(checks.map((check) => [check, level]));
}
