// Holds alarms that were missed while the program was away, for the clients that are still on their way back.
import type { Alarm } from "../domain/alarm.ts";
import type { Briefing } from "../domain/briefing.ts";
import type { Clock } from "../lib/clock.ts";
import type { LiveReceiver, LiveSessions } from "./live-receiver.ts";

export interface LateAlarmsOptions {
  readonly sessions: LiveSessions;
  readonly clock: Clock;
  readonly tellTo: (receivers: readonly LiveReceiver[], alarms: readonly Briefing[]) => void;
}

export interface LateAlarms {
  /** Keeps late alarms that everybody who is logged in now is being told. */
  keep(alarms: readonly Briefing[]): void;
  /**
   * Takes alarms right before everybody who is logged in is told. Whoever still waits for an earlier one of the same
   * monitor is told of it now, and whoever comes back later gets the end as well: nobody hears of an end before its
   * beginning, or of a beginning alone.
   */
  before(alarms: readonly Briefing[]): void;
  stop(): void;
}

/** zmNinjaNg's longest pause between two attempts to reconnect is 120 s with 25 % more by chance. */
const HOLD_MS = 150_000;
/**
 * A client sends its filter right after the login, and some ask for the version and take the next frame for the
 * answer: alarms of minutes ago can wait until that is over.
 */
const AFTER_LOGIN_MS = 2_000;
const LOOK_EVERY_MS = 500;

interface Held {
  readonly alarms: Briefing[];
  readonly until: number;
  /** Connections that were told, or must not be. */
  readonly seen: WeakSet<LiveReceiver>;
  /** How many clients of the same user at the same address were told: a reconnecting one is not told twice. */
  readonly told: Map<string, number>;
}

/** Builds it; a timer runs only while something is held. */
export function createLateAlarms({ sessions, clock, tellTo }: LateAlarmsOptions): LateAlarms {
  let held: Held[] = [];
  let timer: NodeJS.Timeout | null = null;

  return {
    keep(alarms) {
      const batch: Held = {
        alarms: [...alarms],
        until: clock.monotonic() + HOLD_MS,
        seen: new WeakSet(),
        told: new Map(),
      };
      for (const receiver of sessions.receivers()) noteTold(batch, receiver);
      held.push(batch);
      timer ??= setInterval(look, LOOK_EVERY_MS).unref();
    },
    before(alarms) {
      for (const batch of held) {
        const next = alarms.filter(({ alarm }) => isOfMonitorIn(batch, alarm));
        if (next.length === 0) continue;
        const receivers = sessions.receivers();
        welcome(batch, receivers, receivers);
        const ends = next.filter(({ alarm }) => endsOneOf(batch, alarm));
        batch.alarms.push(...ends.map((end) => ({ ...end, alarm: { ...end.alarm, late: true } })));
      }
    },
    stop() {
      if (timer !== null) clearInterval(timer);
      timer = null;
      held = [];
    },
  };

  function look(): void {
    const now = clock.monotonic();
    held = held.filter((batch) => batch.until > now);
    if (held.length === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
    const receivers = sessions.receivers();
    const settled = receivers.filter(({ loggedInAt }) => now - loggedInAt >= AFTER_LOGIN_MS);
    for (const batch of held) welcome(batch, settled, receivers);
  }

  function welcome(batch: Held, some: readonly LiveReceiver[], all: readonly LiveReceiver[]): void {
    const unseen = some.filter((each) => !batch.seen.has(each));
    if (unseen.length === 0) return;
    const connected = countByOwner(all);
    const back = unseen.filter(
      (each) => (batch.told.get(owner(each)) ?? 0) < (connected.get(owner(each)) ?? 0),
    );
    for (const each of unseen) batch.seen.add(each);
    for (const each of back) noteTold(batch, each);
    tellTo(back, batch.alarms);
  }
}

function isOfMonitorIn({ alarms }: Held, { monitor }: Alarm): boolean {
  return alarms.some(({ alarm }) => alarm.monitor.id === monitor.id);
}

/** One that is late itself is kept anyway. */
function endsOneOf({ alarms }: Held, { id, phase, late }: Alarm): boolean {
  return phase === "ended" && !late && alarms.some(({ alarm }) => alarm.id === id);
}

function noteTold(batch: Held, receiver: LiveReceiver): void {
  batch.seen.add(receiver);
  batch.told.set(owner(receiver), (batch.told.get(owner(receiver)) ?? 0) + 1);
}

function countByOwner(receivers: readonly LiveReceiver[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const receiver of receivers) counts.set(owner(receiver), (counts.get(owner(receiver)) ?? 0) + 1);
  return counts;
}

function owner({ user, address }: LiveReceiver): string {
  return `${address} ${user ?? ""}`;
}
