// Whole runs with made pictures and engines that say what they are told to: order, strategies, past detections, failures.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { Engine, EngineContext, Finding } from "../../src/detect/engines/engine.ts";
import type { DetectionJob } from "../../src/detect/job.ts";
import { printedAnswer } from "../../src/detect/output/text.ts";
import { runSequence, type SequenceDeps } from "../../src/detect/sequence.ts";
import type { DetectSettings, ModelGroup, ModelSettings } from "../../src/domain/detect-settings.ts";
import type { MonitorFacts } from "../../src/domain/detection-source.ts";
import { temporaryFolder } from "../support/folders.ts";
import { anEvent, aStorage, type Color, colorOf, frameDeps, frameSettings, put } from "./frames/pictures.ts";
import { someSettings } from "./jobs.ts";

/** What each model says of a picture of each color. */
type Says = Readonly<Record<string, Partial<Record<Color, readonly Finding[] | Error>>>>;

const finding = (label: string, confidence = 0.9, box: Finding["box"] = [10, 10, 30, 30]): Finding => ({
  label,
  confidence,
  box,
});

interface Engines {
  engineFor: SequenceDeps["engineFor"];
  /** "yolo red", in the order of the calls. */
  readonly asked: string[];
  readonly contexts: EngineContext[];
}

function engines(says: Says): Engines {
  const asked: string[] = [];
  const contexts: EngineContext[] = [];
  return {
    asked,
    contexts,
    async engineFor({ name }): Promise<Engine> {
      const answers = says[name];
      if (answers === undefined) throw new Error("no such model file");
      return {
        description: name,
        labels: null,
        async detect(frame, context) {
          const color = await colorOf(frame);
          asked.push(`${name} ${color}`);
          contexts.push(context);
          const answer = answers[color as Color] ?? [];
          if (answer instanceof Error) throw answer;
          return answer;
        },
        async close() {},
      };
    },
  };
}

function model(name: string, change: Partial<ModelSettings> = {}): ModelSettings {
  const engine = { kind: "command", argv: ["x"], timeoutMs: 1 } as const;
  return { name, engine, minConfidence: 0.5, maxDetectionSize: null, preExistingLabels: [], ...change };
}

function group(models: readonly ModelSettings[], change: Partial<ModelGroup> = {}): ModelGroup {
  return {
    type: "object",
    pattern: ".*",
    preExistingLabels: [],
    strategy: "first",
    maxDetectionSize: null,
    maxDetectionSizes: {},
    models,
    ...change,
  };
}

function detectSettings(
  sequence: readonly ModelGroup[],
  change: Partial<DetectSettings> = {},
): DetectSettings {
  const { zones, output } = someSettings();
  return someSettings({
    frames: frameSettings(),
    sequence,
    zones: { ...zones, useZoneMinder: true },
    output: { ...output, showPercent: true },
    ...change,
  });
}

const monitor: MonitorFacts = { id: 3, name: "Drive", width: 64, height: 48, zones: [] };

/** An event with these pictures: snapshot, then alarm. */
async function aJob(
  settings: DetectSettings,
  pictures: readonly Color[] = ["red"],
  change: Partial<DetectionJob> = {},
  event = 5,
): Promise<DetectionJob> {
  const { root, folder } = await aStorage();
  const [snapshot, alarm] = pictures;
  await put(folder, {
    ...(snapshot === undefined ? {} : { "snapshot.jpg": snapshot }),
    ...(alarm === undefined ? {} : { "alarm.jpg": alarm }),
  });
  const frameSet = ["snapshot", "alarm"].slice(0, Math.max(1, pictures.length));
  return {
    source: anEvent(root, { event }),
    monitor,
    cause: "Motion",
    settings: { ...settings, frames: { ...settings.frames, frameSet } },
    outputFolder: null,
    drawTo: null,
    ...change,
  };
}

async function deps(made: Engines, change: Partial<SequenceDeps> = {}): Promise<SequenceDeps> {
  return {
    ...frameDeps(),
    engineFor: made.engineFor,
    pastFolder: await temporaryFolder(),
    logger: pino({ level: "silent" }),
    ...change,
  };
}

const labels = ({ result }: Awaited<ReturnType<typeof runSequence>>): readonly string[] =>
  result.detections.map(({ label }) => label);

