import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import {
  createDetector,
  type Detector,
  type DetectorDeps,
  type DetectorOptions,
} from "../../src/detect/detector.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { eventually } from "../support/eventually.ts";
import { recordingLogger } from "../support/server.ts";
import { isAlive } from "./alive.ts";
import { aJob, type JobFacts, someSettings } from "./jobs.ts";

const script = fileURLToPath(new URL("./stand-in-process.ts", import.meta.url));
const never = new AbortController().signal;

describe("the detector", () => {
  const opened: Detector[] = [];
  let log: Record<string, unknown>[] = [];
  afterEach(async () => {
    for (const detector of opened.splice(0)) await detector.stop();
    log = [];
  });

  async function start(options: Partial<DetectorOptions> = {}, deps: Partial<DetectorDeps> = {}) {
    const detector = createDetector(
      { threads: 1, niceness: 10, deadline: 10, max_waiting: 50, max_wait: 20, idle_unload: 0, ...options },
      {
        cacheFolder: tmpdir(),
        pastFolder: tmpdir(),
        environment: { PATH: process.env.PATH, ZM_DB_PASS: "secret" },
        clock: systemClock,
        logger: recordingLogger(log),
        script,
        ...deps,
      },
    );
    opened.push(detector);
    await detector.start(never);
    return {
      detector,
      ask: (facts: JobFacts, signal = never) => detector.look(aJob(facts), signal),
    };
  }

  const said = (what: RegExp) => log.filter(({ msg }) => what.test(String(msg))).length;

  it("has no process before the first job, and one for all jobs after it", async () => {
    const { detector, ask } = await start();
    expect(detector.counts().pid).toBeNull();
    const answers = [await ask({ event: 1 }), await ask({ event: 2 })];
    const { pid } = detector.counts();
    expect(answers).toEqual([
      expect.objectContaining({ printed: `Motion by ${pid}` }),
      expect.objectContaining({ printed: `Motion by ${pid}` }),
    ]);
  });

  it("has its process ready from the start where something is to be warmed up", async () => {
    const { detector } = await start({}, { warmUp: async () => someSettings() });
    await eventually(() => expect(said(/The detector is ready: stand-in/)).toBe(1));
    expect(detector.counts().pid).not.toBeNull();
  });

  it("gives its process nothing of our environment that it does not need", async () => {
    const { ask } = await start();
    const answer = await ask({ cause: "environment" });
    const environment = JSON.parse("printed" in answer ? answer.printed : "{}");
    expect(environment).toMatchObject({ MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072" });
    expect(environment).not.toHaveProperty("ZM_DB_PASS");
  });

  it("kills a process that hangs, tells only that job, and does the others in a new one", async () => {
    const { detector, ask } = await start({ deadline: 1 });
    const [hung, other] = await Promise.all([
      ask({ event: 1, cause: "hang" }),
      ask({ event: 2, cause: "ok:20" }),
    ]);
    expect(hung).toEqual({ failed: "it took longer than 1 s (detection.deadline)" });
    expect(other).toMatchObject({ printed: expect.stringMatching(/^ok:20 by/) });
    expect(detector.counts().crashes).toBe(1);
  });

  it("answers the job under which its process crashed, and does the others in a new one", async () => {
    const { ask } = await start();
    const [crashed, other] = await Promise.all([
      ask({ event: 1, cause: "crash" }),
      ask({ event: 2, cause: "ok:300" }),
    ]);
    expect(crashed).toEqual({ failed: expect.stringMatching(/^it crashed \(SIGABRT\)/) });
    expect(other).toMatchObject({ printed: expect.stringMatching(/^ok:300 by/) });
  });

  it("finds out which of several jobs it was when the process did not say", async () => {
    const { ask } = await start();
    const [a, crashed, b] = await Promise.all([
      ask({ event: 1, cause: "ok:300" }),
      ask({ event: 2, cause: "crash-untold" }),
      ask({ event: 3, cause: "ok:301" }),
    ]);
    expect(crashed).toEqual({ failed: expect.stringMatching(/SIGABRT/) });
    expect([a, b]).toEqual([
      { printed: expect.stringMatching(/^ok:300 by/), result: expect.anything() },
      { printed: expect.stringMatching(/^ok:301 by/), result: expect.anything() },
    ]);
  });

  it("says so when memory ran out", async () => {
    const { ask } = await start();
    expect(await ask({ cause: "eat" })).toEqual({ failed: "it ran out of memory" });
  });

  it("gives a job up that waits too long for its turn, without a harm to the process", async () => {
    const { detector, ask } = await start({ max_wait: 1 });
    expect(await ask({ cause: "wait" })).toEqual({
      failed: expect.stringMatching(/turn did not come within 1 s/),
    });
    expect(detector.counts().crashes).toBe(0);
  });

  it("does not listen to nonsense", async () => {
    const { ask } = await start();
    expect(await ask({ cause: "nonsense" })).toMatchObject({ printed: expect.stringMatching(/^nonsense/) });
  });

  it("looks at an event once, however many ask", async () => {
    const { detector, ask } = await start();
    const answers = await Promise.all([1, 2, 3].map(() => ask({ event: 7, cause: "ok:50" })));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(detector.counts().answered).toBe(1);
  });

  it("keeps the newest events of a camera when too many wait", async () => {
    const { ask } = await start({ max_waiting: 3 });
    await ask({ event: 100 });
    const busy = [1, 2, 3, 4, 5, 6, 7, 8].map((event) => ask({ event, monitor: 9, cause: "ok:200" }));
    const flood = [11, 12, 13, 14, 15].map((event) => ask({ event, monitor: 1, cause: "ok:0" }));
    const outcomes = (await Promise.all(flood)).map((each) => ("failed" in each ? "failed" : "answered"));
    await Promise.all(busy);
    expect(outcomes).toEqual(["failed", "failed", "answered", "answered", "answered"]);
  });

  it("calls a job off when nobody wants its answer any more", async () => {
    const { detector, ask } = await start();
    const nobody = new AbortController();
    const answer = ask({ cause: "until-cancelled" }, nobody.signal);
    await eventually(() => expect(detector.counts().running).toBe(1));
    nobody.abort();
    expect(await answer).toEqual({ failed: "nobody waits for it any more" });
    await eventually(() => expect(detector.counts().running).toBe(0));
    expect(detector.counts().crashes).toBe(0);
  });

  it("answers at once while its process keeps ending, says that once, and says when it works again", async () => {
    const { ask } = await start();
    for (const event of [1, 2, 3]) await ask({ event, cause: "crash" });
    expect(await ask({ event: 4 })).toEqual({ failed: expect.stringMatching(/does not run: it crashed/) });
    expect(said(/keeps ending/)).toBe(1);
    await eventually(async () => expect(await ask({ event: 5 })).toHaveProperty("printed"));
    expect([said(/has ended.*started again/), said(/The detector works again/)]).toEqual([1, 1]);
  });

  it("gives the memory back when there is nothing to do, and starts again for the next job", async () => {
    const { detector, ask } = await start({ idle_unload: 1 });
    await ask({ event: 1 });
    await eventually(() => expect(detector.counts().pid).toBeNull());
    expect(await ask({ event: 2 })).toHaveProperty("printed");
    expect(detector.counts().crashes).toBe(0);
  });

  it("leaves no process and no file behind when it is killed", async () => {
    const { detector, ask } = await start();
    const answer = await ask({ cause: "child" });
    const [child = "", folder = ""] = ("printed" in answer ? answer.printed : "").split(" ");
    const { pid } = detector.counts();
    expect(isAlive(Number(child))).toBe(true);
    expect(readdirSync(folder)).toEqual(["left-over"]);
    await detector.stop();
    await eventually(() =>
      expect([isAlive(pid ?? 0), isAlive(Number(child)), existsSync(folder)]).toEqual([false, false, false]),
    );
  });

  it("answers everybody when the program ends", async () => {
    const { detector, ask } = await start();
    const answers = Array.from({ length: 10 }, (_, index) => ask({ event: index + 1, cause: "wait" }));
    await eventually(() => expect(detector.counts()).toMatchObject({ running: 8, waiting: 2 }));
    await detector.stop();
    expect(new Set((await Promise.all(answers)).map((each) => "failed" in each && each.failed))).toEqual(
      new Set(["the program ends"]),
    );
  });

  it("has no answer when no process can be started, and says why", async () => {
    const { ask } = await start({}, { script: "/nowhere/worker.js" });
    expect(await ask({})).toEqual({ failed: expect.stringMatching(/does not run: it ended with 1/) });
  });
});
