import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine, Finding } from "../../../src/detect/engines/engine.ts";
import { createPortals } from "../../../src/detect/frames/portal.ts";
import { answerFor } from "../../../src/detect/resident/answer.ts";
import type { ModelGroup } from "../../../src/domain/detect-settings.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { aJpeg } from "../../support/pictures.ts";
import { recordingLogger } from "../../support/server.ts";
import { aJob, someSettings } from "../jobs.ts";

const group = (names: readonly string[]): ModelGroup => ({
  type: "object",
  pattern: ".*",
  preExistingLabels: [],
  strategy: "first",
  maxDetectionSize: null,
  maxDetectionSizes: {},
  models: names.map((name) => ({
    name,
    engine: { kind: "command", argv: [name], timeoutMs: 1000 },
    minConfidence: 0.3,
    maxDetectionSize: null,
    preExistingLabels: [],
  })),
});
const person: Finding = { label: "person", confidence: 0.9, box: [1, 1, 10, 10] };

describe("an answer", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmes-answer-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function ask(
    names: readonly string[],
    engines: Record<string, () => Promise<readonly Finding[]>>,
    picture = true,
  ) {
    mkdirSync(join(folder, "7"));
    if (picture) writeFileSync(join(folder, "7", "snapshot.jpg"), await aJpeg());
    const job = aJob({ root: folder, settings: someSettings({ sequence: [group(names)] }) });
    const source = { ...job.source, folders: ["7"] };
    const engineFor = async (settings: {
      readonly kind: string;
      readonly argv?: readonly string[];
    }): Promise<Engine> => {
      const detect = engines[settings.argv?.[0] ?? ""];
      if (detect === undefined) throw new Error("its file is not there");
      return { description: "", labels: null, detect, close: async () => undefined };
    };
    return answerFor(
      { ...job, source } as typeof job,
      { engineFor, signal: new AbortController().signal },
      {
        pastFolder: folder,
        portals: createPortals(),
        ffmpeg: "ffmpeg",
        clock: systemClock,
        logger: recordingLogger([]),
        patienceMs: 100,
        writeFiles: async () => ["the disk is full"],
      },
    );
  }

  it("has what was found, as the original prints it, and what went wrong with its files", async () => {
    expect(await ask(["a"], { a: async () => [person] })).toMatchObject({
      printed: expect.stringMatching(/^\[s\] detected:person--SPLIT--/),
      result: { frame: "snapshot", troubles: ["the disk is full"] },
    });
  });

  it("is empty when a model looked and found nothing", async () => {
    expect(await ask(["a"], { a: async () => [] })).toMatchObject({ printed: "" });
  });

  it("is none when no picture could be read", async () => {
    await expect(ask(["a"], { a: async () => [] }, false)).rejects.toThrow(/snapshot/);
  });

  it("is none when nothing was found and a model could not look", async () => {
    await expect(ask(["a", "b"], { a: async () => [] })).rejects.toThrow(
      "Model b cannot be used: its file is not there",
    );
  });

  it("counts all the same when another model found something", async () => {
    const found = await ask(["b", "a"], { a: async () => [person] });
    expect(found.printed).toContain("detected:person");
    expect(found.result.troubles).toContain("Model b cannot be used: its file is not there");
  });

  it("is none when a model fails on every picture", async () => {
    const fails = { a: () => Promise.reject(new Error("out of sorts")) };
    await expect(ask(["a"], fails)).rejects.toThrow(/Model a failed on snapshot: out of sorts/);
  });
});
