// Bench `detect`: what the resident detector adds to the inference itself, and what it costs the other cameras.
//
// The model has the size of YOLOv8n at 640 with random weights (yolo-graph.ts), the picture is a JPEG of 1920x1080.
// `file_to_boxes_ratio`: from asking the detector, in another process, to its answer (queue, both ways between the
// processes, reading, decoding, inference, decoding of the boxes, filters, text), in turn with the floor: the same picture
// decoded and run through a bare onnxruntime with as many threads, in a process of its own; medians. `eight_ratio`: eight
// events asked about at once until the last has its answer; as many floors as that is. `rss_growth_pct`: of the detector
// process, over 400 events: the mean of its 451st to 500th against that of its 51st to 100th, read after every fifth, because pixels
// that are not collected yet make it go up and down by some percent. `other_p99_ms`: alarms of cameras
// whose events are not looked at, in the real daemon, from their first byte to their frame in a client's hands, while
// others keep its detector busy all the time; the floor is the same with all those at rest. `over_python_ratio`, only
// where python3-opencv is installed and can read the model: the detector over a python3 started for each picture.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createDetector, type Detector } from "../src/detect/detector.ts";
import { systemClock } from "../src/lib/clock.ts";
import { createLogger } from "../src/lib/log.ts";
import { arrivedAt, raiseAlarms } from "./alarms.ts";
import type { BareDetectCalls, BareDetectOptions } from "./bare-detect-process.ts";
import type { Bench, Metrics } from "./bench.ts";
import { startChild } from "./child.ts";
import { createDetectScene, type DetectScene } from "./detect-scene.ts";
import { type Scene, withScene } from "./scene.ts";
import { median, percentile } from "./statistics.ts";

const ROUNDS = 40;
const EIGHTS = 5;
const WARM_UP = 50;
const EVENTS = 400;
const WINDOW = 50;
/** Cameras 1 to 4 are looked at, 5 to 68 are not. */
const LOOKED_AT = [1, 2, 3, 4] as const;
const OTHERS = Array.from({ length: 64 }, (_, index) => index + 5);
const OTHER_ALARMS = 400;
const PAUSE_MS = [10, 40] as const;
const NICENESS = 10;
const PYTHON_ROUNDS = 5;
const never = new AbortController().signal;

export const detect: Bench = {
  name: "detect",
  about: "the resident detector against a bare onnxruntime, and the other cameras meanwhile",
  async run(say) {
    const scene = await createDetectScene();
    try {
      const times = await withDetector(scene, (detector) => measureTimes(scene, detector, say));
      say("alarms of 64 cameras while four others keep the detector busy");
      return [...times, await measureOthers(scene)];
    } finally {
      scene.remove();
    }
  },
};

async function withDetector<T>(
  { folder, settings }: DetectScene,
  measure: (detector: Detector) => Promise<T>,
): Promise<T> {
  const { logger } = createLogger([]);
  const detector = createDetector(
    {
      threads: threads(),
      niceness: NICENESS,
      deadline: 60,
      max_waiting: 1000,
      max_wait: 600,
      idle_unload: 0,
    },
    {
      cacheFolder: folder,
      pastFolder: folder,
      warmUp: async () => settings,
      environment: process.env,
      clock: systemClock,
      logger,
    },
  );
  await detector.start(never);
  try {
    return await measure(detector);
  } finally {
    await detector.stop();
  }
}

async function measureTimes(
  scene: DetectScene,
  detector: Detector,
  say: (text: string) => void,
): Promise<Metrics> {
  const { model, picture } = scene;
  const options: BareDetectOptions = { model, picture, threads: threads(), niceness: NICENESS };
  const bare = startChild<BareDetectCalls>("bare-detect-process", options);
  try {
    say(`${ROUNDS} pictures, in turn with a bare onnxruntime`);
    const ours: number[] = [];
    const floors: number[] = [];
    for (let round = -5; round < ROUNDS; round++) {
      const floor = await bare.call("look", undefined);
      const time = await look(scene, detector, 1);
      if (round < 0) continue;
      floors.push(floor);
      ours.push(time);
    }
    const eights: number[] = [];
    for (let round = 0; round < EIGHTS; round++) eights.push(await look(scene, detector, 8));
    const floor = median(floors);
    const grown = await growth(scene, detector, say);
    return [
      {
        metric: "file_to_boxes_ratio",
        value: median(ours) / floor,
        unit: "times floor (ms)",
        target: 1.25,
        floor,
      },
      { metric: "eight_ratio", value: median(eights) / floor, unit: "times floor (ms)", target: 8, floor },
      { metric: "rss_growth_pct", value: grown, unit: "%", target: 5, floor: null },
      ...overPython(scene, median(ours), say),
    ];
  } finally {
    await bare.end();
  }
}

