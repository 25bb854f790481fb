import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkConfig, reportConfig } from "../../src/cli/check-config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { aFolder, fixture, load } from "../config/temporary-files.ts";
import { makeCertificate } from "../support/certificates.ts";
import { testIo } from "../support/command-io.ts";

/** For what follows from the configuration alone. */
const NOTHING = { warnings: [], problems: [] };

function report(name: string): string {
  return reportConfig(loadConfig({ path: fixture(name) }), NOTHING).text;
}

describe("--check-config", () => {
  it("begins as the original does", () => {
    const path = fixture("v7.yml");
    expect(report("v7.yml")).toMatch(`\nConfiguration (read ${path}):\n\nSecrets file....`);
    const { text } = reportConfig(loadConfig({ searchPath: ["/nowhere/zmes.yml"] }), NOTHING);
    expect(text).toMatch("\nDefault configuration (/nowhere/zmes.yml doesn't exist):\n\nSecrets file....");
  });

  it("shows the rows of version 7 for its file", async () => {
    const rows = report("v7.yml").replaceAll(fixture(""), "").split("\nnetwork.trusted_proxies")[0];
    await expect(rows).toMatchFileSnapshot("../fixtures/config/v7.check-config.txt");
  });

  it("shows for a file of 3.2 the rows that 7 does not have", () => {
    const text = report("v3.2.ini");
    expect(text).toContain("\nFCM API key ................... (undefined)\n");
    expect(text).toContain("\nHook .......................... '/usr/bin/detect_wrapper.sh'\n");
    expect(text).toContain("\nKeep frame match type................. yes\n");
    expect(text).toContain("\nUse Hooks............................. yes\n");
    expect(text).toContain("\nHook Skipped monitors................. 3,7\n");
    expect(text).toContain("\nVerbose .............................. yes\n");
    expect(report("v7.yml")).not.toMatch(/^(FCM API key|Hook|Keep frame match type) ?\./m);
  });

  it("shows the hook of versions 3.3 and 4, which ran without a switch", () => {
    const ini = "[ssl]\nenable = no\n[hook]\nhook_pass_image_path = yes\nhook_script = /x\n";
    const { text } = reportConfig(load("a.ini", ini), NOTHING);
    expect(text).toContain(
      "\nHook .......................... /x\nUse Hooks............................. yes\n",
    );
  });

  it("shows our own keys by their names", () => {
    expect(report("v7.yml")).toMatch(/\nzoneminder.scan_interval_ms \.+ auto\n/);
    expect(report("v7.yml")).toMatch(/\nlimits.unauthenticated_per_address \.+ 100\n/);
    expect(report("v7.yml")).toMatch(/\ncustomize.repeat_cooldown \.+ 60\n/);
  });

  it("shows the picture address without its password, and where it may go on", () => {
    expect(report("v3.2.ini")).toContain(
      "\nPicture URL .......................... https://zm.example.org/zm/index.php?view=image&eid=EVENTID&fid=BESTMATCH&width=600&...\n",
    );
  });

  it("shows what escontrol changed as such, unless the command line stands above it", async () => {
    const folder = aFolder({
      "data/escontrol.json": '{"overrides":{"limits":{"connections":"5"}},"port":"9005"}',
    });
    const file = join(folder, "zmes.yml");
    writeFileSync(
      file,
      `general:\n  base_data_path: ${folder}/data\n  use_escontrol_interface: yes\nssl:\n  enable: no\n`,
    );
    const io = testIo();
    expect(await checkConfig.run(["--config", file], io)).toBe(0);
    expect(io.out()).toContain("\nChanged by escontrol:\n  network.port: 9005\n  limits.connections: 5\n\n");
    expect(io.out()).toContain("\nPort ................................. 9005\n");
    const above = testIo();
    await checkConfig.run(["--config", file, "--port", "9006"], above);
    expect(above.out()).toContain("\nChanged by escontrol:\n  limits.connections: 5\n\n");
    expect(above.out()).toContain("\nPort ................................. 9006\n");
  });

  it("names each key the file sets that is no longer needed, with the reason; every other one is used", () => {
    const text = report("v7.yml");
    expect(text).not.toContain("Set, but not used yet:");
    const noMore = text.slice(text.indexOf("Set, but no longer needed:"), text.indexOf("Warnings:"));
    expect(noMore).toContain("  general.restart_interval: the program has no need to restart itself\n");
    expect(noMore).toContain("  customize.event_check_interval: ");
    expect(noMore).not.toContain("mqtt.tick_interval");
  });

  it("exits with 0 when the server could start, and says so", () => {
    const { text, exitCode } = reportConfig(loadConfig({ path: fixture("v7.yml") }), NOTHING);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/\nThe server can start with this configuration\.\n$/);
  });

  it("exits with 2 when it could not, with every error", () => {
    const { text, exitCode } = reportConfig(
      load("a.yml", "network:\n  port: x\nauth:\n  timeout: y\n"),
      NOTHING,
    );
    expect(exitCode).toBe(2);
    expect(text).toMatch(
      /Errors:\n {2}\S+a.yml:2 network.port: .*\n {2}\S+a.yml:4 auth.timeout: .*\n {2}\S+a.yml: ssl.enable: TLS is on/,
    );
    expect(text).toMatch(/\nThe server cannot start with this configuration\.\n$/);
  });

  it("is a command that takes the options of the server", async () => {
    const io = testIo();
    const argv = ["--config", fixture("v1.0.ini"), "--port=9001", "--no-enable-ssl", "--prot"];
    expect(await checkConfig.run(argv, io)).toBe(0);
    expect(io.out()).toContain("Port ................................. 9001\n");
    expect(io.err()).toContain("zmes: Unknown option: prot is ignored; did you mean --port?\n");
  });

  it("looks at the certificate, as the server will", async () => {
    const certificate = makeCertificate();
    const other = makeCertificate();
    onTestFinished(certificate.remove);
    onTestFinished(other.remove);
    const check = async (cert: string, key: string) => {
      const io = testIo();
      const path = join(aFolder({ "a.yml": `ssl: { cert: ${cert}, key: ${key} }` }), "a.yml");
      return { code: await checkConfig.run(["--config", path], io), text: io.out() };
    };
    expect((await check(certificate.cert, certificate.key)).code).toBe(0);
    const missing = await check("/nowhere/x.pem", certificate.key);
    expect([missing.code, missing.text]).toEqual([
      2,
      expect.stringContaining("ssl.cert /nowhere/x.pem cannot be read"),
    ]);
    const mixed = await check(certificate.cert, other.key);
    expect([mixed.code, mixed.text]).toEqual([
      2,
      expect.stringContaining("does not belong to the certificate"),
    ]);
  });

  it("warns of a certificate that ends soon and of a ZoneMinder that is not there, and still is content", async () => {
    const certificate = makeCertificate(3);
    onTestFinished(certificate.remove);
    const { cert, key } = certificate;
    const io = testIo();
    const text = `ssl: { cert: ${cert}, key: ${key} }\nzoneminder: { config: /nowhere/zm.conf }\n`;
    expect(await checkConfig.run(["--config", join(aFolder({ "a.yml": text }), "a.yml")], io)).toBe(0);
    expect(io.out()).toContain(`The certificate ${cert} expires on `);
    expect(io.out()).toContain("The server needs ZoneMinder on this machine: ");
  });

  it("changes nothing about the file", () => {
    const before = readFileSync(fixture("v6.ini"), "utf8");
    report("v6.ini");
    expect(readFileSync(fixture("v6.ini"), "utf8")).toBe(before);
  });
});
