import { describe, expect, it, vi } from "vitest";
import type { Engine } from "../../../src/detect/engines/engine.ts";
import type { DetectionAnswer, DetectionJob } from "../../../src/detect/job.ts";
import type { Frame } from "../../../src/detect/picture/frame.ts";
import { createEnginePool } from "../../../src/detect/resident/engine-pool.ts";
import type { FromProcess } from "../../../src/detect/resident/messages.ts";
import { createWork, type LookTools } from "../../../src/detect/resident/work.ts";
import type { EngineSettings, ModelGroup } from "../../../src/domain/detect-settings.ts";
import { orAborted } from "../../../src/lib/within.ts";
import { eventually } from "../../support/eventually.ts";
import { aJob, someSettings } from "../jobs.ts";

const hog: EngineSettings = {
  kind: "hog",
  stride: [4, 4],
  padding: [8, 8],
  scale: 1.05,
  useMeanShift: false,
  minWeight: 0,
};
const command: EngineSettings = { kind: "command", argv: ["/bin/true"], timeoutMs: 1000 };
const context = { minConfidence: 0, monitor: null, event: null, signal: new AbortController().signal };
const frame = {} as Frame;

/** Whoever else wants to look gets the chance to. */
const takeAMoment = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A process whose engines take a moment and remember how many looked at once. */
function setUp(
  look: (job: DetectionJob, tools: LookTools) => Promise<DetectionAnswer>,
  duringLook: (prepared: readonly number[]) => Promise<unknown> = takeAMoment,
  untilPrepared: (count: number) => Promise<unknown> = async () => undefined,
) {
  const told: FromProcess[] = [];
  let looking = 0;
  let most = 0;
  /** How many looked, at each picture that was prepared. */
  const prepared: number[] = [];
  const engine = (description: string, isClosed = { yes: false }): Engine => ({
    description,
    labels: null,
    async detect() {
      if (isClosed.yes) throw new Error("it was closed");
      looking += 1;
      most = Math.max(most, looking);
      await duringLook(prepared);
      looking -= 1;
      return [];
    },
    async prepare() {
      prepared.push(looking);
      await untilPrepared(prepared.length);
    },
    async close() {
      isClosed.yes = true;
    },
  });
  const created: string[] = [];
  const engines = createEnginePool(async (settings) => {
    created.push(settings.kind);
    if (settings.kind === "darknet") throw new Error("/models/x.cfg is not there");
    return engine(settings.kind);
  });
  const tryOut = vi.fn(async () => undefined);
  const take = createWork({ engines, look, tryOut, tell: (message) => told.push(message), now: () => 0 });
  const turnOf = (job: number) =>
    told.flatMap((each) => (each.kind === "turn" && each.id === job ? each.is : [])).at(-1);
  const outcomes = () => told.filter(({ kind }) => kind === "answer" || kind === "failed");
  return { told, take, created, tryOut, most: () => most, outcomes, turnOf };
}

const printed = (text: string) => ({ printed: text }) as DetectionAnswer;

