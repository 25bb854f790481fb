import { expect, test } from "vitest";
import { checkFiles } from "../../src/cli/check-files.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";

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