describe("a run", () => {
  it("finds what a model sees, in whole pixels of the picture, with type and model", async () => {
    const made = engines({ yolo: { red: [finding("person", 0.9736, [-3.2, 5.4, 99, 20.6])] } });
    const { result, frame } = await runSequence(
      await aJob(detectSettings([group([model("yolo")])])),
      await deps(made),
    );
    expect(result).toMatchObject({
      frame: "snapshot",
      detections: [
        { label: "person", confidence: 0.9736, box: [0, 5, 64, 21], type: "object", model: "yolo" },
      ],
      rejected: [],
      original: { width: 64, height: 48 },
      analyzed: { width: 64, height: 48 },
      troubles: [],
    });
    expect(frame?.id).toBe("snapshot");
    expect(printedAnswer(result, detectSettings([]).output, true)).toMatch(
      /^\[s\] detected:person:97% --SPLIT--\{/,
    );
  });

  it("tells engines monitor and event, and asks for weaker things too", async () => {
    const made = engines({ yolo: {} });
    await runSequence(await aJob(detectSettings([group([model("yolo")])])), await deps(made));
    expect(made.contexts[0]).toMatchObject({ monitor: 3, event: 5, minConfidence: 0.2 });
  });

  it("notes how long reading, models and filters took", async () => {
    const made = engines({ yolo: { red: [finding("person")] } });
    const { result } = await runSequence(
      await aJob(detectSettings([group([model("yolo")])])),
      await deps(made),
    );
    expect(result.timings.map(({ step }) => step)).toEqual(["read snapshot", "yolo", "filters"]);
    expect(result.timings.every(({ ms }) => ms >= 0)).toBe(true);
  });

  it("drops boxes that are none, and makes odd labels and confidences plain", async () => {
    const odd = [
      finding("nan", Number.NaN),
      finding("box", 0.9, [Number.NaN, 0, 1, 1]),
      finding("turned", 0.9, [30, 30, 10, 10]),
      finding("two\nlines", 7),
    ];
    const made = engines({ yolo: { red: odd } });
    const { result } = await runSequence(
      await aJob(detectSettings([group([model("yolo")])])),
      await deps(made),
    );
    expect(result.detections.map(({ label, confidence }) => [label, confidence])).toEqual([["two lines", 1]]);
  });

  it("says what was rejected and why, with the picture, when nothing counts", async () => {
    const made = engines({
      yolo: { red: [finding("dog")], green: [finding("person", 0.3), finding("cat")] },
    });
    const settings = detectSettings([group([model("yolo")], { pattern: "person" })]);
    const { result, frame } = await runSequence(await aJob(settings, ["red", "green"]), await deps(made));
    expect(result).toMatchObject({ frame: null, detections: [], original: { width: 64, height: 48 } });
    expect(result.rejected.map(({ reason }) => reason)).toEqual(["confidence", "pattern"]);
    expect(frame?.id).toBe("alarm");
  });

  it("looks only in the zones, and tells which", async () => {
    const zones = [{ name: "Far Away", type: "Active", units: "Pixels", coords: "50,40 60,40 60,47" }];
    const made = engines({ yolo: { red: [finding("person"), finding("car", 0.9, [45, 35, 55, 45])] } });
    const job = await aJob(detectSettings([group([model("yolo")])]), ["red"], {
      monitor: { ...monitor, zones },
    });
    const outcome = await runSequence(job, await deps(made));
    expect(labels(outcome)).toEqual(["car"]);
    expect(outcome.result.rejected).toMatchObject([{ reason: "zone", detection: { label: "person" } }]);
    expect(outcome.result.zones).toEqual([
      {
        name: "far_away",
        points: [
          [50, 40],
          [60, 40],
          [60, 47],
        ],
      },
    ]);
  });
});

describe("models", () => {
  const found = {
    a: { red: [finding("car")] },
    b: { red: [finding("dog"), finding("cat")] },
    none: {},
  } satisfies Says;

  it.each([
    ["first", ["none", "a", "b"], ["car"], ["none red", "a red"]],
    ["most", ["a", "b"], ["dog", "cat"], ["a red", "b red"]],
    ["union", ["a", "b"], ["car", "dog", "cat"], ["a red", "b red"]],
  ] as const)("of one kind, by strategy %s", async (strategy, names, expected, asked) => {
    const made = engines(found);
    const settings = detectSettings([
      group(
        names.map((name) => model(name)),
        { strategy },
      ),
    ]);
    expect(labels(await runSequence(await aJob(settings), await deps(made)))).toEqual(expected);
    expect(made.asked).toEqual(asked);
  });

  it.each([
    [["car"], ["motorcycle", "alpr:AB"], ["motorbike"]],
    [["car"], ["motorcycle"], ["bus"]],
  ])(
    "of a kind are asked only after one of its labels was found, in any spelling",
    async (_, expected, preExistingLabels) => {
      const made = engines({ yolo: { red: [finding("motorcycle")] }, plates: { red: [finding("alpr:AB")] } });
      const plates = group([model("plates")], { type: "alpr", preExistingLabels });
      const settings = detectSettings([group([model("yolo")]), plates]);
      expect(labels(await runSequence(await aJob(settings), await deps(made)))).toEqual(expected);
    },
  );

  it("may have such labels of their own; what was rejected does not count", async () => {
    const made = engines({ yolo: { red: [finding("car", 0.1)] }, small: { red: [finding("dog")] } });
    const settings = detectSettings([group([model("yolo"), model("small", { preExistingLabels: ["car"] })])]);
    expect(labels(await runSequence(await aJob(settings), await deps(made)))).toEqual([]);
    expect(made.asked).toEqual(["yolo red"]);
  });

  it("that cannot be loaded are said once and left out for all pictures", async () => {
    const made = engines({ yolo: { red: [finding("car")], green: [finding("car")] } });
    const settings = detectSettings([group([model("gone"), model("yolo")])]);
    const outcome = await runSequence(await aJob(settings, ["red", "green"]), await deps(made));
    expect(labels(outcome)).toEqual(["car"]);
    expect(outcome.result.troubles).toEqual(["Model gone cannot be used: no such model file"]);
  });

  it("that fail on one picture are asked about the next", async () => {
    const made = engines({ yolo: { red: new Error("out of memory"), green: [finding("car")] } });
    const outcome = await runSequence(
      await aJob(detectSettings([group([model("yolo")])]), ["red", "green"]),
      await deps(made),
    );
    expect(outcome.result.frame).toBe("alarm");
    expect(outcome.result.troubles).toEqual(["Model yolo failed on snapshot: out of memory"]);
  });

  it("count all labels where a pattern cannot be used, and say so", async () => {
    const made = engines({ yolo: { red: [finding("car")] } });
    const outcome = await runSequence(
      await aJob(detectSettings([group([model("yolo")], { pattern: "(car" })])),
      await deps(made),
    );
    expect(labels(outcome)).toEqual(["car"]);
    expect(outcome.result.troubles.join()).toContain("(car");
  });
});

describe("pictures", () => {
  it.each([
    ["first", "snapshot", ["yolo red"]],
    ["most", "alarm", ["yolo red", "yolo green"]],
  ] as const)("by strategy %s: %s wins", async (frameStrategy, winner, asked) => {
    const made = engines({ yolo: { red: [finding("car")], green: [finding("car"), finding("dog")] } });
    const settings = detectSettings([group([model("yolo")])], { frameStrategy });
    const { result, frame } = await runSequence(await aJob(settings, ["red", "green"]), await deps(made));
    expect([result.frame, frame?.id]).toEqual([winner, winner]);
    expect(made.asked).toEqual(asked);
  });

  it("that are missing are troubles, and the others are looked at", async () => {
    const made = engines({ yolo: { red: [finding("car")] } });
    const job = await aJob(detectSettings([group([model("yolo")])]), ["red"]);
    const frames = frameSettings({ frameSet: ["alarm", "snapshot"] });
    const { result } = await runSequence({ ...job, settings: { ...job.settings, frames } }, await deps(made));
    expect(result.frame).toBe("snapshot");
    expect(result.troubles).toEqual(["alarm.jpg of event 5 is not there"]);
  });

  it("none at all: nothing found, no picture, and why", async () => {
    const outcome = await runSequence(
      await aJob(detectSettings([group([model("yolo")])]), []),
      await deps(engines({ yolo: {} })),
    );
    expect(outcome).toMatchObject({ frame: null, result: { frame: null, original: null, detections: [] } });
    expect(outcome.result.troubles).toHaveLength(1);
  });
});

describe("past detections", () => {
  const on = detectSettings([group([model("yolo")])], {
    past: { isOn: true, maxDifference: { unit: "percent", value: 5 }, maxDifferences: {}, ignoredLabels: [] },
  });
  const parked = {
    yolo: { red: [finding("car")], green: [finding("car"), finding("person", 0.9, [40, 10, 50, 40])] },
  };

  it("hide what stood there at the event before, not what is new", async () => {
    const made = await deps(engines(parked));
    expect(labels(await runSequence(await aJob(on, ["red"], {}, 1), made))).toEqual(["car"]);
    const second = await runSequence(await aJob(on, ["green"], {}, 2), made);
    expect(labels(second)).toEqual(["person"]);
    expect(second.result.rejected).toMatchObject([{ reason: "past-detection", detection: { label: "car" } }]);
    expect(labels(await runSequence(await aJob(on, ["red"], {}, 3), made))).toEqual([]);
    expect(labels(await runSequence(await aJob(on, ["red"], {}, 4), made))).toEqual([]);
  });

  it("hide nothing between the pictures or the runs of one event", async () => {
    const made = await deps(engines(parked));
    expect(labels(await runSequence(await aJob(on, ["red", "green"], {}, 1), made))).toEqual([
      "car",
      "person",
    ]);
    expect(labels(await runSequence(await aJob(on, ["red"], {}, 1), made))).toEqual(["car"]);
  });

  it("let the picture win that has something new", async () => {
    const made = await deps(engines(parked));
    const first = { ...on, frameStrategy: "first" as const };
    await runSequence(await aJob(first, ["red"], {}, 1), made);
    expect((await runSequence(await aJob(first, ["red", "green"], {}, 2), made)).result.frame).toBe("alarm");
  });

  it("belong to one monitor, and to nobody's files", async () => {
    const made = await deps(engines(parked));
    await runSequence(await aJob(on, ["red"], {}, 1), made);
    const other = { ...monitor, id: 4 };
    expect(labels(await runSequence(await aJob(on, ["red"], { monitor: other }, 2), made))).toEqual(["car"]);
    expect(labels(await runSequence(await aJob(on, ["red"], { monitor: null }, 3), made))).toEqual(["car"]);
  });

  it("hide nothing while they are off", async () => {
    const made = await deps(engines(parked));
    const off = detectSettings([group([model("yolo")])]);
    for (const event of [1, 2])
      expect(labels(await runSequence(await aJob(off, ["red"], {}, event), made))).toEqual(["car"]);
  });

  it("that cannot be saved are a trouble, no failure", async () => {
    const file = path.join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const outcome = await runSequence(await aJob(on), await deps(engines(parked), { pastFolder: file }));
    expect(labels(outcome)).toEqual(["car"]);
    expect(outcome.result.troubles.join()).toContain("could not be remembered");
  });
});

describe("a run that is ended early", () => {
  it("answers with what was found until then", async () => {
    const abort = new AbortController();
    const made = engines({ yolo: { red: [finding("car")], green: [finding("car"), finding("dog")] } });
    const job = await aJob(detectSettings([group([model("yolo")])]), ["red", "green"]);
    const settings = { ...job.settings, frames: { ...job.settings.frames, delayBetweenFramesMs: 60_000 } };
    setTimeout(() => abort.abort(new Error("too late")), 200);
    const outcome = await runSequence({ ...job, settings }, await deps(made, { signal: abort.signal }));
    expect(labels(outcome)).toEqual(["car"]);
    expect(outcome.result.troubles.join()).toContain("The time was up");
  });

  it("does not wait for a model that hangs", async () => {
    const abort = new AbortController();
    const made = engines({ yolo: { red: [finding("car")] } });
    const engineFor: SequenceDeps["engineFor"] = async (asked) => {
      const engine = await made.engineFor(model("yolo"));
      return asked.name === "hangs" ? { ...engine, detect: () => new Promise<never>(() => {}) } : engine;
    };
    setTimeout(() => abort.abort(new Error("too late")), 200);
    const settings = detectSettings([group([model("yolo")]), group([model("hangs")], { type: "face" })]);
    const outcome = await runSequence(
      await aJob(settings),
      await deps(made, { engineFor, signal: abort.signal }),
    );
    expect(labels(outcome)).toEqual(["car"]);
  });

  it("is not remembered: the next event is told of what it saw", async () => {
    const abort = new AbortController();
    const past = {
      isOn: true,
      maxDifference: { unit: "percent", value: 5 },
      maxDifferences: {},
      ignoredLabels: [],
    } as const;
    const made = engines({ yolo: { red: [finding("car")] } });
    const given = await deps(made);
    const job = await aJob(detectSettings([group([model("yolo")])], { past }), ["red"], {}, 1);
    const waits = { ...job.settings.frames, frameSet: ["snapshot", "alarm"], delayBetweenFramesMs: 60_000 };
    setTimeout(() => abort.abort(new Error("too late")), 200);
    const first = await runSequence(
      { ...job, settings: { ...job.settings, frames: waits } },
      { ...given, signal: abort.signal },
    );
    expect(labels(first)).toEqual(["car"]);
    expect(labels(await runSequence(await aJob(job.settings, ["red"], {}, 2), given))).toEqual(["car"]);
  });

  it("before it began reads nothing", async () => {
    const made = engines({ yolo: { red: [finding("car")] } });
    const outcome = await runSequence(
      await aJob(detectSettings([group([model("yolo")])])),
      await deps(made, { signal: AbortSignal.abort() }),
    );
    expect(made.asked).toEqual([]);
    expect(outcome.frame).toBeNull();
  });
});
