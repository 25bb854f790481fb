// One alarm to everybody, again and again, in turn with the same bytes from a bare server.
import { instant } from "./instant.ts";
import { type Scene, settle } from "./scene.ts";

export interface RoundsOptions {
  /** How many clients each side has; every one of them must get every alarm. */
  readonly clients: number;
  readonly rounds: number;
  /** How many cameras, from 1 on, raise an alarm at once. */
  readonly cameras: number;
  /**
   * "seen": the clock of the daemon starts when its watcher has seen the alarm, as that of the bare server starts
   * right before its first send. "written": it starts right before the byte is written, up to a scan earlier.
   */
  readonly from: "seen" | "written";
}

export interface Times {
  /** ms until the last client had everything, one for each round. */
  readonly ours: readonly number[];
  readonly bare: readonly number[];
}

/** The groups of clients, one on each side. */
export const OURS = "ours";
export const BARE = "bare";

type Bare = Awaited<ReturnType<Scene["startBare"]>>["bare"];

const PATIENCE_MS = 20_000;
/** The first rounds find code and buffers that were never used. */
const WARM_UP_ROUNDS = 2;

export async function playRounds(scene: Scene, bare: Bare, options: RoundsOptions): Promise<Times> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < options.rounds; round++) {
    const alarm = await playAlarm(scene, options);
    await settle();
    const text = await scene.clients.call("text", OURS);
    const plain = await playBare(
      scene,
      bare,
      Array.from({ length: options.cameras }, () => text),
      options.clients,
    );
    await settle();
    if (round < 0) continue;
    ours.push(alarm);
    theirs.push(plain);
  }
  return { ours, bare: theirs };
}

/** ms until the last client had the alarms of one moment. */
async function playAlarm({ cameras, clients, daemon }: Scene, options: RoundsOptions): Promise<number> {
  await clients.call("expect", { group: OURS, messages: options.clients * options.cameras });
  const writtenAt = instant();
  let lastEvent = 0;
  for (let id = 1; id <= options.cameras; id++) lastEvent = cameras.begin(id).eventId;
  const lastAt = await clients.call("lastOf", { group: OURS, timeoutMs: PATIENCE_MS });
  for (let id = 1; id <= options.cameras; id++) cameras.end(id);
  return lastAt - (options.from === "seen" ? await daemon.call("seenAt", lastEvent) : writtenAt);
}

async function playBare(
  { clients }: Scene,
  bare: Bare,
  texts: readonly string[],
  count: number,
): Promise<number> {
  await clients.call("expect", { group: BARE, messages: count * texts.length });
  const began = await bare.call("send", texts);
  return (await clients.call("lastOf", { group: BARE, timeoutMs: PATIENCE_MS })) - began;
}
