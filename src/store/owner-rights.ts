// What the owners of devices may see now, as ZoneMinder says it; the last known rights outlive its database.
import type { MonitorId } from "../domain/monitor.ts";
import { monitorId } from "../domain/monitor.ts";
import type { LastKnownRights, Rights } from "../domain/recipient.ts";
import type { Clock } from "../lib/clock.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";

export interface RightsSource {
  /** null: gone or disabled. A user missing from the answer, or a failure, means "not known now". */
  rightsOf(users: readonly string[]): Promise<ReadonlyMap<string, Rights | null>>;
}

/** Where the last known rights are kept over a restart. */
export interface RightsMemory {
  fact(key: string): Promise<unknown>;
  putFact(key: string, value: unknown): void;
}

export interface OwnerRightsOptions {
  readonly source: RightsSource;
  /** null: nothing is kept, because nothing is checked (`auth.enable` is no). */
  readonly memory: RightsMemory | null;
  readonly clock: Clock;
  readonly logger: Logger;
  owners(): readonly string[];
  onChange(): void;
}

export interface OwnerRights {
  /** Nothing for users who are disabled or gone; "unknown" for those of whom nothing was ever known. */
  of(user: string): LastKnownRights;
  /** A login has just said what the user may see. */
  note(user: string, rights: Rights): void;
  restore(): Promise<void>;
  /** Reads the rights of all owners again. Never throws: what is not known now stays as it was. */
  refresh(): Promise<void>;
}

export const NO_RIGHTS: Rights = new Set<MonitorId>();
const FACT = "rights of device owners";

export function createOwnerRights(options: OwnerRightsOptions): OwnerRights {
  const { source, memory, clock, logger } = options;
  const known = new Map<string, { readonly rights: Rights | null; readonly at: number }>();
  let stored = "";
  let refreshing = false;
  let isAway = false;

  return {
    of(user) {
      const found = known.get(user);
      return found === undefined ? "unknown" : (found.rights ?? NO_RIGHTS);
    },
    note(user, rights) {
      known.set(user, { rights, at: clock.monotonic() });
      remember();
    },
    async restore() {
      const remembered = memory === null ? undefined : await memory.fact(FACT);
      if (typeof remembered !== "object" || remembered === null) return;
      for (const [user, rights] of Object.entries(remembered))
        if (!known.has(user)) known.set(user, { rights: rightsFrom(rights), at: Number.NEGATIVE_INFINITY });
    },
    refresh,
  };

  async function refresh(): Promise<void> {
    const owners = options.owners();
    if (refreshing || owners.length === 0) return;
    refreshing = true;
    const askedAt = clock.monotonic();
    try {
      const answer = await source.rightsOf(owners);
      for (const user of owners) take(user, answer.get(user), askedAt);
      if (isAway) logger.info("The rights of device owners can be read again");
      isAway = false;
      remember();
      options.onChange();
    } catch (failure) {
      if (!isAway)
        logger.warn(
          `The rights of device owners cannot be read, the last known ones stay: ${reasonOf(failure)}`,
        );
      isAway = true;
    } finally {
      refreshing = false;
    }
  }

  /** A login accepted after the question was asked knows better than the answer. */
  function take(user: string, rights: Rights | null | undefined, askedAt: number): void {
    if (rights === undefined || (known.get(user)?.at ?? Number.NEGATIVE_INFINITY) > askedAt) return;
    known.set(user, { rights, at: askedAt });
  }

  function remember(): void {
    if (memory === null) return;
    const owners = new Set(options.owners());
    const rows = [...known]
      .filter(([user]) => owners.has(user))
      .map(([user, { rights }]) => [user, asJson(rights)]);
    const fact = Object.fromEntries(rows) as Record<string, unknown>;
    const text = JSON.stringify(fact);
    if (text === stored) return;
    stored = text;
    memory.putFact(FACT, fact);
  }
}

function asJson(rights: Rights | null): unknown {
  return rights === null || rights === "all" ? rights : [...rights];
}

/** Anything unexpected is as good as no rights: the database says better within seconds. */
function rightsFrom(value: unknown): Rights | null {
  if (value === "all") return value;
  return Array.isArray(value) ? new Set(value.flatMap((id) => monitorId(Number(id)) ?? [])) : null;
}
