// Bench `many`: 200 cameras raise an alarm at once, and 500 clients are told of all of them.
//
// Measured: every client is logged in with the same wish for all cameras, and gets 200 messages, one for each alarm. The
// clock starts right before the first byte of the first alarm is written (writing all 200 takes a few milliseconds, so
// that they fall into one scan, sometimes into two) and stops when the last client has its last message. Median of the
// rounds. The floor is a bare `ws` server sending 200 messages to each of 500 clients, one after the other, the clock
// starting right before the first send; rounds alternate.
import type { Bench, Metrics } from "./bench.ts";
import { BARE, OURS, playRounds } from "./rounds.ts";
import { type Scene, withScene } from "./scene.ts";
import { median } from "./statistics.ts";

const CAMERAS = 200;
const CLIENTS = 500;
const ROUNDS = 9;
const LOGIN = { user: "admin", password: "secret" };

export const many: Bench = {
  name: "many",
  about: "200 cameras raise an alarm at once, with 500 clients",
  async run(say) {
    say("200 alarms at once to 500 clients over ws");
    const ws = await withScene({ monitors: CAMERAS }, measure);
    say("the same over wss");
    const wss = await withScene({ monitors: CAMERAS, tls: true }, measure);
    return [metric("last_ms", 120, ws), metric("wss_last_ms", 200, wss)];
  },
};

interface Medians {
  readonly ours: number;
  readonly bare: number;
}

async function measure(scene: Scene): Promise<Medians> {
  const { bare, url } = await scene.startBare();
  const crowd = { count: CLIENTS, atOnce: 50 };
  await scene.clients.call("open", { group: OURS, url: scene.url, logins: [LOGIN], ...crowd });
  await scene.clients.call("open", { group: BARE, url, logins: null, ...crowd });
  const options = { clients: CLIENTS, rounds: ROUNDS, cameras: CAMERAS, from: "written" } as const;
  const times = await playRounds(scene, bare, options);
  return { ours: median(times.ours), bare: median(times.bare) };
}

function metric(name: string, target: number, { ours, bare }: Medians): Metrics[number] {
  return { metric: name, value: ours, unit: "ms", target, floor: bare };
}
