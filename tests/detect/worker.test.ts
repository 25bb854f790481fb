import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDetector, type Detector, type DetectorOptions } from "../../src/detect/detector.ts";
import type { DetectSettings, EngineSettings } from "../../src/domain/detect-settings.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { eventually } from "../support/eventually.ts";
import { aJpeg } from "../support/pictures.ts";
import { recordingLogger } from "../support/server.ts";
import { aJob, looking } from "./jobs.ts";

const never = new AbortController().signal;
const HOG: EngineSettings = {
  kind: "hog",
  stride: [8, 8],
  padding: [8, 8],
  scale: 1.2,
  useMeanShift: false,
  minWeight: 0,
};

describe("the real detector process", () => {
  let folder = "";
  let detector: Detector;
  const log: Record<string, unknown>[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "zmes-worker-"));
    mkdirSync(join(folder, "7"));
    writeFileSync(join(folder, "7", "snapshot.jpg"), await aJpeg());
    log.length = 0;
  });
  afterEach(async () => {
    await detector?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(warm: DetectSettings | null, options: Partial<DetectorOptions> = {}) {
    detector = createDetector(
      { threads: 1, niceness: 7, deadline: 20, max_waiting: 300, max_wait: 30, idle_unload: 0, ...options },
      {
        cacheFolder: folder,
        pastFolder: join(folder, "past"),
        ...(warm !== null && { warmUp: async () => warm }),
        environment: process.env,
        clock: systemClock,
        logger: recordingLogger(log),
      },
    );
    await detector.start(never);
  }

  const job = (settings: DetectSettings, event = 7, name = "7") => {
    const made = aJob({ event, root: folder, settings });
    return { ...made, source: { ...made.source, folders: [name] } } as typeof made;
  };
  const residentKb = () =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${detector.counts().pid}/status`, "utf8"))?.[1]);
  const said = () => JSON.stringify(log.map(({ msg }) => msg));

  it("runs programs with the memory settings they are used to, not with its own", async () => {
    await start(null);
    const program = join(folder, "program");
    writeFileSync(program, `#!/bin/sh\nenv > ${join(folder, "seen")}\n`, { mode: 0o755 });
    await detector.look(job(looking({ kind: "command", argv: [program], timeoutMs: 10_000 })), never);
    const seen = readFileSync(join(folder, "seen"), "utf8");
    expect(seen).toContain("PATH=");
    expect(seen).not.toContain("MALLOC_");
  }, 30_000);

  it("ends a model that hangs while it is loaded, also when nobody waits for that one any more", async () => {
    await start(null, { deadline: 2, max_wait: 8 });
    expect(await detector.look(job(looking(HOG), 1), never)).not.toHaveProperty("failed");
    const config = join(folder, "never-ending.cfg");
    execFileSync("mkfifo", [config]);
    const endless = { kind: "darknet", config, weights: "/w", labels: null, processor: "cpu" } as const;
    const leave = new AbortController();
    const left = detector.look(job(looking(endless), 2), leave.signal);
    // A pipe can be opened for writing like this once somebody reads it.
    const writer = await eventually(() => openSync(config, constants.O_WRONLY | constants.O_NONBLOCK));
    leave.abort();
    await left;
    expect(await detector.look(job(looking(HOG), 3), never)).not.toHaveProperty("failed");
    closeSync(writer);
  }, 30_000);

  it("is warm soon after the start, stands back with all its threads, and looks at pictures", async () => {
    await start(looking(HOG));
    await vi.waitFor(() => expect(said()).toContain("The detector is ready: HOG people detector"), {
      timeout: 15_000,
    });
    const pid = detector.counts().pid ?? 0;
    const nice = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")
        .at(16),
    );
    expect(new Set(nice)).toEqual(new Set(["7"]));
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("500");
    expect(await detector.look(job(looking(HOG)), never)).toMatchObject({
      printed: "",
      result: { troubles: [], original: { width: expect.any(Number) } },
    });
  });

  it("says which model cannot be loaded, goes on living, and leaves the alarm without an answer", async () => {
    const missing = looking({
      kind: "onnx",
      weights: "/nowhere/yolo.onnx",
      labels: null,
      layout: null,
      inputSize: null,
      processor: "cpu",
    });
    await start(missing);
    await vi.waitFor(() => expect(said()).toContain("/nowhere/yolo.onnx"), { timeout: 15_000 });
    expect(await detector.look(job(missing), never)).toEqual({
      failed: expect.stringMatching(/Model it cannot be used: .*\/nowhere\/yolo.onnx/),
    });
    expect(await detector.look(job(looking(HOG)), never)).toHaveProperty("printed", "");
    expect(detector.counts().crashes).toBe(0);
  });

  it.each([
    ["of 0 bytes", Buffer.alloc(0)],
    ["that is cut short", null],
    ["that is a web page", Buffer.from("<html>404</html>")],
  ])("has no answer for a picture %s, and says so", async (_, bytes) => {
    const whole = readFileSync(join(folder, "7", "snapshot.jpg"));
    mkdirSync(join(folder, "8"));
    writeFileSync(join(folder, "8", "snapshot.jpg"), bytes ?? whole.subarray(0, whole.length / 2));
    await start(null);
    expect(await detector.look(job(looking(HOG), 8, "8"), never)).toEqual({
      failed: expect.stringContaining("snapshot"),
    });
  });

  it("answers 200 events at once, those beyond its queue with the reason, and grows neither here nor there", async () => {
    const one = looking({ kind: "command", argv: ["/bin/true"], timeoutMs: 5_000 });
    await start(one, { max_waiting: 100, deadline: 60 });
    const flood = () =>
      Promise.all(Array.from({ length: 200 }, (_, event) => detector.look(job(one, event + 1), never)));
    await flood();
    const before = [process.memoryUsage().rss, residentKb() * 1024];
    const answers = await flood();
    const after = [process.memoryUsage().rss, residentKb() * 1024];
    const reasons = answers.map((answer) => ("failed" in answer ? answer.failed : "looked"));
    // Those that the process had already, and those that waited.
    expect(reasons.filter((reason) => reason === "looked")).toHaveLength(108);
    expect(new Set(reasons)).toEqual(new Set(["looked", "100 others wait already (detection.max_waiting)"]));
    expect(detector.counts()).toMatchObject({ running: 0, waiting: 0, crashes: 0 });
    for (const [index, bytes] of after.entries())
      expect(bytes - (before[index] ?? 0)).toBeLessThan(30_000_000);
  }, 120_000);

  it("ends by itself when the program that started it is killed", async () => {
    const program = join(folder, "program.ts");
    const source = fileURLToPath(new URL("../../src/detect/resident/process.ts", import.meta.url));
    const worker = fileURLToPath(new URL("../../src/detect/worker.ts", import.meta.url));
    writeFileSync(
      program,
      `import { startProcess } from ${JSON.stringify(source)};
       const setup = { threads: 1, niceness: 0, cacheFolder: "/tmp", pastFolder: "/tmp" };
       const made = startProcess({ script: ${JSON.stringify(worker)}, environment: process.env, onEnd() {},
         onMessage: ({ kind }) => kind === "ready" && console.log(made.pid) });
       made.send({ kind: "setup", setup });`,
    );
    const parent = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    const said = await new Promise<string>((resolve) =>
      parent.stdout.once("data", (part) => resolve(String(part))),
    );
    const pid = Number(said);
    expect(() => process.kill(pid, 0)).not.toThrow();
    parent.kill("SIGKILL");
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow());
  });
});
