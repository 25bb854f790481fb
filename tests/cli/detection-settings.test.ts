import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reportConfig } from "../../src/cli/check-config.ts";
import { checkFiles } from "../../src/cli/check-files.ts";
import { createSettingsFor } from "../../src/cli/detection-settings.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { DetectRequest } from "../../src/detect/socket-messages.ts";
import { aFolder } from "../config/temporary-files.ts";
import { recordingLogger } from "../support/server.ts";

const OPTIONS: DetectRequest["options"] = { config: null, overrides: [], writesFiles: true, drawTo: null };
const TEXT = "[general]\nuse_sequence=no\nobject_weights=/m/a.onnx\nwiat=3\n[monitor-3]\nwait=5\n";

function start(text: string, section: Record<string, unknown> = {}) {
  const folder = aFolder({ "objectconfig.ini": text });
  const file = join(folder, "objectconfig.ini");
  const log: Record<string, unknown>[] = [];
  const config = configSchema.parse({
    general: { base_data_path: folder },
    detection: { config: file, ...section },
  });
  return { folder, file, log, settingsFor: createSettingsFor(config, recordingLogger(log)) };
}

describe("settings for a look", () => {
  it("come from the objectconfig file, with what only the section detection can say", async () => {
    const { settingsFor } = start(TEXT, { zone_rule: "bottom_center", pattern: "never" });
    expect(await settingsFor(3, OPTIONS)).toMatchObject({
      frames: { waitMs: 5000 },
      sequence: [{ pattern: ".*", models: [{ engine: { weights: "/m/a.onnx" } }] }],
      zones: { rule: "bottom_center" },
    });
  });

  it("come from another file, with overrides, where a command says so", async () => {
    const { folder, settingsFor } = start(TEXT);
    const other = join(folder, "other.yml");
    writeFileSync(
      other,
      "ml:\n  ml_sequence:\n    object:\n      sequence: [{ object_weights: /m/b.onnx }]\n",
    );
    const overrides = ["general.wait=7", "ml_sequence.object.sequence[0].object_processor=gpu"];
    expect(await settingsFor(3, { ...OPTIONS, config: other, overrides })).toMatchObject({
      frames: { waitMs: 7000 },
      sequence: [{ models: [{ engine: { weights: "/m/b.onnx", processor: "gpu" } }] }],
    });
  });

  it("follow the file, and say once that it has keys without effect", async () => {
    const { file, log, settingsFor } = start(TEXT);
    await settingsFor(3, OPTIONS);
    await settingsFor(4, OPTIONS);
    expect(log.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/objectconfig.ini: 1 of its keys .*check-config/),
    ]);
    writeFileSync(file, TEXT.replace("wait=5", "wait=6000"));
    expect(await settingsFor(3, OPTIONS)).toMatchObject({ frames: { waitMs: 6_000_000 } });
  });

  it("are refused with place and way out where the file cannot be used", async () => {
    const { file, settingsFor } = start(TEXT.replace("wait=5", "wait=soon"));
    expect(await settingsFor(3, OPTIONS)).toEqual({
      failed: expect.stringMatching(
        /objectconfig.ini:6 monitor-3.wait: "soon" is not a number.*check-config/,
      ),
    });
    expect(await settingsFor(4, OPTIONS)).not.toHaveProperty("failed");
    writeFileSync(file, "nothing");
    expect(await settingsFor(4, OPTIONS)).toEqual({
      failed: expect.stringMatching(/objectconfig.ini:1 expected/),
    });
  });
});

describe("--check-config", () => {
  async function report(text: string) {
    const folder = aFolder({ "objectconfig.ini": text });
    const file = join(folder, "objectconfig.ini");
    writeFileSync(join(folder, "zmes.yml"), `ssl:\n  enable: no\ndetection:\n  config: ${file}\n`);
    const loaded = loadConfig({ path: join(folder, "zmes.yml") });
    return reportConfig(loaded, await checkFiles(loaded, 0));
  }

  it("lists every key of the objectconfig file that has no effect", async () => {
    expect((await report(TEXT)).text).toMatch(
      /\nAbout the keys of detection.config:\n {2}\S+objectconfig.ini:4 general.wiat = 3: it is not known; did you mean wait\?\n/,
    );
  });

  it("warns of what cannot be used, for the server starts without detection", async () => {
    const { text, exitCode } = await report(TEXT.replace("wait=5", "wait=soon"));
    expect(text).toMatch(
      /\nWarnings:\n(.*\n)* {2}\S+objectconfig.ini:6 monitor-3.wait: "soon" is not a number/,
    );
    expect(exitCode).toBe(0);
    expect((await report("nothing")).text).toMatch(/ {2}\S+objectconfig.ini:1 expected \[section\]/);
  });
});
