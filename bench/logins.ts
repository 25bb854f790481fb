// Bench `logins`: crowds log in at once against bcrypt hashes of cost 12, and alarms still arrive in time.
//
// Measured: the real login path: rows and rights from a private MariaDB (which must be installed), passwords checked by
// bcrypt. A phone is logged in; then 500 clients of 10 users connect and log in at the same moment, six times (the
// users are remembered from the second time on), and then 500 distinct users, of whom as many get their turn as 20 s
// allow. Meanwhile 64 cameras raise alarms at random moments. All of it over ws and then over wss (P-256), and the worse
// of the two is told.
// `alarm_p99_ms`: from right before the byte is written to the frame received by the phone (a process of its own), over
// all alarms of the first and the last crowd.
// `loop_block_over_bare_ratio`: the longest time the daemon's event loop was not free (a timer of 1 ms in it) from the
// first connection until all are logged in (20 s for the distinct users), median of the crowds, over the same of a bare
// `ws` server while 500 connect, in turn with them.
// `relogin_ms`: from the client's `auth` to the reply for a user that has logged in before, 99th percentile of 200, in quiet.
// `fs_wait_ms`: the longest that a read of 64 bytes from an open file in the daemon took in all that time (one every
// 50 ms): such reads share their threads with bcrypt.
import { setTimeout as sleep } from "node:timers/promises";
import { type Arrived, arrivedAt, PATIENCE_MS, raiseAlarms } from "./alarms.ts";
import type { BareCalls } from "./bare-process.ts";
import type { Bench } from "./bench.ts";
import type { WrittenAlarm } from "./cameras.ts";
import { type Child, startChild } from "./child.ts";
import type { ClientCalls, ClientLogin } from "./client-process.ts";
import { type Scene, settle, withScene } from "./scene.ts";
import { median, percentile } from "./statistics.ts";
import { startUsers, type UsersInDatabase } from "./users.ts";

const CAMERAS = 64;
const CLIENTS = 500;
const FEW_USERS = 10;
const CROWDS = 6;
/** All of them would take about two minutes on two cores, one check after the other. */
const DISTINCT_MS = 20_000;
const PAUSE_MS = [5, 25] as const;
const RELOGINS = 200;

/** The phone's user; the users of the crowds come after it. */
const PHONE = 0;

export const logins: Bench = {
  name: "logins",
  about: "500 clients log in at once while alarms arrive (needs MariaDB installed)",
  async run(say) {
    say("a private MariaDB with 511 users");
    const users = await startUsers(1 + FEW_USERS + CLIENTS, CAMERAS);
    try {
      const options = { monitors: CAMERAS, database: users.place };
      say(`${CLIENTS} clients of ${FEW_USERS} users, then ${CLIENTS} distinct users, over ws`);
      const ws = await withScene(options, (scene) => measure(scene, users, say));
      say("the same over wss");
      const wss = await withScene({ ...options, tls: true }, (scene) => measure(scene, users, say));
      const worse = (of: (one: Measured) => number): number => Math.max(of(ws), of(wss));
      const block = ws.block.ratio > wss.block.ratio ? ws.block : wss.block;
      return [
        { metric: "alarm_p99_ms", value: worse((one) => one.alarmP99), unit: "ms", target: 30, floor: null },
        {
          metric: "loop_block_over_bare_ratio",
          value: block.ratio,
          unit: "times floor (ms)",
          target: 1.2,
          floor: block.bare,
        },
        { metric: "relogin_ms", value: worse((one) => one.relogin), unit: "ms", target: 5, floor: null },
        { metric: "fs_wait_ms", value: worse((one) => one.fsWait), unit: "ms", target: 50, floor: null },
      ];
    } finally {
      await users.stop();
    }
  },
};

type Say = (text: string) => void;

interface Measured {
  readonly alarmP99: number;
  readonly block: { readonly ratio: number; readonly bare: number };
  readonly relogin: number;
  readonly fsWait: number;
}

interface Crowd {
  readonly block: number;
  readonly alarms: readonly WrittenAlarm[];
}

