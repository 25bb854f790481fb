// The live channel: tells every logged-in WebSocket client of the alarms of one scan, at once and in slices.
import type { Alarm } from "../domain/alarm.ts";
import { type Addressee, type Briefing, decideFor, isFirstHeard } from "../domain/briefing.ts";
import type { SocketCounts } from "../domain/history.ts";
import { REFUSALS, type Refusal } from "../domain/policy.ts";
import type { Clock } from "../lib/clock.ts";
import type { Part } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/log.ts";
import { createLateAlarms } from "./late-alarms.ts";
import type { LiveReceiver, LiveSessions } from "./live-receiver.ts";
import { alarmFrame, supplementaryFrame } from "./websocket-message.ts";

export interface WebSocketChannelOptions {
  readonly sessions: LiveSessions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The address of an alarm's picture for one user; null: no message carries any, and everybody gets the same. */
  readonly picture?: PictureFor | null;
  /** Told once everybody was: how many clients got each alarm, and how many did not. */
  readonly onTold?: (told: readonly AlarmCounts[]) => void;
}

/** Each user has links of their own, because a link carries a permission. */
type PictureFor = (alarm: Alarm, user: string | null) => string | null;

interface AlarmCounts {
  readonly alarm: Alarm;
  readonly counts: SocketCounts;
}

export interface WebSocketChannel extends Part {
  /** Writes the first slice before it returns; the order of alarms holds for each client. */
  tell(alarms: readonly Briefing[]): void;
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
      late.before(alarms);
      tellTo(null, alarms);
      const missed = alarms.filter(({ alarm }) => alarm.late && alarm.phase !== "updated");
      if (missed.length > 0) late.keep(missed);
    },
  };

  function tellTo(receivers: readonly LiveReceiver[] | null, alarms: readonly Briefing[]): void {
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
      if (options.onTold) options.onTold(countsOf(running));
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
    const receivers = next.receivers ?? sessions.receivers();
    return startRound(next.alarms, receivers, options.picture ?? null, clock.now());
  }
}

interface Counts {
  told: number;
  readonly refused: Record<Refusal, number>;
}

function noRefusals(): Record<Refusal, number> {
  return Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>;
}

/** As the history keeps them: reasons that refused nobody are left out. */
function countsOf({ alarms, counts }: Round): readonly AlarmCounts[] {
  return alarms.map(({ alarm }, index) => {
    const { told = 0, refused = noRefusals() } = counts[index] ?? {};
    const some = Object.entries(refused).filter(([, count]) => count > 0);
    return { alarm, counts: { told, refused: Object.fromEntries(some) } };
  });
}

/** Alarms that wait until those before them were told. */
interface Telling {
  readonly alarms: Briefing[];
  /** null: everybody who is logged in when it begins. */
  readonly receivers: readonly LiveReceiver[] | null;
}

/** The telling of some alarms, under way. */
interface Round {
  readonly alarms: readonly Briefing[];
  /** null: one wording for all. Else receivers of the same user stand together. */
  readonly picture: PictureFor | null;
  readonly receivers: readonly LiveReceiver[];
  readonly now: number;
  /** How many clients got each alarm, and how many did not. */
  readonly counts: readonly Counts[];
  told: number;
  next: number;
  /** Whom the frames at hand are for; only the last user's are kept, a thousand users' would be too many. */
  user: string | null;
  wordings: Wordings;
  /**
   * Which alarms the client in hand gets: four times the index, one more where it is critical for that client, two more
   * where an update is its beginning. One array for all clients: an array each would be 2 MB per alarm.
   */
  readonly chosen: number[];
}

interface Wordings {
  readonly plain: Variant;
  readonly supplementary: Variant;
}

/** One wording of the alarms of a round. */
interface Variant {
  readonly frameOf: (alarm: Alarm) => Buffer;
  /** By their number in `chosen`. Built when the first client needs them: hardly any round needs all wordings. */
  readonly frames: Map<number, Buffer>;
  /** What the last client got: most clients get the same, and then share the joined bytes as well. */
  joined: { readonly chosen: readonly number[]; readonly bytes: Buffer } | null;
}

function startRound(
  alarms: readonly Briefing[],
  all: readonly LiveReceiver[],
  picture: PictureFor | null,
  now: number,
): Round {
  const counts = alarms.map(() => ({ told: 0, refused: noRefusals() }));
  const receivers = picture === null ? all : [...Map.groupBy(all, ({ user }) => user).values()].flat();
  const user = receivers[0]?.user ?? null;
  const wordings = wordingsFor(picture, user);
  return { alarms, picture, receivers, now, counts, told: 0, next: 0, user, wordings, chosen: [] };
}

