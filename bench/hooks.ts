// Bench `hooks`: a hundred cameras want a slow script asked at once, and what that costs the cameras without one.
//
// Measured: 100 cameras whose alarms go through a hook (a shell script that takes 0.2 s and says yes), 4 hooks at a time,
// and 64 cameras that are in `hook_skip_monitors`. Three times, all of the 100 raise an alarm at once; until the last of
// these has reached its client, after five seconds and more, random cameras of the 64 raise alarms at random moments.
// `max_waiting` (200) and `max_wait` (30 s) are the defaults: nobody is to be told without his hook, and a run in which
// that happens is none. `lost`: alarms with a hook that never reached the client. `other_p99_ms`: from right before the
// first byte of an alarm without a hook was written to its frame in the hands of another client; the floor is the same
// with all other cameras at rest. `rss_growth_mb`: what the daemon's resident memory grew by from before the first hook
// was ever run until after the last one, garbage collected first; the children of the daemon are not counted.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Arrived, arrivedAt, raiseAlarms } from "./alarms.ts";
import type { Bench, Metrics } from "./bench.ts";
import { type Scene, settle, withScene } from "./scene.ts";
import { percentile } from "./statistics.ts";

/** Cameras 1 to 100. */
const HOOKED = range(1, 100);
/** Cameras 101 to 164. */
const OTHERS = range(101, 64);
const PARALLEL = 4;
const BURSTS = 3;
const WARM_UP_ALARMS = 20;
const QUIET_ALARMS = 400;
const PAUSE_MS = [10, 40] as const;
const ALARM_MS = 250;
/** Longer than `max_wait` and the hook itself: what has not come then will not come. */
const BURST_PATIENCE_MS = 40_000;
const MB = 1024 * 1024;

const SCRIPT = fileURLToPath(new URL("slow-hook.sh", import.meta.url));

export const hooks: Bench = {
  name: "hooks",
  about: "100 alarms at once with a slow hook, and the cameras without one meanwhile",
  async run(say) {
    say("100 alarms at once with a hook of 0.2 s, 64 cameras without one");
    const hook = { script: SCRIPT, parallel: PARALLEL, skipped: OTHERS };
    return withScene({ monitors: HOOKED.length + OTHERS.length, hook }, measure);
  },
};

async function measure(scene: Scene): Promise<Metrics> {
  const { clients, daemon, url } = scene;
  for (const [group, monitors] of Object.entries({ hooked: HOOKED, others: OTHERS })) {
    const login = { user: "admin", password: "secret", monlist: monitors.join(",") };
    await clients.call("open", { group, url, count: 1, logins: [login], atOnce: 1 });
  }
  await raiseOthers(scene, (raised) => raised === WARM_UP_ALARMS);
  await clients.call("arrivals", "hooked");
  await clients.call("arrivals", "others");
  const quietly = await raiseOthers(scene, (raised) => raised === QUIET_ALARMS);
  const quiet = await arrivedAt(clients, "others", quietly);
  const before = await daemon.call("collectedRss", undefined);
  const bursts: Burst[] = [];
  for (let count = 0; count < BURSTS; count++) bursts.push(await burst(scene));
  const after = await daemon.call("collectedRss", undefined);
  const unasked = await daemon.call("unaskedHooks", undefined);
  if (unasked > 0) throw new Error(`${unasked} alarms were told without their hook`);
  return metricsOf(bursts, quiet, (after - before) / MB);
}

interface Burst {
  readonly hooked: Arrived;
  readonly others: Arrived;
}

function metricsOf(bursts: readonly Burst[], quiet: Arrived, grownMb: number): Metrics {
  const lost = bursts.reduce((sum, { hooked }) => sum + hooked.lost, 0);
  const others = bursts.flatMap((each) => latenciesOf(each.others));
  const floor = percentile(latenciesOf(quiet), 0.99);
  return [
    { metric: "rss_growth_mb", value: grownMb, unit: "MB", target: 10, floor: null },
    { metric: "lost", value: lost, unit: "alarms", target: 0, floor: null },
    { metric: "other_p99_ms", value: percentile(others, 0.99), unit: "ms", target: 20, floor },
  ];
}

/** Alarms of all cameras with a hook, and of the others for as long as that takes. */
async function burst(scene: Scene): Promise<Burst> {
  const { cameras, clients } = scene;
  let isOver = false;
  await clients.call("expect", { group: "hooked", messages: HOOKED.length });
  const raising = raiseOthers(scene, () => isOver);
  await settle();
  const written = HOOKED.map(cameras.begin);
  const last = clients.call("lastOf", { group: "hooked", timeoutMs: BURST_PATIENCE_MS });
  await sleep(ALARM_MS);
  for (const id of HOOKED) cameras.end(id);
  await last.catch(() => undefined); // what is missing is counted as lost
  isOver = true;
  const writtenByOthers = await raising;
  const [hooked, others] = await Promise.all([
    arrivedAt(clients, "hooked", written),
    arrivedAt(clients, "others", writtenByOthers),
  ]);
  return { hooked, others };
}

function raiseOthers({ cameras }: Scene, isOver: (raised: number) => boolean) {
  return raiseAlarms(cameras, { pauseMs: PAUSE_MS, except: HOOKED, isOver });
}

function latenciesOf({ latencies, lost }: Arrived): readonly number[] {
  if (lost > 0) throw new Error(`${lost} alarms without a hook never reached the client`);
  return latencies;
}

function range(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
