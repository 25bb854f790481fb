// Alarms of random cameras at random moments, and how long each took to arrive.
import { setTimeout as sleep } from "node:timers/promises";
import type { Cameras, WrittenAlarm } from "./cameras.ts";
import type { Child } from "./child.ts";
import type { ClientCalls } from "./client-process.ts";

export interface AlarmsOptions {
  /** Between two alarms, at random, evenly. */
  readonly pauseMs: readonly [shortest: number, longest: number];
  /** True when no more alarms are wanted. */
  readonly isOver: (raised: number) => boolean;
  /** Cameras that are left alone. */
  readonly except?: readonly number[];
}

export interface Arrived {
  readonly latencies: readonly number[];
  readonly lost: number;
}

/** How long a camera is in alarm, and how long it rests before its next one. */
const ALARM_MS = 250;
/** No alarm takes that long; whatever is missing then is lost. */
export const PATIENCE_MS = 2_000;

/** Raises alarms until it is over. Cameras that are still in alarm then come to rest by themselves. */
export async function raiseAlarms(
  cameras: Cameras,
  options: AlarmsOptions,
): Promise<readonly WrittenAlarm[]> {
  const [shortest, longest] = options.pauseMs;
  const resting = new Set(Array.from({ length: cameras.count }, (_, index) => index + 1));
  for (const id of options.except ?? []) resting.delete(id);
  const written: WrittenAlarm[] = [];
  while (!options.isOver(written.length)) {
    await sleep(shortest + Math.random() * (longest - shortest));
    const id = [...resting][Math.floor(Math.random() * resting.size)];
    if (id === undefined) throw new Error("All cameras are in alarm.");
    resting.delete(id);
    written.push(cameras.begin(id));
    setTimeout(() => {
      cameras.end(id);
      // The daemon has to see the camera at rest before its next alarm is another one.
      setTimeout(() => resting.add(id), ALARM_MS);
    }, ALARM_MS);
  }
  await sleep(2 * ALARM_MS);
  return written;
}

/** From `writtenAt` to the moment a client of the group had it; its `arrivals` must have been asked for before. */
export async function arrivedAt(
  clients: Child<ClientCalls>,
  group: string,
  written: readonly WrittenAlarm[],
): Promise<Arrived> {
  await sleep(PATIENCE_MS);
  const arrivals = new Map(await clients.call("arrivals", group));
  const latencies = written.flatMap(({ eventId, writtenAt }) => {
    const arrived = arrivals.get(eventId);
    return arrived === undefined ? [] : [arrived - writtenAt];
  });
  return { latencies, lost: written.length - latencies.length };
}
