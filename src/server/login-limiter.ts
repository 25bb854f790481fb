// Makes guessing passwords slow: failed logins are limited per address and delayed per user.
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import { limitKey } from "./client-address.ts";
import type { LoginAttempt, LoginOutcome, LoginProvider } from "./login.ts";

export interface LoginLimits {
  /** Per minute; an address that used them up gets no answer at all until some are back. */
  readonly failed_logins_per_address: number;
  /** Per minute; further logins of that user wait, but are never refused: nobody can lock somebody else out. */
  readonly failed_logins_per_user: number;
  /** Logins waiting for their turn, over all addresses. */
  readonly queued_logins: number;
}

type LimitedOutcome = LoginOutcome | { readonly outcome: "limited" };

export interface LimitedLogins {
  login(attempt: LoginAttempt): Promise<LimitedOutcome>;
}

/** zmNinjaNg gives up a login after 20 s: a delayed one has to be answered well before that. */
const LONGEST_USER_DELAY_MS = 5_000;

/** Addresses and users remembered at once, about 1 MB each; the one that failed longest ago is forgotten first. */
const MAX_REMEMBERED = 10_000;

/** Puts the limits in front of a login provider. */
export function limitLogins(logins: LoginProvider, limits: LoginLimits, clock: Clock): LimitedLogins {
  const addresses = createFailures(() => limits.failed_logins_per_address, clock);
  const users = createFailures(() => limits.failed_logins_per_user, clock);
  const lines = new Map<string, Line>();
  let waiting = 0;

  /** A place among the attempts being checked: an address never has more of them than failures left. */
  const enter = async (key: string, signal: AbortSignal): Promise<"entered" | "limited" | "busy"> => {
    for (;;) {
      const left = addresses.left(key);
      const line = lineOf(lines, key);
      if (left >= 1 && line.inside < Math.floor(left)) {
        line.inside += 1;
        return "entered";
      }
      if (left < 1 || waiting >= limits.queued_logins) {
        wakeNext(key);
        return left < 1 ? "limited" : "busy";
      }
      waiting += 1;
      await new Promise<void>((resolve) => line.waiting.push(resolve));
      waiting -= 1;
      if (!signal.aborted) continue;
      wakeNext(key);
      return "busy";
    }
  };

  const leave = (key: string): void => {
    lineOf(lines, key).inside -= 1;
    wakeNext(key);
  };

  /** Lets as many look again as there are places; all of them when there is none left, to hear that. */
  const wakeNext = (key: string): void => {
    const line = lineOf(lines, key);
    const left = addresses.left(key);
    const places = left < 1 ? line.waiting.length : Math.floor(left) - line.inside;
    for (const wake of line.waiting.splice(0, Math.max(0, places))) wake();
    if (line.inside === 0 && line.waiting.length === 0) lines.delete(key);
  };

  return {
    async login(attempt) {
      const key = limitKey(attempt.address);
      const entry = await enter(key, attempt.signal);
      if (entry !== "entered") return { outcome: entry };
      try {
        await delayFor(users, attempt);
        if (attempt.signal.aborted) return { outcome: "busy" };
        const answer = await logins.login(attempt);
        if (answer.outcome === "refused") {
          addresses.add(key);
          users.add(userKey(attempt.user));
        }
        return answer;
      } finally {
        leave(key);
      }
    },
  };
}

/** The attempts of one address: how many are being checked, and those that wait for a place. */
interface Line {
  inside: number;
  readonly waiting: (() => void)[];
}

function lineOf(lines: Map<string, Line>, key: string): Line {
  const known = lines.get(key);
  if (known !== undefined) return known;
  const line: Line = { inside: 0, waiting: [] };
  lines.set(key, line);
  return line;
}

async function delayFor(users: Failures, attempt: LoginAttempt): Promise<void> {
  const delay = Math.min(users.waitMs(userKey(attempt.user)), LONGEST_USER_DELAY_MS);
  if (delay <= 0) return;
  // The connection closing ends the wait early; there is nobody left to answer then.
  await sleep(delay, undefined, { signal: attempt.signal }).catch(() => undefined);
}

/** ZoneMinder compares names without regard to case (MySQL's default collation): one bucket for all spellings. */
function userKey(user: string): string {
  return user.slice(0, 64).toLowerCase();
}

/** Token buckets that only failures empty and time fills again. */
interface Failures {
  left(key: string): number;
  waitMs(key: string): number;
  add(key: string): void;
}

function createFailures(limit: () => number, clock: Clock): Failures {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  const msPerToken = (): number => 60_000 / limit();
  const left = (key: string): number => {
    const bucket = buckets.get(key);
    const perMinute = limit();
    if (bucket === undefined) return perMinute;
    const filled = bucket.left + (clock.monotonic() - bucket.at) / msPerToken();
    if (filled < perMinute) return filled;
    buckets.delete(key);
    return perMinute;
  };
  return {
    left,
    waitMs: (key) => Math.max(0, (1 - left(key)) * msPerToken()),
    add(key) {
      const remaining = Math.max(0, left(key) - 1);
      buckets.delete(key);
      if (buckets.size >= MAX_REMEMBERED) forgetOldest(buckets);
      buckets.set(key, { left: remaining, at: clock.monotonic() });
    },
  };
}

function forgetOldest(buckets: Map<string, unknown>): void {
  for (const key of buckets.keys()) {
    buckets.delete(key);
    return;
  }
}
