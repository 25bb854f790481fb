// What ZoneMinder last said of each user's rights: kept on disk, for the time when its database is away.
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Rights } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import { within } from "../lib/within.ts";

interface RightsSource {
  /** null: gone or disabled. A user missing from the answer, or a failure, means "not known now". */
  rightsOf(users: readonly string[]): Promise<ReadonlyMap<string, Rights | null>>;
}

/** Where the last known rights are kept over a restart. */
export interface RightsMemory {
  fact(key: string): Promise<unknown>;
  putFact(key: string, value: unknown): void;
}

export interface KnownRightsOptions {
  readonly source: RightsSource;
  /** null: nothing is kept, because nothing is checked (`auth.enable` is no). */
  readonly memory: RightsMemory | null;
  readonly clock: Clock;
}

/** Asks the source, and remembers what it said. */
export interface KnownRights extends RightsSource {
  /** null: gone or disabled when it was last known; undefined: never known. */
  lastKnown(user: string): Rights | null | undefined;
  /** A login has just said what the user may see. */
  note(user: string, rights: Rights): void;
  /** Brings back what an earlier run knew. A disk that hangs is not waited for: it follows when it answers. */
  restore(): Promise<void>;
  /** Hands over at once what has changed: the program ends. */
  keep(): void;
}

const FACT = "last known rights";
/** Users who are remembered, those asked for last: far more than a ZoneMinder has. */
const MOST_USERS = 5_000;
/** When thousands log in at once, they are written once. */
const WRITE_AFTER_MS = 200;
/** The store is open by then: this is one row. */
const RESTORE_DEADLINE_MS = 500;

interface Known {
  readonly rights: Rights | null;
  /** When the question was asked, on the monotonic clock. */
  readonly at: number;
}

export function createKnownRights({ source, memory, clock }: KnownRightsOptions): KnownRights {
  const known = new Map<string, Known>();
  let restoring: Promise<void> | null = null;
  let isRestored = memory === null;
  let hasChanged = false;
  let timer: NodeJS.Timeout | null = null;

  return {
    async rightsOf(users) {
      const askedAt = clock.monotonic();
      const answer = await source.rightsOf(users);
      for (const [user, rights] of answer) take(user, rights, askedAt);
      return answer;
    },
    lastKnown: (user) => known.get(user)?.rights,
    note: (user, rights) => take(user, rights, clock.monotonic()),
    async restore() {
      restoring ??= read();
      await within(restoring, RESTORE_DEADLINE_MS);
    },
    keep() {
      if (timer !== null) write();
    },
  };

  /** A login accepted after the question was asked knows better than the answer. */
  function take(user: string, rights: Rights | null, at: number): void {
    const before = known.get(user);
    if (before !== undefined && before.at > at) return;
    known.delete(user);
    known.set(user, { rights, at });
    const [oldest] = known.keys();
    if (known.size > MOST_USERS && oldest !== undefined) known.delete(oldest);
    if (before === undefined || !isSame(before.rights, rights)) changed();
  }

  async function read(): Promise<void> {
    const remembered = await memory?.fact(FACT);
    isRestored = true;
    if (typeof remembered === "object" && remembered !== null)
      for (const [user, value] of Object.entries(remembered)) {
        const rights = rightsFrom(value);
        if (rights !== undefined && !known.has(user))
          known.set(user, { rights, at: Number.NEGATIVE_INFINITY });
      }
    if (hasChanged) changed();
  }

  /** Nothing is written before what was there is known: it would be lost. */
  function changed(): void {
    hasChanged = true;
    if (memory === null || !isRestored || timer !== null) return;
    timer = setTimeout(write, WRITE_AFTER_MS).unref();
  }

  function write(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    hasChanged = false;
    const all = [...known].map(([user, { rights }]) => [user, asJson(rights)] as const);
    memory?.putFact(FACT, Object.fromEntries(all));
  }
}

function isSame(one: Rights | null, other: Rights | null): boolean {
  if (one === other || one === null || other === null || one === "all" || other === "all")
    return one === other;
  return one.size === other.size && [...one].every((id) => other.has(id));
}

function asJson(rights: Rights | null): unknown {
  return rights === null || rights === "all" ? rights : [...rights];
}

/** undefined: anything unexpected is as good as never known. */
function rightsFrom(value: unknown): Rights | null | undefined {
  if (value === "all" || value === null) return value;
  return Array.isArray(value)
    ? new Set<MonitorId>(value.flatMap((id) => monitorId(Number(id)) ?? []))
    : undefined;
}