function wordingsFor(picture: PictureFor | null, user: string | null): Wordings {
  const link = (alarm: Alarm) => picture?.(alarm, user) ?? null;
  return {
    plain: { frameOf: (alarm) => alarmFrame(alarm, link(alarm)), frames: new Map(), joined: null },
    supplementary: {
      frameOf: (alarm) => supplementaryFrame(alarm, link(alarm)),
      frames: new Map(),
      joined: null,
    },
  };
}

/** Tells clients until the slice is over; true when nobody is left. */
function tellSlice(round: Round, clock: Clock): boolean {
  const end = clock.monotonic() + SLICE_MS;
  const perLook = round.picture === null ? CLIENTS_PER_LOOK : 1;
  for (; round.next < round.receivers.length; round.next++) {
    if (round.next % perLook === 0 && round.next > 0 && clock.monotonic() >= end) return false;
    const receiver = round.receivers[round.next];
    if (receiver?.writable()) tellOne(round, receiver);
  }
  return true;
}

function tellOne(round: Round, receiver: LiveReceiver): void {
  const count = chooseFor(round, receiver);
  if (count === 0) return;
  if (round.picture !== null && round.user !== receiver.user) {
    round.user = receiver.user;
    round.wordings = wordingsFor(round.picture, receiver.user);
  }
  const { plain, supplementary } = round.wordings;
  receiver.write(bytesOf(round, count, receiver.supplementary ? supplementary : plain));
  round.told += 1;
}

/** What is added to an alarm's number in `chosen`. */
const CRITICAL = 1;
const AS_BEGINNING = 2;

/** Fills `round.chosen` and returns how many of its entries count. */
function chooseFor(round: Round, receiver: LiveReceiver): number {
  const { recipient } = receiver;
  const to: Addressee = { channel: "web", user: receiver.user, token: null };
  let count = 0;
  for (let index = 0; index < round.alarms.length; index++) {
    const briefing = round.alarms[index];
    const counts = round.counts[index];
    if (briefing === undefined || counts === undefined) continue;
    const { alarm } = briefing;
    const isFirst = isFirstHeard(briefing, receiver);
    if (alarm.phase === "updated" && receiver.updates !== true && !isFirst) continue;
    const verdict = decideFor(briefing, receiver, to, recipient, round.now);
    if (!verdict.send) {
      counts.refused[verdict.reason] += 1;
      continue;
    }
    counts.told += 1;
    round.chosen[count++] = index * 4 + (isFirst ? AS_BEGINNING : 0) + (verdict.critical ? CRITICAL : 0);
    const monitor = alarm.monitor.id;
    // Only an interval ever reads it back; 64 monitors noted for each of 9,000 clients would be 20 MB.
    if ((alarm.phase === "started" || isFirst) && recipient.intervals.has(monitor))
      recipient.lastTold.set(monitor, round.now);
  }
  return count;
}

/** The first `count` chosen frames as one buffer, so that a client costs one write however many alarms there are. */
function bytesOf(round: Round, count: number, variant: Variant): Buffer {
  const last = variant.joined;
  if (last !== null && isSame(last.chosen, round.chosen, count)) return last.bytes;
  const chosen = round.chosen.slice(0, count);
  const frames = chosen.map((number) => frameOf(round, number, variant));
  const [only] = frames;
  const bytes = frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
  variant.joined = { chosen, bytes };
  return bytes;
}

function frameOf({ alarms }: Round, number: number, { frames, frameOf: build }: Variant): Buffer {
  const before = frames.get(number);
  const alarm = alarms[number >> 2]?.alarm;
  if (before !== undefined || alarm === undefined) return before ?? Buffer.alloc(0);
  const frame = build({
    ...alarm,
    ...(number & CRITICAL && { critical: true }),
    ...(number & AS_BEGINNING && { phase: "started" }),
  });
  frames.set(number, frame);
  return frame;
}

function isSame(last: readonly number[], chosen: readonly number[], count: number): boolean {
  return last.length === count && last.every((value, index) => value === chosen[index]);
}

function report(round: Round, logger: Logger): void {
  if (round.receivers.length === 0) return;
  // The phrase and level of the original: its debugging chapter tells people to look for it.
  const refused = noRefusals();
  for (const { refused: its } of round.counts) for (const reason of REFUSALS) refused[reason] += its[reason];
  logger.info(
    { told: round.told, ...refused },
    `Broadcasting new events to all ${round.receivers.length} websocket clients`,
  );
}
