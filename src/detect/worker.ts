// The detector process: started by resident/process.ts, does what resident/work.ts does, ends with the program that started it.

import type { DetectionResult } from "../domain/detection.ts";
import { systemClock } from "../lib/clock.ts";
import { createLogger } from "../lib/log.ts";
import type { Engine } from "./engines/engine.ts";
import { createEngine } from "./engines/index.ts";
import { createPortals } from "./frames/portal.ts";
import type { DetectionJob } from "./job.ts";
import { writeEventFiles } from "./output/files.ts";
import { type Frame, openFrame } from "./picture/frame.ts";
import { loadSharp } from "./picture/sharp.ts";
import { answerFor } from "./resident/answer.ts";
import { createEnginePool } from "./resident/engine-pool.ts";
import { keepFrugalityFromChildren } from "./resident/frugality.ts";
import { standBack } from "./resident/humility.ts";
import type { FromProcess, ProcessSetup, ToProcess } from "./resident/messages.ts";
import { createWork } from "./resident/work.ts";

const FFMPEG = "ffmpeg";

keepFrugalityFromChildren();

// Nobody needs it then. Also when that program was killed.
process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToProcess) => {
  if (message.kind === "setup") work = setUp(message.setup);
  else work?.(message);
});
let work: ReturnType<typeof createWork> | null = null;

function setUp({ threads, niceness, cacheFolder, pastFolder }: ProcessSetup): ReturnType<typeof createWork> {
  standBack(niceness);
  const { logger } = createLogger([
    {
      name: "daemon",
      level: "debug",
      write: ({ level, message }) => tell({ kind: "log", level: levelFor(level), text: message }),
      close: async () => undefined,
    },
  ]);
  const portals = createPortals();
  const engines = createEnginePool((settings) => createEngine(settings, { threads, cacheFolder, logger }));
  const deps = {
    pastFolder,
    portals,
    ffmpeg: FFMPEG,
    clock: systemClock,
    logger,
    writeFiles: (job: DetectionJob, result: DetectionResult, frame: Frame | null) =>
      writeEventFiles(job, result, frame, systemClock.now()),
  };
  tell({ kind: "ready" });
  return createWork({
    engines,
    look: (job, tools) => answerFor(job, tools, deps),
    tryOut,
    tell,
    now: systemClock.monotonic,
  });
}

function tell(message: FromProcess): void {
  if (process.connected) process.send?.(message);
}

function levelFor(level: string): "debug" | "info" | "warn" | "error" {
  if (level === "trace") return "debug";
  return level === "debug" || level === "info" || level === "warn" ? level : "error";
}

/** Gray, as small as every engine takes it. */
async function tryOut(engine: Engine): Promise<void> {
  const sharp = await loadSharp();
  const background = { r: 114, g: 114, b: 114 };
  const picture = sharp({ create: { width: 320, height: 240, channels: 3, background } });
  const frame = await openFrame(await picture.jpeg().toBuffer(), "warm-up", {
    resizeWidth: null,
    label: "the warm-up picture",
  });
  const signal = new AbortController().signal;
  await engine.detect(frame, { minConfidence: 0.5, monitor: null, event: null, signal });
}
