import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { checkFiles } from "../../../src/cli/check-config/files.ts";
import { reportConfig } from "../../../src/cli/check-config.ts";
import { createSettingsFor } from "../../../src/cli/detection/settings.ts";
import { createSettingsThread } from "../../../src/cli/detection/settings-thread.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { configSchema } from "../../../src/config/schema.ts";
import type { DetectRequest } from "../../../src/detect/socket-messages.ts";
import { aFolder } from "../../config/temporary-files.ts";
import { eventually } from "../../support/eventually.ts";
import { recordingLogger } from "../../support/server.ts";

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

describe("settings for a look in a server", () => {
  function serve(text: string) {
    const folder = aFolder({ "objectconfig.yml": text });
    const config = configSchema.parse({
      general: { base_data_path: folder },
      detection: { config: join(folder, "objectconfig.yml") },
    });
    const log: Record<string, unknown>[] = [];
    return {
      folder,
      log,
      thread: createSettingsThread(config, recordingLogger(log), { patienceMs: 60_000 }),
    };
  }
  const YAML =
    "general:\n  wait: 2\n  wiat: 3\nml:\n  ml_sequence:\n    object:\n      sequence: [{ object_weights: /m/b.onnx }]\n";

  it("are the same, with the same warnings", async () => {
    const { log, thread } = serve(YAML);
    expect(await thread.settingsFor(3, OPTIONS)).toMatchObject({ frames: { waitMs: 2000 } });
    await eventually(() => expect(log).toMatchObject([{ msg: expect.stringContaining("1 of its keys") }]));
    expect(await thread.settingsFor(3, { ...OPTIONS, config: "/no.yml" })).toEqual({
      failed: expect.stringContaining("/no.yml cannot be read"),
    });
    await thread.stop();
  });

  it("hold up nothing else while a file as large as it may be is read", async () => {
    const many = Array.from({ length: 5_500 }, (_, i) => `  unknown_key_${i}: 1\n`).join("");
    const { thread } = serve(`${YAML}push:\n${many}`);
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const begun = performance.now();
    expect(await thread.settingsFor(3, OPTIONS)).toMatchObject({ frames: { waitMs: 2000 } });
    const whole = performance.now() - begun;
    clearInterval(watch);
    expect(longest).toBeLessThan(whole / 3);
    await thread.stop();
  }, 90_000);

  it("are not waited for when the thread dies or the program ends", async () => {
    const { thread } = serve(YAML);
    const asked = thread.settingsFor(3, OPTIONS);
    await thread.stop();
    expect(await asked).toEqual({ failed: "objectconfig could not be read: the program ends" });
  });
});

it("settings that the disk does not give are waited for once, and not for ever", async () => {
  const silent = new URL("data:text/javascript,setInterval(() => undefined, 1000)");
  const config = configSchema.parse({ detection: { config: "/hanging/objectconfig.yml" } });
  const thread = createSettingsThread(config, recordingLogger([]), { thread: silent, patienceMs: 500 });
  const failed = "objectconfig could not be read within 0.5 s";
  expect(await thread.settingsFor(3, OPTIONS)).toEqual({ failed });
  expect(await Promise.race([thread.settingsFor(4, OPTIONS), nextTurn("waits")])).toEqual({ failed });
  await thread.stop();
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

  it("warns of a pattern that cannot be used", async () => {
    const folder = aFolder({ "zmes.yml": 'ssl:\n  enable: no\ndetection:\n  pattern: "((person"\n' });
    const { warnings } = await checkFiles(loadConfig({ path: join(folder, "zmes.yml") }), 0);
    expect(warnings).toContainEqual(
      expect.stringMatching(/detection.pattern .*is no pattern that can be used/),
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
