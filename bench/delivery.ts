// Bench `delivery`: pushing to a thousand phones, and what pushing, a slow disk and a long history cost the sockets.
//
// Measured, with 64 cameras and one client on a socket; Google is a stand-in in a process of its own that checks every
// message and answers over TLS after 50 ms. `last_accepted_ms`: camera 1 raises an alarm that 1,000 phones want; the
// clock starts right before the byte is written and stops when Google has accepted the last message; median of the
// rounds. Its floor is a process that is nothing but `node:http2` with two sessions, sending 1,000 texts that are there
// already; rounds alternate. `socket_p99_ms`: while such rounds follow one another, other cameras raise alarms at random
// moments; from their byte to the client's frame. `slow_disk_socket_p99_ms`: 500 alarms as in bench `latency`, 20 phones
// that want all of them, and 300 ms for each commit of the store; every alarm must reach client and phones.
// `alarm_ms_with_100k_history`: the same without the slow disk, with 100,000 rows of history; median. The floor of
// the last three is that with an empty history and a quick disk.
import { type Arrived, arrivedAt, raiseAlarms } from "./alarms.ts";
import type { BarePushCalls } from "./bare-push-process.ts";
import type { Bench, Metrics } from "./bench.ts";
import { type Child, startChild } from "./child.ts";
import type { GoogleCalls, GooglePlace } from "./google-process.ts";
import { type Scene, type SceneOptions, settle, withScene } from "./scene.ts";
import { median, percentile } from "./statistics.ts";

const MONITORS = 64;
const CROWD = 1000;
const FEW = 20;
const ROUNDS = 9;
/** The first rounds open connections and find code that was never run. */
const WARM_UP_ROUNDS = 2;
const ALARMS = 500;
const WARM_UP_ALARMS = 20;
/** The crowd has a row of history for each phone and alarm, wanted or not: no site has this more often. */
const CROWD_ALARMS = 300;
const PAUSE_MS = [5, 45] as const;
const CROWD_PAUSE_MS = [30, 110] as const;
const HISTORY_ROWS = 100_000;
const PATIENCE_MS = 20_000;
const FEW_PATIENCE_MS = 60_000;

const LISTENER = { user: "admin", password: "secret" };

export const delivery: Bench = {
  name: "delivery",
  about: "pushing to 1,000 phones, a slow disk, a long history",
  async run(say) {
    const google = startChild<GoogleCalls>("google-process");
    try {
      const place = await google.call("place", undefined);
      say("1,000 phones");
      const crowd = { google: place, count: CROWD, monlist: "1" };
      const pushing = await withScene({ monitors: MONITORS, phones: crowd }, (scene) =>
        measureCrowd(scene, google, place),
      );
      const few = (about: string, options: Partial<SceneOptions>) => {
        say(`20 phones, ${about}`);
        const phones = { google: place, count: FEW, monlist: "" };
        return withScene({ monitors: MONITORS, phones, ...options }, (scene) => measureFew(scene, google));
      };
      const usual = await few("a quick disk, no history", {});
      const slow = await few("a slow disk", { isDiskSlow: true });
      const long = await few("100,000 rows of history", { historyRows: HISTORY_ROWS });
      return metricsOf(pushing, usual, slow, long);
    } finally {
      await google.end();
    }
  },
};

interface Pushing {
  readonly accepted: readonly number[];
  readonly bare: readonly number[];
  readonly sockets: readonly number[];
}

type Latencies = readonly number[];

function metricsOf(
  { accepted, bare, sockets }: Pushing,
  usual: Latencies,
  slow: Latencies,
  long: Latencies,
): Metrics {
  const floor = percentile(usual, 0.99);
  return [
    { metric: "last_accepted_ms", value: median(accepted), unit: "ms", target: 700, floor: median(bare) },
    { metric: "socket_p99_ms", value: percentile(sockets, 0.99), unit: "ms", target: 15, floor },
    { metric: "slow_disk_socket_p99_ms", value: percentile(slow, 0.99), unit: "ms", target: 20, floor },
    {
      metric: "alarm_ms_with_100k_history",
      value: median(long),
      unit: "ms",
      target: 7,
      floor: median(usual),
    },
  ];
}

async function measureCrowd(scene: Scene, google: Child<GoogleCalls>, place: GooglePlace): Promise<Pushing> {
  const bare = scene.keep(startChild<BarePushCalls>("bare-push-process", place));
  const accepted: number[] = [];
  const floor: number[] = [];
  await openClient(scene);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const ours = await pushOnce(scene, google);
    await settle(500);
    const theirs = await pushBare(bare, google);
    await settle(500);
    if (round < 0) continue;
    accepted.push(ours);
    floor.push(theirs);
  }
  return { accepted, bare: floor, sockets: await socketsMeanwhile(scene, google) };
}

/** ms until Google has accepted the alarm of camera 1 for every phone. */
async function pushOnce({ cameras }: Scene, google: Child<GoogleCalls>): Promise<number> {
  await google.call("expect", CROWD);
  const { writtenAt } = cameras.begin(1);
  const lastAt = await google.call("lastAcceptedAt", PATIENCE_MS);
  cameras.end(1);
  return lastAt - writtenAt;
}

async function pushBare(bare: Child<BarePushCalls>, google: Child<GoogleCalls>): Promise<number> {
  const text = await google.call("text", undefined);
  await google.call("expect", CROWD);
  const began = await bare.call("send", { text, count: CROWD });
  return (await google.call("lastAcceptedAt", PATIENCE_MS)) - began;
}

/** Alarms of the other cameras, while camera 1 has one alarm after the other pushed to everybody. */
async function socketsMeanwhile(scene: Scene, google: Child<GoogleCalls>): Promise<Latencies> {
  const { cameras, clients } = scene;
  let isOver = false;
  const pushing = (async () => {
    while (!isOver) {
      await pushOnce(scene, google);
      await settle();
    }
  })();
  await clients.call("arrivals", "one");
  const written = await raiseAlarms(cameras, {
    pauseMs: CROWD_PAUSE_MS,
    except: [1],
    isOver: (raised) => raised === CROWD_ALARMS,
  });
  isOver = true;
  await pushing;
  return latenciesOf(await arrivedAt(clients, "one", written));
}

async function measureFew(scene: Scene, google: Child<GoogleCalls>): Promise<Latencies> {
  const { cameras, clients } = scene;
  await openClient(scene);
  await google.call("expect", WARM_UP_ALARMS * FEW);
  await raiseAlarms(cameras, { pauseMs: PAUSE_MS, isOver: (raised) => raised === WARM_UP_ALARMS });
  await google.call("lastAcceptedAt", FEW_PATIENCE_MS);
  await clients.call("arrivals", "one");
  await google.call("expect", ALARMS * FEW);
  const written = await raiseAlarms(cameras, { pauseMs: PAUSE_MS, isOver: (raised) => raised === ALARMS });
  const arrived = await arrivedAt(clients, "one", written);
  await google.call("lastAcceptedAt", FEW_PATIENCE_MS);
  return latenciesOf(arrived);
}

async function openClient({ clients, url }: Scene): Promise<void> {
  await clients.call("open", { group: "one", url, count: 1, logins: [LISTENER], atOnce: 1 });
}

function latenciesOf({ latencies, lost }: Arrived): Latencies {
  if (lost > 0) throw new Error(`${lost} alarms never reached the client`);
  return latencies;
}