describe("the work of the detector process", () => {
  it("decodes a picture while another one is looked at", async () => {
    const site = setUp(
      async (_, { engineFor }) => {
        await (await engineFor(hog)).detect(frame, context);
        return printed("done");
      },
      // The first look ends only when the second picture is ready.
      (prepared) => eventually(() => expect(prepared).toHaveLength(2), 1),
    );
    for (const id of [1, 2]) site.take({ kind: "run", id, job: aJob({ event: id }) });
    await eventually(() => expect(site.outcomes()).toHaveLength(2));
    expect(site.outcomes().map(({ kind }) => kind)).toEqual(["answer", "answer"]);
    expect(site.most()).toBe(1);
  });

  it("decodes a picture that comes in the middle of a look before that is over", async () => {
    const site = setUp(
      async (_, { engineFor }) => {
        await (await engineFor(hog)).detect(frame, context);
        return printed("done");
      },
      async (prepared) => {
        if (prepared.length === 1) site.take({ kind: "run", id: 2, job: aJob({ event: 2 }) });
        await eventually(() => expect(prepared).toEqual([0, 1]), 1);
      },
    );
    site.take({ kind: "run", id: 1, job: aJob({ event: 1 }) });
    await eventually(() => expect(site.outcomes()).toHaveLength(2));
    expect(site.outcomes().map(({ kind }) => kind)).toEqual(["answer", "answer"]);
  });

  it("says that a job waits while the picture of another one is decoded", async () => {
    const isDecoded = Promise.withResolvers<void>();
    const look = async (_: DetectionJob, { engineFor }: LookTools): Promise<DetectionAnswer> => {
      await (await engineFor(hog)).detect(frame, context);
      return printed("done");
    };
    const untilPrepared = async (count: number) => count > 1 || isDecoded.promise;
    const site = setUp(look, takeAMoment, untilPrepared);
    for (const id of [1, 2]) site.take({ kind: "run", id, job: aJob({ event: id }) });
    await eventually(() => expect([site.turnOf(1), site.turnOf(2)]).toEqual(["over", "wanted"]));
    await takeAMoment();
    expect([site.turnOf(1), site.turnOf(2)]).toEqual(["over", "wanted"]);
    isDecoded.resolve();
    await eventually(() => expect(site.outcomes()).toHaveLength(2));
  });

  it.each([
    ["its picture is decoded", "preparing"],
    ["it looks", "looking"],
  ])(
    "says that a job is over that is called off while %s when others need not wait for it",
    async (_, at) => {
      const begun = Promise.withResolvers<void>();
      const isThrough = Promise.withResolvers<void>();
      const during = (stage: string) => async () => {
        if (stage !== at) return;
        begun.resolve();
        await isThrough.promise;
      };
      const look = async (_: DetectionJob, { engineFor, signal }: LookTools): Promise<DetectionAnswer> => {
        await orAborted((await engineFor(hog)).detect(frame, context), signal);
        return printed("done");
      };
      const site = setUp(look, during("looking"), during("preparing"));
      site.take({ kind: "run", id: 1, job: aJob() });
      await begun.promise;
      site.take({ kind: "cancel", id: 1 });
      await takeAMoment();
      expect(site.outcomes()).toEqual([]);
      isThrough.resolve();
      await eventually(() => expect(site.outcomes()).toEqual([{ kind: "failed", id: 1, why: "called off" }]));
    },
  );

  it("keeps an engine that is used ever again, and gives up the one that is not", async () => {
    const others = Array.from({ length: 6 }, (_, i): EngineSettings => ({ ...command, timeoutMs: i + 1 }));
    const site = setUp(async (_, { engineFor }) => {
      for (const other of others) {
        await engineFor(command);
        await engineFor(other);
      }
      await engineFor(command);
      return printed("done");
    });
    site.take({ kind: "run", id: 1, job: aJob() });
    await eventually(() => expect(site.outcomes()).toHaveLength(1));
    expect(site.created).toHaveLength(1 + others.length);
  });

  it("loads an engine again that others have pushed out between two looks", async () => {
    const others = Array.from(
      { length: 6 },
      (_, index): EngineSettings => ({ ...hog, minWeight: index + 1 }),
    );
    const isPushedOut = Promise.withResolvers<void>();
    const site = setUp(async ({ source }, { engineFor }) => {
      const isFirst = source.kind === "event" && source.event === 1;
      const mine = await engineFor(hog);
      if (isFirst) await isPushedOut.promise;
      else for (const other of others) await (await engineFor(other)).detect(frame, context);
      isPushedOut.resolve();
      await mine.detect(frame, context);
      return printed(isFirst ? "first" : "second");
    });
    for (const id of [1, 2]) site.take({ kind: "run", id, job: aJob({ event: id }) });
    await eventually(() => expect(site.outcomes()).toHaveLength(2));
    expect(site.outcomes().map(({ kind }) => kind)).toEqual(["answer", "answer"]);
  });

  it("lets an engine end its look that others push out in the middle of it", async () => {
    const others = Array.from({ length: 6 }, (_, i): EngineSettings => ({ ...command, timeoutMs: i + 1 }));
    const isLooking = Promise.withResolvers<void>();
    const isPushedOut = Promise.withResolvers<void>();
    const closed: string[] = [];
    const pool = createEnginePool(async (settings) => ({
      description: "it",
      labels: null,
      async detect() {
        if (settings !== command) return [];
        isLooking.resolve();
        await isPushedOut.promise;
        closed.push("has looked");
        return [];
      },
      close: async () => void closed.push(settings === command ? "closed" : "other"),
    }));
    const look = (await pool.get(command)).detect(frame, context);
    await isLooking.promise;
    for (const other of others) await pool.get(other);
    isPushedOut.resolve();
    await look;
    expect(closed).toEqual(["has looked", "closed"]);
  });

  it("looks at one picture at a time, whatever is asked at once, and loads an engine once", async () => {
    const site = setUp(async (_, { engineFor }) => {
      await (await engineFor(hog)).detect(frame, context);
      return printed("x");
    });
    for (const id of [1, 2, 3, 4]) site.take({ kind: "run", id, job: aJob({ event: id }) });
    await eventually(() => expect(site.outcomes()).toHaveLength(4));
    expect([site.most(), site.created]).toEqual([1, ["hog"]]);
  });

  it("lets engines that only wait for others do so side by side", async () => {
    const site = setUp(async (_, { engineFor }) => {
      await (await engineFor(command)).detect(frame, context);
      return printed("x");
    });
    for (const id of [1, 2, 3, 4]) site.take({ kind: "run", id, job: aJob({ event: id }) });
    await eventually(() => expect(site.outcomes()).toHaveLength(4));
    expect(site.most()).toBeGreaterThan(1);
  });

  it("says whose turn it is, and when it is over, also after a failure", async () => {
    const site = setUp(async (_, { engineFor }) => {
      await engineFor({ ...hog, kind: "darknet" } as unknown as EngineSettings);
      return printed("never");
    });
    site.take({ kind: "run", id: 5, job: aJob() });
    await eventually(() => expect(site.outcomes()).toHaveLength(1));
    expect(site.told).toEqual([
      { kind: "turn", id: 5, is: "wanted" },
      { kind: "turn", id: 5, is: "taken" },
      { kind: "turn", id: 5, is: "over" },
      { kind: "failed", id: 5, why: "/models/x.cfg is not there" },
    ]);
  });

  it("ends a job that is called off while it waits for its turn", async () => {
    const site = setUp(async (job, { engineFor, signal }) => {
      await (await engineFor(hog)).detect(frame, context);
      if (job.cause === "long") await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return printed(job.cause);
    });
    site.take({ kind: "run", id: 1, job: aJob({ cause: "long" }) });
    site.take({ kind: "run", id: 2, job: aJob() });
    site.take({ kind: "cancel", id: 2 });
    await eventually(() => expect(site.outcomes()).toEqual([{ kind: "failed", id: 2, why: "called off" }]));
    site.take({ kind: "cancel", id: 1 });
    await eventually(() => expect(site.outcomes()).toHaveLength(2));
  });

  it("loads and tries out what settings need, and names what cannot be loaded", async () => {
    const site = setUp(async () => printed(""));
    const model = (name: string, engine: EngineSettings) => ({
      name,
      engine,
      minConfidence: 0.3,
      maxDetectionSize: null,
      preExistingLabels: [],
    });
    const broken = { kind: "darknet", config: "/c", weights: "/w", labels: null, processor: "cpu" } as const;
    const group: ModelGroup = {
      type: "object",
      pattern: ".*",
      preExistingLabels: [],
      strategy: "first",
      maxDetectionSize: null,
      maxDetectionSizes: {},
      models: [model("people", hog), model("old", broken), model("face", command)],
    };
    site.take({ kind: "warm", settings: someSettings({ sequence: [group] }) });
    await eventually(() =>
      expect(site.told).toEqual([
        {
          kind: "warm",
          ms: 0,
          engines: ["hog"],
          troubles: ["old cannot be used: /models/x.cfg is not there"],
        },
      ]),
    );
    expect(site.tryOut).toHaveBeenCalledTimes(1);
  });
});
