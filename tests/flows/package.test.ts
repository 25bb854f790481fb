/** The Debian package beside a real ZoneMinder: installed, upgraded and purged with dpkg, without touching the machine. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect } from "../support/listener.ts";
import { createPrivateFiles, type PrivateFiles } from "../support/private-files.ts";
import { freePort } from "../support/program.ts";
import { BIN_FOLDER, realZoneMinderMayBeSkipped } from "../support/real-zoneminder.ts";

const root = join(import.meta.dirname, "../..");
const DATA = "/var/lib/zmeventnotification";
const DAEMON = `${BIN_FOLDER}/zmeventnotification.pl`;
const ORIGINAL = "#!/usr/bin/perl\nsleep 1000;";
const TOKENS = '{"tokens":{}}';

describe.skipIf(realZoneMinderMayBeSkipped())("the Debian package", { timeout: 90_000 }, () => {
  let folder = "";
  let machine: PrivateFiles | undefined;
  let url = "";

  const deb = (version: string) => join(folder, `zmes_${version}_${architecture}.deb`);
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const inside = (): PrivateFiles => {
    if (!machine) throw new Error("the package was not installed");
    return machine;
  };
  const sh = (script: string) => inside().run("sh", "-euc", script);
  const zoneminder = (...args: string[]) =>
    inside().run("bash", join(root, "scripts/real-zoneminder.sh"), ...args);
  // Triggers of other packages (man-db) have nothing to do with ours, and take seconds.
  const dpkg = (...args: string[]) => inside().run("dpkg", "--no-triggers", ...args);
  const exists = async (file: string) => (await sh(`test -e ${file} && echo yes || true`)) === "yes\n";

  async function untilRunning(): Promise<number> {
    return vi.waitFor(
      async () => {
        await (await connect(url)).close();
        return Number(await sh(`cat ${DATA}/zmes.pid`));
      },
      { timeout: 30_000, interval: 200 },
    );
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-deb-"));
    for (const version of ["8.0.0", "8.0.1"])
      execFileSync(process.execPath, [
        join(root, "packaging/package.ts"),
        ...["--fast", "--version", version, "--out", folder],
      ]);
    const port = await freePort();
    url = `ws://localhost:${port}`;
    machine = await createPrivateFiles();
    // Installed by dpkg there, and used by the real ZoneMinder: the root of the machine must look as it does anywhere.
    await sh(`rm -rf ${DATA} /etc/zm/zmes.yml`);
    await zoneminder("up", "package");
    await sh(`printf '%s\\n' '${ORIGINAL}' >${DAEMON}; chmod 755 ${DAEMON}`);
    await dpkg("--install", deb("8.0.0"));
    await sh(`cat >/etc/zm/zmes.yml <<END
general: { base_data_path: ${DATA} }
network: { port: ${port}, address: 127.0.0.1 }
ssl: { enable: no }
fcm: { enable: no }
END
chmod 644 /etc/zm/zmes.yml
echo "file /etc/zm/zmes.yml" >>/var/lib/zmes/made-files`);
  }, 120_000);

  afterAll(async () => {
    if (machine) await zoneminder("down");
    machine?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

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
    expect(await dpkg("--listfiles", "zmes")).not.toContain("/etc/");
    expect(await inside().run("dpkg", "--verify", "zmes")).toBe("");
    expect(await inside().run("stat", "--format=%U:%G %a", DATA)).toBe("www-data:www-data 750\n");
    expect(await inside().run("zmes", "version")).toBe("8.0.0\n");
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

  it("is started by ZoneMinder in place of the original", async () => {
    await inside().run("zmes", "install-daemon");
    await zoneminder("package", "restart");
    await untilRunning();
    expect(await zoneminder("daemon", "status")).toContain("running since");
  });

  it("is upgraded: the new program runs, with the configuration and the phones of the old one", async () => {
    const before = await untilRunning();
    await sh(
      `mkdir -p ${DATA}/push; printf '%s' '${TOKENS}' >${DATA}/push/tokens.txt; chown -R www-data: ${DATA}/push`,
    );
    const config = await sh("md5sum /etc/zm/zmes.yml");
    await dpkg("--install", deb("8.0.1"));
    await vi.waitFor(async () => expect(await untilRunning()).not.toBe(before), 30_000);
    expect(await inside().run("zmes", "version")).toBe("8.0.1\n");
    expect(await sh("md5sum /etc/zm/zmes.yml")).toBe(config);
    expect(await sh(`cat ${DATA}/push/tokens.txt`)).toBe(TOKENS);
    expect(await sh(`head -c 40 ${DAEMON}.zmes-original`)).toBe(`${ORIGINAL}\n`);
  });

  it("installed once more changes nothing", async () => {
    const list = await sh("cat /var/lib/zmes/made-files");
    await dpkg("--install", deb("8.0.1"));
    expect(await sh("cat /var/lib/zmes/made-files")).toBe(list);
  });

  it("removed, gives its place back to the original, which ZoneMinder starts, and keeps the rest", async () => {
    const pid = await untilRunning();
    await dpkg("--remove", "zmes");
    expect(await sh(`cat ${DAEMON}`)).toBe(`${ORIGINAL}\n`);
    expect(await zoneminder("daemon", "status")).toContain("running since");
    expect(await exists(`/proc/${pid}`)).toBe(false);
    expect(await exists(`${DATA}/zmes.db`)).toBe(true);
    expect(await exists("/etc/zm/zmes.yml")).toBe(true);
  });

  it("purged, takes along what it made, and nothing else", async () => {
    await sh(`mkdir ${DATA}/models; echo theirs >${DATA}/models/theirs; echo theirs >/etc/zm/secrets.ini`);
    await dpkg("--purge", "zmes");
    expect(await sh(`find ${DATA} -type f`)).toBe(`${DATA}/models/theirs\n`);
    expect(await exists("/etc/zm/zmes.yml")).toBe(false);
    expect(await exists("/etc/zm/secrets.ini")).toBe(true);
    expect(await exists("/var/lib/zmes")).toBe(false);
    expect(await exists("/usr/lib/zmes")).toBe(false);
    expect(await sh(`cat ${DAEMON}`)).toBe(`${ORIGINAL}\n`);
  });
});
