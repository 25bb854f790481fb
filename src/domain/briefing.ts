// What is known of an alarm before anybody is told: orders, rules, channel lists, and who was refused at its beginning.
import type { Alarm } from "./alarm.ts";
import { type Circumstances, decide, NOTHING_SPECIAL, type Refusal, type Verdict } from "./policy.ts";
import type { LastKnownRights, Recipient } from "./recipient.ts";
import type { RuleChannel } from "./rules.ts";

/** An alarm that is about to be told, with everything that speaks for and against it. */
export interface Briefing {
  readonly alarm: Alarm;
  circumstances(to: Addressee): Circumstances;
  /** Who was refused when the alarm began; null: nobody is remembered. */
  readonly refusals: Refusals | null;
  /** Somebody is told. */
  onTold?(to: Addressee): void;
}

/** Whom, as far as rules ask for it. */
export interface Addressee {
  readonly channel: RuleChannel;
  readonly user: string | null;
  /** At least its last ten characters. */
  readonly token: string | null;
}

/** A connection (the object itself) or the id of a durable recipient. */
type Who = object | string;

/** Refusals at the beginning of one alarm, kept while it runs; connections that are gone are forgotten. */
export interface Refusals {
  note(who: Who, reason: Refusal): void;
  /** Told after all. */
  forget(who: Who): void;
  of(who: Who): Refusal | null;
}

export function createRefusals(known: Iterable<readonly [string, Refusal]> = []): Refusals {
  const ids = new Map<string, Refusal>(known);
  const connections = new WeakMap<object, Refusal>();
  return {
    note(who, reason) {
      if (typeof who === "string") ids.set(who, reason);
      else connections.set(who, reason);
    },
    forget: (who) => void (typeof who === "string" ? ids.delete(who) : connections.delete(who)),
    of: (who) => (typeof who === "string" ? ids.get(who) : connections.get(who)) ?? null,
  };
}

/** An alarm about which nothing is known but itself. */
export function plainBriefing(alarm: Alarm): Briefing {
  return { alarm, refusals: null, circumstances: () => NOTHING_SPECIAL };
}

/**
 * True when a rule kept back the beginning before its hook had answered: rules judge the final cause, so the update is
 * decided about anew, and is the beginning for whoever hears of it.
 */
export function isFirstHeard({ alarm, refusals }: Briefing, who: Who): boolean {
  return alarm.phase === "updated" && refusals?.of(who) === "rule";
}

/**
 * Decides about one recipient and remembers a refusal for the end of the alarm. An end is told unless the beginning
 * was refused by permission, list, interval, mute or rule; an update only to whom the beginning was told, or only a
 * rule kept it back.
 */
export function decideFor(
  briefing: Briefing,
  who: Who,
  to: Addressee,
  recipient: Recipient<LastKnownRights>,
  now: number,
): Verdict {
  const { alarm, refusals } = briefing;
  const isFirst = isFirstHeard(briefing, who);
  const before = alarm.phase === "started" || isFirst ? null : (refusals?.of(who) ?? null);
  if (before !== null && (alarm.phase === "updated" || !KEPT_BACK.has(before))) return untold(before);
  const asTold = isFirst ? { ...alarm, phase: "started" as const } : alarm;
  const verdict = decide(asTold, recipient, now, briefing.circumstances(to));
  if (verdict.send) {
    briefing.onTold?.(to);
    if (isFirst) refusals?.forget(who);
  } else if (asTold.phase === "started") refusals?.note(who, verdict.reason);
  return verdict;
}

/** Refusals of a beginning that do not keep back its end. */
const KEPT_BACK: ReadonlySet<Refusal> = new Set(["channel-off", "hook-said-no"]);

const untolds = new Map<Refusal, Verdict>();

function untold(reason: Refusal): Verdict {
  const known = untolds.get(reason);
  if (known !== undefined) return known;
  const verdict: Verdict = { send: false, reason, trace: [{ test: "start", passed: false }] };
  untolds.set(reason, verdict);
  return verdict;
}
