// The process in which `zmes models` tries a model: loads it, has it look at a few pictures, and says what came of it.
import { tmpdir } from "node:os";
import { reasonOf } from "../../lib/errors.ts";
import { createLogger, type LogRecord } from "../../lib/log.ts";
import type { Engine } from "../engines/engine.ts";
import { createEngine } from "../engines/index.ts";
import { openFrame } from "../picture/frame.ts";
import { loadSharp } from "../picture/sharp.ts";
import type { Trial, TrialJob } from "./trial.ts";

/** The first run of a model takes longer; of so many, the median is steady. */
const RUNS = 5;
/** What most cameras send. */
const PICTURE = { width: 1920, height: 1080, channels: 3 } as const;

const job = JSON.parse(process.argv[2] ?? "") as TrialJob;
const answer = await tryIt(job).catch((failure: unknown) => ({ failure: reasonOf(failure) }));
process.send?.(answer, () => process.exit(0));

async function tryIt({ settings, threads, isOnlyLoaded = false }: TrialJob): Promise<Trial> {
  const remarks: string[] = [];
  const write = ({ message, level }: LogRecord) => {
    if (level === "warn" || level === "error") remarks.push(message);
  };
  const { logger } = createLogger([
    { name: "remarks", level: "warn", write, close: () => Promise.resolve() },
  ]);
  // A converted model is thrown away with this folder: the server converts it for itself, as the user it runs as.
  const cacheFolder = tmpdir();
  const started = performance.now();
  const engine = await createEngine(settings, { threads, cacheFolder, logger });
  const loadMs = performance.now() - started;
  const pictureMs = isOnlyLoaded ? 0 : await timePicture(engine);
  const { description, labels } = engine;
  await engine.close();
  return { description, labels, loadMs, pictureMs, remarks };
}

/** Median in ms. */
async function timePicture(engine: Engine): Promise<number> {
  const file = await examplePicture();
  const context = {
    minConfidence: 0.3,
    monitor: null,
    event: null,
    signal: new AbortController().signal,
  };
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now();
    await engine.detect(await openFrame(file, "single", { resizeWidth: null, label: "picture" }), context);
    times.push(performance.now() - begun);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
}

/** Noise: as much work for the decoder as any scene. */
async function examplePicture(): Promise<Buffer> {
  const sharp = await loadSharp();
  const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
  return sharp({ create: { ...PICTURE, background: "#808080", noise } })
    .blur(2)
    .jpeg()
    .toBuffer();
}
