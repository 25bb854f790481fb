// The rows of ZoneMinder's table of phones as last read: kept on disk, for a start while its database is away.
import { z } from "zod";
import type { TablePhone } from "../../domain/table-phone.ts";
import { within } from "../../lib/within.ts";

/** Where they are kept over a restart. Never throws. */
export interface PhoneMemory {
  fact(key: string): Promise<unknown>;
  putFact(key: string, value: unknown): void;
}

export interface KeptTable {
  readonly rows: readonly TablePhone[];
  /** ZoneMinder asks nobody for a login: phones of nobody are told. */
  readonly openToAll: boolean;
}

export interface KeptPhones {
  /** What an earlier run knew; null: nothing, or a disk that hangs. */
  restore(): Promise<KeptTable | null>;
  /** Writes where something changed that does not change with every message. */
  keep(table: KeptTable): void;
  /** Writes badges and moments too: the program ends. */
  keepAll(table: KeptTable): void;
}

const FACT = "phones in ZoneMinder's table";
/** The store is open by then: this is one row. */
const RESTORE_DEADLINE_MS = 500;

const kept = z.object({
  rows: z.array(
    z.object({
      token: z.string().min(1),
      platform: z.enum(["android", "ios"]),
      monitorList: z.string(),
      interval: z.number().nonnegative(),
      appVersion: z.string(),
      profile: z.string().nullable(),
      badge: z.number().int().nonnegative(),
      lastNotifiedAt: z.number().nullable(),
      user: z.string().nullable(),
    }),
  ),
  openToAll: z.boolean(),
});

export function createKeptPhones(memory: PhoneMemory): KeptPhones {
  let last = "";

  return {
    async restore() {
      const parsed = kept.safeParse(await within(memory.fact(FACT), RESTORE_DEADLINE_MS));
      if (!parsed.success) return null;
      last = lastingOf(parsed.data);
      return parsed.data;
    },
    keep(table) {
      if (lastingOf(table) !== last) write(table);
    },
    keepAll: write,
  };

  function write(table: KeptTable): void {
    last = lastingOf(table);
    memory.putFact(FACT, table);
  }
}

/** Without what every message changes. */
function lastingOf({ rows, openToAll }: KeptTable): string {
  const lasting = rows.map(({ badge: _badge, lastNotifiedAt: _moment, ...row }) => row);
  return JSON.stringify([openToAll, lasting]);
}
