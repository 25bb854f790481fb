import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkFiles } from "../../../src/cli/check-config/files.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/schema.ts";

async function warningsFor(fcm: Partial<Config["fcm"]>): Promise<readonly string[]> {
  const loaded = loadConfig({ searchPath: [] });
  const config: Config = { ...loaded.config, fcm: { ...loaded.config.fcm, ...fcm } };
  const { warnings, problems } = await checkFiles({ ...loaded, config }, 0);
  expect(problems.filter((problem) => problem.includes("push"))).toEqual([]);
  return warnings.filter((warning) => warning.includes("push"));
}

test("a service account that cannot be read is a warning with the way out", async () => {
  expect(await warningsFor({ fcm_service_account_file: "/nowhere/firebase.json" })).toEqual([
    expect.stringMatching(/^The service account \/nowhere\/firebase\.json .* ENOENT\. Check .*\.$/),
  ]);
});

test("a service account is not looked at while push is switched off", async () => {
  expect(await warningsFor({ enable: false, fcm_service_account_file: "/nowhere/firebase.json" })).toEqual(
    [],
  );
});

async function scriptWarnings(push: Partial<Config["push"]>): Promise<readonly string[]> {
  const loaded = loadConfig({ searchPath: [] });
  const config: Config = { ...loaded.config, push: { ...loaded.config.push, use_api_push: true, ...push } };
  const { warnings } = await checkFiles({ ...loaded, config }, 0);
  return warnings.filter((warning) => warning.includes("api_push_script"));
}

test("a push script that is not there is a warning with its path and the way out", async () => {
  expect(await scriptWarnings({ api_push_script: "/nowhere/push.sh --fast" })).toEqual([
    expect.stringMatching(
      /^The script \/nowhere\/push\.sh \(push\.api_push_script\) .*: there is no such file\. Correct .*\.$/,
    ),
  ]);
});

test("a push script that can be run, or is switched off, is no warning", async () => {
  expect(await scriptWarnings({ api_push_script: "/bin/sh -c true" })).toEqual([]);
  expect(await scriptWarnings({ api_push_script: "sh -c true" })).toEqual([]);
  expect(await scriptWarnings({ api_push_script: "/nowhere/push.sh", use_api_push: false })).toEqual([]);
});

test("a push script named without its folder is looked for where scripts are, whatever PATH is here", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zmes-path-"));
  const before = process.env.PATH;
  try {
    writeFileSync(join(folder, "zmes-push-somewhere"), "#!/bin/sh\n", { mode: 0o755 });
    process.env.PATH = `${before}:${folder}`;
    expect(await scriptWarnings({ api_push_script: "zmes-push-somewhere" })).toEqual([
      expect.stringContaining("neither /bin nor /usr/bin has a program of this name"),
    ]);
  } finally {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  }
});

test("a push script named by a relative path is looked for where scripts begin, not here", async () => {
  expect(await scriptWarnings({ api_push_script: "bin/zmes" })).toEqual([
    expect.stringContaining("there is no such file"),
  ]);
  expect(await scriptWarnings({ api_push_script: "bin/sh" })).toEqual([]);
});
