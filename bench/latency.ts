// Bench `latency`: from the byte that ZoneMinder writes to the frame in a client's hands, and what watching costs.
//
// Measured: 64 cameras in shared memory, one client. 500 times a random camera that is at rest raises an alarm, at a
// random moment. The clock starts right before the first byte of the alarm is written (this process) and stops when the
// client has received the frame and parsed its event id (another process; all share CLOCK_MONOTONIC). CPU is user and
// system time of the whole daemon process, store thread included, as percent of one core, in windows of some seconds
// that alternate with windows in which nobody listens and an empty 10 ms timer in a process of its own is measured.
import { setTimeout as sleep } from "node:timers/promises";
import { type Arrived, arrivedAt, raiseAlarms } from "./alarms.ts";
import type { Bench, Metrics } from "./bench.ts";
import { type Child, startChild } from "./child.ts";
import { instant } from "./instant.ts";
import { type Scene, withScene } from "./scene.ts";
import { median, percentile } from "./statistics.ts";
import type { TimerCalls } from "./timer-process.ts";

const MONITORS = 64;
const ALARMS = 500;
const WARM_UP_ALARMS = 20;
const PAUSE_MS = [5, 45] as const;

const WARM_UP_MS = 3_000;
const WINDOW_MS = 2_500;
const WINDOWS = 4;

const LISTENER = { user: "admin", password: "secret" };

export const latency: Bench = {
  name: "latency",
  about: "from ZoneMinder's byte to the client's frame, and what watching costs",
  async run(say) {
    say("64 cameras, 500 alarms over ws");
    const ws = await withScene({ monitors: MONITORS }, measureLatency);
    say("the same over wss");
    const wss = await withScene({ monitors: MONITORS, tls: true }, measureLatency);
    const cpu: Metrics[] = [];
    for (const monitors of [64, 500]) {
      say(`CPU with ${monitors} cameras`);
      cpu.push(await withScene({ monitors }, measureCpu));
    }
    return [
      { metric: "p50_ms", value: percentile(ws.latencies, 0.5), unit: "ms", target: 7, floor: null },
      { metric: "p99_ms", value: percentile(ws.latencies, 0.99), unit: "ms", target: 15, floor: null },
      { metric: "lost", value: ws.lost + wss.lost, unit: "alarms", target: 0, floor: null },
      { metric: "wss_p99_ms", value: percentile(wss.latencies, 0.99), unit: "ms", target: 15, floor: null },
      ...cpu.flat(),
    ];
  },
};

async function measureLatency({ cameras, clients, url }: Scene): Promise<Arrived> {
  await clients.call("open", { group: "one", url, count: 1, logins: [LISTENER], atOnce: 1 });
  // The first alarms find code that was never run; a daemon that has been up for a second has run it.
  await raiseAlarms(cameras, { pauseMs: PAUSE_MS, isOver: (raised) => raised === WARM_UP_ALARMS });
  await clients.call("arrivals", "one");
  const written = await raiseAlarms(cameras, { pauseMs: PAUSE_MS, isOver: (raised) => raised === ALARMS });
  return arrivedAt(clients, "one", written);
}

async function measureCpu({ cameras, clients, daemon, keep, url }: Scene): Promise<Metrics> {
  const timer = keep(startChild<TimerCalls>("timer-process"));
  const listening: number[] = [];
  const idle: number[] = [];
  const floor: number[] = [];
  for (let window = -1; window < WINDOWS; window++) {
    await clients.call("open", { group: "one", url, count: 1, logins: [LISTENER], atOnce: 1 });
    if (window === -1) await sleep(WARM_UP_MS);
    const [withListener] = await percentOfCore([daemon]);
    await clients.call("close", "one");
    await timer.call("setRunning", true);
    if (window === -1) await sleep(WARM_UP_MS);
    const [alone, empty] = await percentOfCore([daemon, timer]);
    await timer.call("setRunning", false);
    if (window === -1) continue;
    listening.push(withListener ?? Number.NaN);
    idle.push(alone ?? Number.NaN);
    floor.push(empty ?? Number.NaN);
  }
  const monitors = cameras.count;
  const over = median(listening) - median(floor);
  return [
    {
      metric: `idle_cpu_${monitors}_pct`,
      value: median(idle),
      unit: "% of a core",
      target: monitors === 64 ? 2 : 6,
      floor: null,
    },
    {
      metric: `listening_cpu_${monitors}_over_floor_pct`,
      value: over,
      unit: "% of a core above floor",
      target: monitors === 64 ? 3 : 6,
      floor: median(floor),
    },
  ];
}

/** What each process used while a window passed. */
async function percentOfCore(
  processes: readonly Pick<Child<TimerCalls>, "call">[],
): Promise<readonly number[]> {
  await sleep(WINDOW_MS / 5); // connecting and disconnecting is not watching
  const cpu = () => Promise.all(processes.map((each) => each.call("cpuMs", undefined)));
  const before = await cpu();
  const began = instant();
  await sleep(WINDOW_MS);
  const after = await cpu();
  const took = instant() - began;
  return after.map((ms, index) => ((ms - (before[index] ?? 0)) / took) * 100);
}
