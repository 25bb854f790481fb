import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkConfig, reportConfig } from "../../src/cli/check-config.ts";
import type { CommandIo } from "../../src/cli/command.ts";
import { loadConfig } from "../../src/config/load.ts";
import { fixture, load } from "../config/temporary-files.ts";

function report(name: string): string {
  return reportConfig(loadConfig({ path: fixture(name) })).text;
}

describe("--check-config", () => {
  it("begins as the original does", () => {
    const path = fixture("v7.yml");
    expect(report("v7.yml")).toMatch(`\nConfiguration (read ${path}):\n\nSecrets file....`);
    const { text } = reportConfig(loadConfig({ searchPath: ["/nowhere/zmes.yml"] }));
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
    expect(text).toContain("\nHook Skipped monitors................. 3,7\n");
    expect(text).toContain("\nVerbose .............................. yes\n");
    expect(report("v7.yml")).not.toMatch(/^(FCM API key|Hook|Keep frame match type) ?\./m);
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

  it("names each key the file sets that is not used yet, or no longer needed, with the reason", () => {
    const text = report("v7.yml");
    const notYet = text.slice(
      text.indexOf("Set, but not used yet:"),
      text.indexOf("Set, but no longer needed:"),
    );
    const noMore = text.slice(text.indexOf("Set, but no longer needed:"), text.indexOf("Warnings:"));
    expect(notYet).toContain("  mqtt.server: MQTT comes with a later release\n");
    expect(notYet).not.toContain("network.port");
    expect(noMore).toContain("  general.restart_interval: the program has no need to restart itself\n");
    expect(noMore).toContain("  customize.event_check_interval: ");
    expect(noMore).not.toContain("mqtt.tick_interval");
  });

  it("exits with 0 when the server could start, and says so", () => {
    const { text, exitCode } = reportConfig(loadConfig({ path: fixture("v7.yml") }));
    expect(exitCode).toBe(0);
    expect(text).toMatch(/\nThe server can start with this configuration\.\n$/);
  });

  it("exits with 2 when it could not, with every error", () => {
    const { text, exitCode } = reportConfig(load("a.yml", "network:\n  port: x\nauth:\n  timeout: y\n"));
    expect(exitCode).toBe(2);
    expect(text).toMatch(
      /Errors:\n {2}\S+a.yml:2 network.port: .*\n {2}\S+a.yml:4 auth.timeout: .*\n {2}\S+a.yml: ssl.enable: TLS is on/,
    );
    expect(text).toMatch(/\nThe server cannot start with this configuration\.\n$/);
  });

  it("is a command that takes the options of the server", async () => {
    const stdout: string[] = [];
    const stderr: string[] = [];
    const io = {
      stdout: { write: (text: string) => stdout.push(text) },
      stderr: { write: (text: string) => stderr.push(text) },
      env: {},
    } as unknown as CommandIo;
    const code = await checkConfig.run(["--config", fixture("v1.0.ini"), "--port=9001", "--prot"], io);
    expect(code).toBe(0);
    expect(stdout.join("")).toContain("Port ................................. 9001\n");
    expect(stderr.join("")).toContain("zmes: Unknown option: prot is ignored; did you mean --port?\n");
  });

  it("changes nothing about the file", () => {
    const before = readFileSync(fixture("v6.ini"), "utf8");
    report("v6.ini");
    expect(readFileSync(fixture("v6.ini"), "utf8")).toBe(before);
  });
});