async function measure(scene: Scene, users: UsersInDatabase, say: Say): Promise<Measured> {
  const { clients: phone, daemon, keep, url } = scene;
  const { bare, url: bareUrl } = await scene.startBare();
  const crowd = keep(startChild<ClientCalls>("client-process"));
  await phone.call("open", { group: "phone", url, count: 1, logins: [users.login(PHONE)], atOnce: 1 });
  // Both sides have seen a crowd before the first that counts: nobody measures code that was never run.
  await bareBlock(bare, crowd, bareUrl);
  await connectOnly(scene, crowd);
  await phone.call("arrivals", "phone");
  await daemon.call("startFileReads", undefined);

  const few = range(FEW_USERS).map((number) => users.login(PHONE + 1 + number));
  const distinct = range(CLIENTS).map((number) => users.login(PHONE + 1 + FEW_USERS + number));
  const bareBlocks: number[] = [];
  const crowds: Crowd[] = [];
  for (let round = 0; round < CROWDS; round++) {
    bareBlocks.push(await bareBlock(bare, crowd, bareUrl));
    crowds.push(await logInAll(scene, crowd, few));
  }
  bareBlocks.push(await bareBlock(bare, crowd, bareUrl));
  crowds.push(await logInAll(scene, crowd, distinct, DISTINCT_MS));
  const fsWait = await daemon.call("stopFileReads", undefined);

  const counted = [crowds[0], crowds.at(-1)].flatMap((each) => each?.alarms ?? []);
  const latencies = delays(await arrivedAt(phone, "phone", counted), say);
  const again = { group: "phone", login: users.login(PHONE), times: RELOGINS };
  const relogins = await phone.call("loginAgain", again);
  const floor = median(bareBlocks);
  say(`longest blocks ${inMs(crowds.map(({ block }) => block))}, bare ${inMs(bareBlocks)}`);
  say(
    `alarms p50 ${inMs([median(latencies)])}, longest ${inMs([Math.max(...latencies)])}, of ${latencies.length}`,
  );
  say(`repeated logins p50 ${inMs([median(relogins)])}`);
  const ratio = median(crowds.map(({ block }) => block)) / floor;
  return {
    alarmP99: percentile(latencies, 0.99),
    block: { ratio, bare: floor },
    relogin: percentile(relogins, 0.99),
    fsWait,
  };
}

/** An alarm that was lost has taken for ever; that counts as the time after which it was given up. */
function delays({ latencies, lost }: Arrived, say: Say): readonly number[] {
  if (lost > 0) say(`${lost} alarms did not arrive`);
  return [...latencies, ...range(lost).map(() => PATIENCE_MS)];
}

/** The longest block of the bare server while 500 connect. */
async function bareBlock(bare: Child<BareCalls>, crowd: Child<ClientCalls>, url: string): Promise<number> {
  await bare.call("startLoopGap", undefined);
  await crowd.call("open", { group: "bare", url, count: CLIENTS, logins: null, atOnce: CLIENTS });
  const block = await bare.call("stopLoopGap", undefined);
  await crowd.call("close", "bare");
  await settle();
  return block;
}

async function connectOnly({ url }: Scene, crowd: Child<ClientCalls>): Promise<void> {
  await crowd.call("open", { group: "crowd", url, count: CLIENTS, logins: null, atOnce: CLIENTS });
  await crowd.call("close", "crowd");
  await settle();
}

/** 500 connect and log in at once, in the order of `logins`; until all are in, or for so long. */
async function logInAll(
  { cameras, daemon, url }: Scene,
  crowd: Child<ClientCalls>,
  logins: readonly ClientLogin[],
  forMs: number | null = null,
): Promise<Crowd> {
  let isOver = false;
  const alarms = raiseAlarms(cameras, { pauseMs: PAUSE_MS, isOver: () => isOver });
  try {
    await daemon.call("startLoopGap", undefined);
    const all = crowd.call("open", { group: "crowd", url, count: CLIENTS, logins, atOnce: CLIENTS });
    if (forMs === null) await all;
    else await Promise.race([sleep(forMs), all.then(() => undefined)]);
    const block = await daemon.call("stopLoopGap", undefined);
    isOver = true;
    // Those who still wait for their turn are cut off, which is what they are told by the rejection.
    all.catch(() => undefined);
    await crowd.call("close", "crowd");
    return { block, alarms: await alarms };
  } finally {
    isOver = true;
    await alarms;
    await settle();
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function inMs(values: readonly number[]): string {
  return `${values.map((value) => value.toFixed(1)).join(", ")} ms`;
}
