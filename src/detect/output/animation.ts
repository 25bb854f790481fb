// Moving pictures of what was found (objdetect.mp4, objdetect.gif), made with ffmpeg after the answer was given.
import { access, rename, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AnimationSettings } from "../../domain/detect-settings.ts";
import type { DetectionResult, Size } from "../../domain/detection.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import { createProgramRunner, type ProgramResult } from "../../lib/run-program.ts";
import type { DetectionJob } from "../job.ts";
import { type Clip, withClip } from "./animation-clip.ts";
import { temporaryFor } from "./whole-file.ts";

export interface AnimationDeps {
  /** The program, such as "ffmpeg". */
  readonly ffmpeg: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Animations {
  /** Makes what the job's settings ask for, when those before it are done. Never throws and nobody waits for it. */
  add(job: DetectionJob, result: Pick<DetectionResult, "frame" | "analyzed">): void;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
  /** Ends the one under way and forgets the others. */
  stop(): void;
}

type Kind = AnimationSettings["types"][number];

/** A busy hour must not leave ffmpeg at work until the next one. */
const MOST_WAITING = 20;
/** For ten seconds of a 4K video on a small computer. */
const LIMIT_MS = 60_000;
/** Around the picture in which something was found: seconds before it, and the whole length. */
const SPANS: Readonly<Record<Kind, { readonly before: number; readonly length: number }>> = {
  mp4: { before: 5, length: 10 },
  gif: { before: 2, length: 4 },
};
const FRAMES_PER_SECOND = 2;
/** The picture with the boxes stands still for so long at the beginning. */
const STILL_SECONDS = 1;
/** Nobody misses it, and the next picture of the video may come late. */
const TOLERANCE_SECONDS = 1;
const FAST = 2;

/** Builds it; nothing runs before the first `add`. */
export function createAnimations({ ffmpeg, clock, logger }: AnimationDeps): Animations {
  // By TMPDIR, what this process leaves behind when it is killed is found.
  const { PATH, TMPDIR } = process.env;
  const runner = createProgramRunner({ environment: { PATH, TMPDIR }, clock });
  const stopping = new AbortController();
  let last = Promise.resolve();
  let waiting = 0;

  return {
    add(job, { frame, analyzed }) {
      const { source, outputFolder: folder, settings } = job;
      const { animation } = settings.output;
      if (animation === null || folder === null || source.kind !== "event") return;
      if (frame === null || analyzed === null) return;
      if (waiting >= MOST_WAITING) {
        logger.warn(`Event ${source.event} gets no moving picture: ${waiting} others are to be made first`);
        return;
      }
      waiting += 1;
      const wanted = { source, folder, frame, size: analyzed, animation };
      last = last
        .then(() => makeAll(wanted))
        .catch((failure: unknown) => {
          if (!stopping.signal.aborted)
            logger.warn({ err: failure }, `The moving picture of event ${source.event} could not be made`);
        })
        .finally(() => {
          waiting -= 1;
        });
    },
    idle: () => last,
    stop() {
      stopping.abort();
      runner.stop();
    },
  };

  async function makeAll(wanted: Wanted): Promise<void> {
    for (const kind of wanted.animation.types) {
      stopping.signal.throwIfAborted();
      await makeOne(kind, wanted);
    }
  }

  /** While the event is recorded its video grows: tried again until all of it is there, or as often as configured. */
  async function makeOne(kind: Kind, wanted: Wanted): Promise<void> {
    const { source, folder, animation } = wanted;
    const file = path.join(folder, `objdetect.${kind}`);
    const temporary = await temporaryFor(file, clock.now());
    let made = 0;
    try {
      for (let attempt = 1; attempt <= animation.maxTries; attempt++) {
        if (source.isOpen) await sleep(animation.retryMs, undefined, { signal: stopping.signal });
        made = await encode(kind, temporary, wanted);
        if (!source.isOpen || made + TOLERANCE_SECONDS >= SPANS[kind].length) break;
      }
      if (made > 0) await rename(temporary, file);
      else
        logger.warn(
          `Event ${source.event} gets no ${path.basename(file)}: it has no video and no frames yet`,
        );
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** How many seconds of the event it shows; 0: nothing could be made. */
  async function encode(kind: Kind, temporary: string, wanted: Wanted): Promise<number> {
    const still = path.join(wanted.folder, "objdetect.jpg");
    const hasStill = await access(still).then(
      () => true,
      () => false,
    );
    const made = await withClip(wanted, SPANS[kind], FRAMES_PER_SECOND, async (clip) => {
      const argv = [ffmpeg, ...ffmpegArguments(kind, wanted, clip, hasStill ? still : null), temporary];
      return runner.run({ argv, timeoutMs: LIMIT_MS, signal: stopping.signal });
    });
    stopping.signal.throwIfAborted();
    if (made === null || !hasWorked(made, wanted.source.event)) return 0;
    const seconds = secondsOf(made.stdout) - (hasStill ? STILL_SECONDS : 0);
    return Math.max(0, seconds) * (isFast(kind, wanted.animation) ? FAST : 1);
  }

  function hasWorked({ end, stderr }: ProgramResult, event: number): boolean {
    if (end.kind === "not-started")
      throw new Error(`${ffmpeg} cannot be run (Debian: apt install ffmpeg): ${end.reason}`);
    if (end.kind === "timeout") throw new Error(`ffmpeg took longer than ${LIMIT_MS / 1000} s and was ended`);
    if (end.kind === "exited" && end.code === 0) return true;
    logger.debug(`ffmpeg on event ${event}: ${stderr.trim().slice(-300)}`);
    return false;
  }
}

interface Wanted {
  readonly source: Extract<DetectionJob["source"], { readonly kind: "event" }>;
  readonly folder: string;
  /** In which something was found. */
  readonly frame: string;
  readonly size: Size;
  readonly animation: AnimationSettings;
}

function isFast(kind: Kind, { isFastGif }: AnimationSettings): boolean {
  return kind === "gif" && isFastGif;
}

function ffmpegArguments(
  kind: Kind,
  { size, animation }: Wanted,
  clip: Clip,
  still: string | null,
): readonly string[] {
  const width = even(animation.width);
  const height = even((animation.width * size.height) / size.width);
  // Both parts must have the very same size and rate to be joined.
  const shape = `scale=${width}:${height},setsar=1,format=yuv420p`;
  const speed = isFast(kind, animation) ? `,setpts=PTS/${FAST}` : "";
  const rate = FRAMES_PER_SECOND * (speed === "" ? 1 : FAST);
  const moving = `[${still === null ? 0 : 1}:v]fps=${FRAMES_PER_SECOND}${speed},${shape}[moving]`;
  const joined =
    still === null
      ? `${moving};[moving]null`
      : `[0:v]${shape}[still];${moving};[still][moving]concat=n=2:v=1`;
  const colors = kind === "gif" ? ",split[a][b];[a]palettegen[palette];[b][palette]paletteuse" : "";
  return [
    ..."-nostdin -hide_banner -v error -y -progress pipe:1".split(" "),
    ...(still === null
      ? []
      : ["-loop", "1", "-framerate", String(rate), "-t", String(STILL_SECONDS), "-i", still]),
    ...clip.input,
    ...["-filter_complex", `${joined}${colors}[out]`, "-map", "[out]", "-r", String(rate), "-an"],
    ...(kind === "gif" ? ["-loop", "0", "-f", "gif"] : ["-movflags", "+faststart", "-f", "mp4"]),
  ];
}

/** Most encoders know no odd numbers. */
function even(pixels: number): number {
  return Math.max(2, Math.round(pixels / 2) * 2);
}

/** What ffmpeg says it has written, in seconds. */
function secondsOf(progress: string): number {
  const times = [...progress.matchAll(/^out_time_us=(\d+)$/gm)];
  return Number(times.at(-1)?.[1] ?? 0) / 1e6;
}
