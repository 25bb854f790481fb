// The live channel: tells every logged-in WebSocket client of the alarms of one scan, at once and in slices.
import type { Alarm } from "../domain/alarm.ts";
import { decide, type Refusal } from "../domain/policy.ts";
import type { Recipient } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { createLateAlarms } from "./late-alarms.ts";
import type { LiveReceiver, LiveSessions } from "./live-receiver.ts";
import { alarmFrame } from "./websocket-message.ts";

export interface WebSocketChannelOptions {
  readonly sessions: LiveSessions;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WebSocketChannel extends Part {
  /** Writes the first slice before it returns; the order of alarms holds for each client. */
  tell(alarms: readonly Alarm[]): void;
}

/** 9,000 sockets take 65 to 140 ms in one go; in slices of this length the scan goes on every 10 ms meanwhile. */
const SLICE_MS = 5;
/** How many clients are told between two looks at the clock: about 0.2 ms. */
const CLIENTS_PER_LOOK = 16;

/** Builds the channel. Nothing happens before the first `tell`. */
export function createWebSocketChannel(options: WebSocketChannelOptions): WebSocketChannel {
  const { sessions, clock, logger } = options;
  const waiting: Telling[] = [];
  let running: Round | null = null;
  const late = createLateAlarms({
    sessions,
    clock,
    tellTo: (receivers, alarms) => tellTo(receivers, alarms),
  });

  return {
    name: "websocket",
    async start() {},
    async stop() {
      late.stop();
    },
    tell(alarms) {
      if (alarms.length === 0) return;
      tellTo(null, alarms);
      const missed = alarms.filter((alarm) => alarm.late);
      if (missed.length > 0) late.keep(missed);
    },
  };

  function tellTo(receivers: readonly LiveReceiver[] | null, alarms: readonly Alarm[]): void {
    const last = waiting.at(-1);
    if (last?.receivers === null && receivers === null) last.alarms.push(...alarms);
    else waiting.push({ receivers, alarms: [...alarms] });
    if (running === null) slice();
  }

  function slice(): void {
    running ??= nextRound();
    while (running !== null) {
      if (!tellCarefully(running)) {
        setImmediate(slice);
        return;
      }
      report(running, logger);
      running = nextRound();
    }
  }

  /** An error that nobody foresaw costs the client at which it happened; thrown on, it would silence the channel. */
  function tellCarefully(round: Round): boolean {
    for (;;) {
      try {
        return tellSlice(round, clock);
      } catch (error) {
        logger.error({ err: error }, "A client could not be told");
        round.next += 1;
      }
    }
  }

  function nextRound(): Round | null {
    const next = waiting.shift();
    if (next === undefined) return null;
    return startRound(next.alarms, next.receivers ?? sessions.receivers(), clock.now());
  }
}

/** Alarms that wait until those before them were told. */
interface Telling {
  readonly alarms: Alarm[];
  /** null: everybody who is logged in when it begins. */
  readonly receivers: readonly LiveReceiver[] | null;
}

/** The telling of some alarms, under way. */
interface Round {
  readonly alarms: readonly Alarm[];
  readonly frames: readonly Buffer[];
  readonly receivers: readonly LiveReceiver[];
  readonly now: number;
  readonly refused: Record<Refusal, number>;
  told: number;
  next: number;
  /** Which alarms the client in hand gets. One array for all clients: an array each would be 2 MB per alarm. */
  readonly chosen: number[];
  /** What the last client got: most clients get the same, and then share the joined bytes as well. */
  joined: { readonly chosen: readonly number[]; readonly bytes: Buffer } | null;
}

function startRound(alarms: readonly Alarm[], receivers: readonly LiveReceiver[], now: number): Round {
  const refused = { "not-permitted": 0, "monitor-off": 0, "too-soon": 0 };
  const frames = receivers.length === 0 ? [] : alarms.map(alarmFrame);
  return { alarms, frames, receivers, now, refused, told: 0, next: 0, chosen: [], joined: null };
}

/** Tells clients until the slice is over; true when nobody is left. */
function tellSlice(round: Round, clock: Clock): boolean {
  const end = clock.monotonic() + SLICE_MS;
  for (; round.next < round.receivers.length; round.next++) {
    if (round.next % CLIENTS_PER_LOOK === 0 && round.next > 0 && clock.monotonic() >= end) return false;
    const receiver = round.receivers[round.next];
    if (receiver?.writable()) tellOne(round, receiver);
  }
  return true;
}

function tellOne(round: Round, receiver: LiveReceiver): void {
  const count = chooseFor(round, receiver.recipient);
  if (count === 0) return;
  receiver.write(bytesOf(round, count));
  round.told += 1;
}

/** Fills `round.chosen` and returns how many of its entries count. */
function chooseFor(round: Round, recipient: Recipient): number {
  let count = 0;
  for (let index = 0; index < round.alarms.length; index++) {
    const alarm = round.alarms[index];
    if (alarm === undefined) continue;
    const verdict = decide(alarm, recipient, round.now);
    if (!verdict.send) {
      round.refused[verdict.reason] += 1;
      continue;
    }
    round.chosen[count++] = index;
    const monitor = alarm.monitor.id;
    // Only an interval ever reads it back; 64 monitors noted for each of 9,000 clients would be 20 MB.
    if (recipient.intervals.has(monitor)) recipient.lastTold.set(monitor, round.now);
  }
  return count;
}

/** The first `count` chosen frames as one buffer, so that a client costs one write however many alarms there are. */
function bytesOf(round: Round, count: number): Buffer {
  const last = round.joined;
  if (last !== null && isSame(last.chosen, round.chosen, count)) return last.bytes;
  const chosen = round.chosen.slice(0, count);
  const frames = chosen.flatMap((index) => round.frames[index] ?? []);
  const [only] = frames;
  const bytes = frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
  round.joined = { chosen, bytes };
  return bytes;
}

function isSame(last: readonly number[], chosen: readonly number[], count: number): boolean {
  return last.length === count && last.every((value, index) => value === chosen[index]);
}

function report(round: Round, logger: Logger): void {
  if (round.receivers.length === 0) return;
  // The phrase and level of the original: its debugging chapter tells people to look for it.
  logger.info(
    { told: round.told, ...round.refused },
    `Broadcasting new events to all ${round.receivers.length} websocket clients`,
  );
}
