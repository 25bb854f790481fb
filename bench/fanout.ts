// Bench `fanout`: one alarm to thousands of clients, against a bare `ws` server sending the same bytes.
//
// Measured: 64 cameras; every client is logged in, from an address of its own, as one of 20 users (one in four of them
// may see a part of the cameras only), and has one of 500 filters (all of them hold camera 1; every fifth has
// intervals for its other cameras). Camera 1 raises the alarm, so every client must get it. `last_ratio_N`: the clock
// starts when the daemon's watcher has seen the alarm (before it decides or sends anything), or right before the first
// send of the bare server, and stops when the last of N clients has it; both servers are processes of their own, all
// clients of both are in one third process; rounds alternate; medians are compared. `scan_gap_ms_9000`: the longest time
// between two scans of the cameras while those rounds with 9,000 clients ran. `bytes_per_client_over_bare`: what the
// resident memory of each server grew by for 5,000 clients, garbage collected first. `rss_growth_pct`:
// resident memory of the daemon with 5,000 clients after 20 alarms, garbage not collected, against before the first.
import type { Bench, Metrics } from "./bench.ts";
import type { ClientLogin } from "./client-process.ts";
import { requireOpenFiles } from "./open-files.ts";
import type { Result } from "./result.ts";
import { BARE, OURS, playRounds, type Times } from "./rounds.ts";
import { type Scene, settle, withScene } from "./scene.ts";
import { median } from "./statistics.ts";

const CAMERAS = 64;
const FILTERS = 500;
const USERS = 20;
const RATIO = 1.15;
/** How many connect at the same time while the crowd gathers. */
const AT_ONCE = 100;
/** 9,000 clients on both sides in one process, and what a process has open besides. */
const OPEN_FILES = 18_200;

export const fanout: Bench = {
  name: "fanout",
  about: "one alarm to 1,000, 5,000 and 9,000 clients, against a bare ws server",
  async run(say) {
    requireOpenFiles(OPEN_FILES);
    return [
      ...(await withScene({ monitors: CAMERAS }, (scene) => small(scene, say))),
      ...(await withScene({ monitors: CAMERAS }, (scene) => large(scene, say))),
      ...(await withScene({ monitors: CAMERAS, tls: true }, (scene) => secure(scene, say))),
    ];
  },
};

type Say = (text: string) => void;
type Bare = Awaited<ReturnType<Scene["startBare"]>>;

async function small(scene: Scene, say: Say): Promise<Metrics> {
  say("1,000 clients");
  const bare = await scene.startBare();
  await gather(scene, bare, 1000);
  return [ratio("last_ratio_1000", await rounds(scene, bare, 1000, 21, say))];
}

async function large(scene: Scene, say: Say): Promise<Metrics> {
  say("5,000 clients");
  const bare = await scene.startBare();
  const before = await memory(scene, bare);
  await gather(scene, bare, 5000);
  const after = await memory(scene, bare);
  const five = await rounds(scene, bare, 5000, 20, say);
  const grown = [await scene.daemon.call("rss", undefined), await bare.bare.call("rss", undefined)] as const;
  say("9,000 clients");
  await gather(scene, bare, 9000);
  await scene.daemon.call("startScanGaps", undefined);
  const nine = await rounds(scene, bare, 9000, 15, say);
  const { longest } = await scene.daemon.call("stopScanGaps", undefined);
  const perClient = (after.bare - before.bare) / 5000;
  return [
    ratio("last_ratio_5000", five),
    ratio("last_ratio_9000", nine),
    { metric: "scan_gap_ms_9000", value: longest, unit: "ms", target: 25, floor: null },
    {
      metric: "bytes_per_client_over_bare",
      value: (after.ours - before.ours) / 5000 - perClient,
      unit: "bytes above floor",
      target: 3000,
      floor: perClient,
    },
    {
      metric: "rss_growth_pct",
      value: (grown[0] / after.ours - 1) * 100,
      unit: "%",
      target: 10,
      floor: (grown[1] / after.bare - 1) * 100,
    },
  ];
}

async function secure(scene: Scene, say: Say): Promise<Metrics> {
  say("5,000 clients over wss");
  const bare = await scene.startBare();
  await gather(scene, bare, 5000);
  return [ratio("wss_last_ratio_5000", await rounds(scene, bare, 5000, 11, say))];
}

/** Brings the number of clients on both sides up to `count`. */
async function gather({ clients, daemon, url }: Scene, bare: Bare, count: number): Promise<void> {
  const there = await daemon.call("clients", undefined);
  const logins = Array.from({ length: count - there }, (_, index) => loginOf(there + index));
  const more = { count: logins.length, atOnce: AT_ONCE };
  await clients.call("open", { group: OURS, url, logins, ...more });
  await clients.call("open", { group: BARE, url: bare.url, logins: null, ...more });
  const [ours, theirs] = [
    await daemon.call("clients", undefined),
    await bare.bare.call("clients", undefined),
  ];
  if (ours !== count || theirs !== count)
    throw new Error(`${ours} and ${theirs} clients instead of ${count}`);
  await settle(1000);
}

/** Camera 1, and a choice of the others that differs from filter to filter. */
function loginOf(position: number): ClientLogin {
  const filter = position % FILTERS;
  const others = Array.from({ length: CAMERAS - 1 }, (_, index) => index + 2).filter(
    (id) => (id * 7919 + filter * 104_729) % 13 < 1 + (filter % 6),
  );
  const number = position % USERS;
  const intervals = filter % 5 === 0 ? ["0", ...others.map(() => "60")].join() : null;
  return {
    user: number % 4 === 0 ? `some-${2 + (number % 3)}` : `user-${number}`,
    password: "secret",
    monlist: [1, ...others].join(),
    ...(intervals !== null && { intlist: intervals }),
  };
}

async function rounds(
  scene: Scene,
  { bare }: Bare,
  clients: number,
  count: number,
  say: Say,
): Promise<Times> {
  const times = await playRounds(scene, bare, { clients, rounds: count, cameras: 1, from: "seen" });
  say(
    `the last of ${clients} has it after ${spread(times.ours)}, from a bare server after ${spread(times.bare)}`,
  );
  return times;
}

/** The median of the rounds, the shortest and the longest. */
function spread(times: readonly number[]): string {
  return `${Math.round(median(times))} ms (${Math.round(Math.min(...times))} to ${Math.round(Math.max(...times))})`;
}

function ratio(metric: string, { ours, bare }: Times): Omit<Result, "bench"> {
  const floor = median(bare);
  return { metric, value: median(ours) / floor, unit: "times floor (ms)", target: RATIO, floor };
}

async function memory({ daemon }: Scene, { bare }: Bare) {
  return {
    ours: await daemon.call("collectedRss", undefined),
    bare: await bare.call("collectedRss", undefined),
  };
}
