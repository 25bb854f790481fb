// Reads which groups of ZoneMinder each monitor is in, for rules that name a group.
import type { MonitorId } from "../domain/monitor.ts";
import { reasonOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Queries } from "./database.ts";
import type { Schema } from "./schema.ts";

export interface GroupSource {
  readonly database: Queries;
  readonly schema: Schema;
  readonly logger: Logger;
}

/**
 * Numbers and names of the groups of each monitor that is in one. Who is in a group is in those above it as well, as
 * in ZoneMinder's own lists. Never throws: without groups the monitors are watched all the same.
 */
export async function readGroups(source: GroupSource): Promise<ReadonlyMap<MonitorId, readonly string[]>> {
  try {
    const groups = await allGroups(source);
    const found = new Map<MonitorId, Set<string>>();
    for (const { group, monitor } of await memberships(source)) {
      const words = found.get(monitor) ?? new Set();
      for (const each of withParents(group, groups)) {
        words.add(String(each));
        const name = groups.get(each)?.name;
        if (name) words.add(name);
      }
      found.set(monitor, words);
    }
    return new Map([...found].map(([monitor, words]) => [monitor, [...words]]));
  } catch (failure) {
    source.logger.warn(`The groups of monitors could not be read: ${reasonOf(failure)}`);
    return new Map();
  }
}

interface Group {
  readonly name: string;
  readonly parent: number | null;
}

async function allGroups({ database, schema }: GroupSource): Promise<ReadonlyMap<number, Group>> {
  if (!schema.has("Groups")) return new Map();
  const parent = schema.has("Groups", "ParentId") ? "ParentId" : "NULL AS ParentId";
  const rows = await database.query<{ Id: number; Name: string | null; ParentId: number | null }>(
    `SELECT Id, Name, ${parent} FROM \`Groups\``,
  );
  return new Map(rows.map(({ Id, Name, ParentId }) => [Number(Id), { name: Name ?? "", parent: ParentId }]));
}

/** Up to 1.30 a group has a list of monitors in its row, then a table of its own. */
async function memberships({ database, schema }: GroupSource) {
  if (schema.has("Groups_Monitors")) {
    const rows = await database.query<{ GroupId: number; MonitorId: number }>(
      "SELECT GroupId, MonitorId FROM Groups_Monitors",
    );
    return rows.map(({ GroupId, MonitorId }) => ({ group: Number(GroupId), monitor: asId(MonitorId) }));
  }
  if (!schema.has("Groups", "MonitorIds")) return [];
  const rows = await database.query<{ Id: number; MonitorIds: string | null }>(
    "SELECT Id, MonitorIds FROM `Groups`",
  );
  return rows.flatMap(({ Id, MonitorIds }) =>
    (MonitorIds ?? "").split(",").map((text) => ({ group: Number(Id), monitor: asId(text) })),
  );
}

function asId(value: unknown): MonitorId {
  return Number(value) as MonitorId;
}

/** The group and those above it; a circle of parents ends where it began. */
function withParents(group: number, groups: ReadonlyMap<number, Group>): ReadonlySet<number> {
  const found = new Set<number>();
  for (let next: number | null = group; next !== null && !found.has(next); ) {
    found.add(next);
    next = groups.get(next)?.parent ?? null;
  }
  return found;
}
