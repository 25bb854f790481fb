// Checks passwords without letting a storm of logins starve everything else that needs the thread pool.
import { createHmac, randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Clock } from "../lib/clock.ts";
import { createFairQueue } from "./fair-queue.ts";
import { matches, parseStored, type StoredPassword, spend } from "./passwords.ts";

export interface PasswordCheckerOptions {
  /** How many logins may wait for their turn to be hashed. */
  readonly queued_logins: number;
}

export interface Attempt {
  readonly user: string;
  readonly password: string;
  /** `Users.Password`; null when there is no such user, or none who may log in: refused at the same expense. */
  readonly stored: string | null;
  /** The bcrypt cost that every refusal of this installation takes; 0 where nobody has a bcrypt hash. */
  readonly cost: number;
  /** Who asks; each address has its turn. */
  readonly address: string;
  /** Fires when nobody waits for the answer any more: what has not begun by then never does. */
  readonly signal: AbortSignal;
}

type CheckResult =
  | { readonly result: "right" }
  /** `problem`: what is odd about the stored password, never the password itself. */
  | { readonly result: "wrong"; readonly problem?: string }
  /** The queue is full and this address has its share of it. */
  | { readonly result: "busy" }
  | { readonly result: "given-up" };

export interface PasswordChecker {
  check(attempt: Attempt): Promise<CheckResult>;
  /** How many wait for their turn. */
  queued(): number;
}

/** A cached entry is a 32-byte digest: a thousand users reconnecting within ten minutes pay one hash each. */
const CACHE_ENTRIES = 1000;
const CACHE_MS = 10 * 60_000;
/** libuv's default; DNS and file reads live in the same pool. */
const POOL_THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;

interface Job {
  readonly waiters: Set<(result: CheckResult) => void>;
  /** Takes the work out of the queue; false when it has begun. */
  takeBack: () => boolean;
}

/**
 * At most max(1, min(cores - 1, pool threads - 2)) hashes run at once; identical attempts in flight share one hash;
 * a success is remembered for ten minutes under a key that the stored hash is part of, so a changed password misses
 * by itself. A wrong password always pays.
 */
export function createPasswordChecker(options: PasswordCheckerOptions, clock: Clock): PasswordChecker {
  const places = Math.max(1, Math.min(availableParallelism() - 1, POOL_THREADS - 2));
  const queue = createFairQueue(places, () => options.queued_logins);
  const secret = randomBytes(32);
  const verified = createVerifiedCache(clock);
  const jobs = new Map<string, Job>();

  return {
    queued: () => queue.size(),
    async check(attempt) {
      if (attempt.signal.aborted) return { result: "given-up" };
      const parsed = attempt.stored === null ? null : parseStored(attempt.stored);
      if (parsed === null || parsed.cost === 0) {
        // Cheap forms need no turn; only what a refusal has to cost is left for the queue.
        if (parsed && (await matches(parsed, attempt.password))) return { result: "right" };
        if (attempt.cost === 0) return wrong(parsed);
      }
      const key = keyOf(attempt);
      return parsed && verified.has(key) ? { result: "right" } : join(key, attempt, parsed);
    },
  };

  /** Waits for the hash of an identical attempt, or queues one. */
  function join(key: string, attempt: Attempt, parsed: StoredPassword | null): Promise<CheckResult> {
    const { promise, resolve } = Promise.withResolvers<CheckResult>();
    const existing = jobs.get(key);
    const job: Job = existing ?? { waiters: new Set(), takeBack: () => false };
    const onAbort = () => {
      const isLast = job.waiters.size === 1;
      // A hash that has begun is waited for: who leaves early must not have a guess for nothing.
      if (isLast && !job.takeBack()) return;
      if (isLast) jobs.delete(key);
      answer({ result: "given-up" });
    };
    const answer = (result: CheckResult) => {
      attempt.signal.removeEventListener("abort", onAbort);
      job.waiters.delete(answer);
      resolve(result);
    };
    attempt.signal.addEventListener("abort", onAbort, { once: true });
    job.waiters.add(answer);
    if (!existing) {
      jobs.set(key, job);
      const work = async () => finish(key, job, await verify(parsed, attempt));
      job.takeBack = queue.add(attempt.address, work, () => finish(key, job, { result: "busy" }));
    }
    return promise;
  }

  function finish(key: string, job: Job, result: CheckResult): void {
    jobs.delete(key);
    if (result.result === "right") verified.add(key);
    for (const answer of [...job.waiters]) answer(result);
  }

  // Length-prefixed, so that no two different attempts give the same text; the key never leaves the process.
  function keyOf({ stored, user, password, cost }: Attempt): string {
    const hmac = createHmac("sha256", secret);
    for (const part of [stored === null ? `none ${cost}` : `some ${stored}`, user, password]) {
      hmac.update(`${Buffer.byteLength(part)}:`).update(part, "utf8");
    }
    return hmac.digest("base64");
  }
}

async function verify(parsed: StoredPassword | null, { password, cost }: Attempt): Promise<CheckResult> {
  if (parsed && parsed.cost > 0 && (await matches(parsed, password))) return { result: "right" };
  await spend(parsed?.cost ?? 0, cost, password);
  return wrong(parsed);
}

function wrong(parsed: StoredPassword | null): CheckResult {
  return parsed?.form === "odd" ? { result: "wrong", problem: parsed.problem } : { result: "wrong" };
}

/** Keys of attempts that were right; the least recently used goes first. */
function createVerifiedCache(clock: Clock) {
  const expiries = new Map<string, number>();
  return {
    has(key: string): boolean {
      const expiry = expiries.get(key);
      if (expiry === undefined) return false;
      expiries.delete(key);
      if (expiry <= clock.monotonic()) return false;
      expiries.set(key, expiry); // to the end: used last
      return true;
    },
    add(key: string): void {
      expiries.delete(key);
      expiries.set(key, clock.monotonic() + CACHE_MS);
      const [oldest] = expiries.keys();
      if (expiries.size > CACHE_ENTRIES && oldest !== undefined) expiries.delete(oldest);
    },
  };
}