let lastEvent = 0;

/** ms until so many events that were asked about at once have their answers. */
async function look(scene: DetectScene, detector: Detector, count: number): Promise<number> {
  const begun = performance.now();
  const answers = await Promise.all(
    Array.from({ length: count }, () => {
      lastEvent += 1;
      return detector.look(scene.job(lastEvent), never);
    }),
  );
  const ms = performance.now() - begun;
  for (const answer of answers) if ("failed" in answer) throw new Error(answer.failed);
  return ms;
}

async function growth(scene: DetectScene, detector: Detector, say: (text: string) => void): Promise<number> {
  say(`${WARM_UP + EVENTS + WINDOW} events in a row`);
  await look(scene, detector, WARM_UP);
  const before = await residentMean(scene, detector);
  for (let done = WINDOW; done < EVENTS; done += WARM_UP) await look(scene, detector, WARM_UP);
  const after = await residentMean(scene, detector);
  return ((after - before) / before) * 100;
}

/** kB, while so many events are looked at. */
async function residentMean(scene: DetectScene, detector: Detector): Promise<number> {
  const samples: number[] = [];
  for (let done = 0; done < WINDOW; done += 5) {
    await look(scene, detector, 5);
    samples.push(residentKb(detector.counts().pid));
  }
  return samples.reduce((sum, each) => sum + each, 0) / samples.length;
}

function residentKb(pid: number | null): number {
  const [, kb = "NaN"] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kb);
}

/** Nothing where it cannot be measured. */
function overPython({ model, picture }: DetectScene, ours: number, say: (text: string) => void): Metrics {
  const program = `import cv2, sys
net = cv2.dnn.readNetFromONNX(sys.argv[1])
image = cv2.imread(sys.argv[2])
net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (640, 640), swapRB=True))
net.forward()`;
  const times: number[] = [];
  try {
    for (let round = 0; round < PYTHON_ROUNDS; round++) {
      const begun = performance.now();
      execFileSync("python3", ["-c", program, model, picture], { stdio: "ignore" });
      times.push(performance.now() - begun);
    }
  } catch {
    say("python3-opencv is not there, or too old to read the model: nothing to compare with");
    return [];
  }
  const floor = median(times);
  return [{ metric: "over_python_ratio", value: ours / floor, unit: "times floor (ms)", target: 1, floor }];
}

async function measureOthers({ folder, model }: DetectScene): Promise<Metrics[number]> {
  const detection = { model, folder, skipped: OTHERS, threads: threads() };
  const monitors = LOOKED_AT.length + OTHERS.length;
  return withScene({ monitors, detection }, async (scene) => {
    const login = { user: "admin", password: "secret", monlist: OTHERS.join(",") };
    await scene.clients.call("open", {
      group: "others",
      url: scene.url,
      count: 1,
      logins: [login],
      atOnce: 1,
    });
    const floor = percentile(await otherAlarms(scene), 0.99);
    let isOver = false;
    const busy = keepBusy(scene, () => isOver);
    const latencies = await otherAlarms(scene);
    isOver = true;
    await busy;
    const looks = await scene.daemon.call("looks", undefined);
    if (looks < 20) throw new Error(`only ${looks} events were looked at meanwhile`);
    return { metric: "other_p99_ms", value: percentile(latencies, 0.99), unit: "ms", target: 20, floor };
  });
}

async function otherAlarms({ cameras, clients }: Scene): Promise<readonly number[]> {
  await clients.call("arrivals", "others");
  const written = await raiseAlarms(cameras, {
    pauseMs: PAUSE_MS,
    except: LOOKED_AT,
    isOver: (raised) => raised === OTHER_ALARMS,
  });
  const { latencies, lost } = await arrivedAt(clients, "others", written);
  if (lost > 0) throw new Error(`${lost} alarms of other cameras never reached the client`);
  return latencies;
}

/** A new event of each camera twice a second: more than the detector can look at. */
async function keepBusy({ cameras }: Scene, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const id of LOOKED_AT) cameras.begin(id);
    await sleep(250);
    for (const id of LOOKED_AT) cameras.end(id);
    await sleep(250);
  }
}

/** As `detection.threads: auto`. */
function threads(): number {
  return Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));
}
