// Reads what users may see out of ZoneMinder's tables, many users in a few queries, whatever the version.
import { type MonitorId, monitorId } from "../domain/monitor.ts";
import type { Rights } from "../domain/recipient.ts";
import type { Queries, SqlValue } from "./database.ts";
import { type Grants, rightsFrom, type UserGrants } from "./permissions.ts";
import type { Schema } from "./schema.ts";

/** More names than this in one query cost more to parse than a second query. */
const NAMES_PER_QUERY = 500;

/**
 * The rights of each of the users, null for unknown and disabled ones. Names are compared exactly, as in the column
 * (latin1_bin). At most eight queries for 500 users. Throws DatabaseUnavailable.
 */
export async function readRights(
  database: Queries,
  schema: Schema,
  names: readonly string[],
): Promise<Map<string, Rights | null>> {
  const rights = new Map<string, Rights | null>(names.map((name) => [name, null]));
  for (let from = 0; from < names.length; from += NAMES_PER_QUERY) {
    const users = await readUsers(database, schema, names.slice(from, from + NAMES_PER_QUERY));
    if (users.length === 0) continue;
    const [existing, grants] = await Promise.all([
      readMonitorIds(database, schema),
      schema.has("Monitors_Permissions") ? readTables(database, schema, users) : users.map(fromList),
    ]);
    for (const [index, user] of users.entries()) {
      const found = grants[index];
      if (found && rights.has(user.Username)) rights.set(user.Username, rightsFrom(found, existing));
    }
  }
  return rights;
}

interface UserRow {
  readonly Id: number;
  readonly Username: string;
  readonly Events: string | null;
  readonly Monitors: string | null;
  readonly MonitorIds: string | null;
  readonly RoleId: number | null;
}

/** A row of any of the four permission tables: whose it is, and of which monitor or group. */
interface GrantRow {
  readonly Owner: number;
  readonly Target: number;
  readonly Permission: string | null;
}

interface RoleRow {
  readonly Id: number;
  readonly Events: string | null;
  readonly Monitors: string | null;
}

type GroupMembers = ReadonlyMap<number, ReadonlySet<MonitorId>>;

function readUsers(database: Queries, schema: Schema, names: readonly string[]): Promise<UserRow[]> {
  // MonitorIds outlives the tables that replaced it: it is read only where they do not exist.
  const list =
    schema.has("Monitors_Permissions") || !schema.has("Users", "MonitorIds") ? "NULL" : "MonitorIds";
  const role = schema.has("Users", "RoleId") && schema.has("User_Roles") ? "RoleId" : "NULL";
  return database.query<UserRow>(
    `SELECT Id, Username, Events, Monitors, ${list} AS MonitorIds, ${role} AS RoleId FROM Users WHERE Enabled <> 0
     AND CONVERT(Username USING utf8mb4) COLLATE utf8mb4_bin IN (${marks(names)})`,
    names,
  );
}

async function readMonitorIds(database: Queries, schema: Schema): Promise<MonitorId[]> {
  const only = schema.has("Monitors", "Deleted") ? "WHERE Deleted = 0" : "";
  const rows = await database.query<{ Id: number }>(`SELECT Id FROM Monitors ${only}`);
  return rows.flatMap(({ Id }) => monitorId(Id) ?? []);
}

function fromList(user: UserRow): UserGrants {
  return { model: "list", events: user.Events ?? "", monitorIds: user.MonitorIds ?? "" };
}

async function readTables(
  database: Queries,
  schema: Schema,
  users: readonly UserRow[],
): Promise<readonly UserGrants[]> {
  const userIds = users.map(({ Id }) => Id);
  const roleIds = [...new Set(users.flatMap(({ RoleId }) => RoleId ?? []))];
  const rows = (table: string, owner: string, target: string, ids: readonly number[]) =>
    ids.length === 0 || !schema.has(table)
      ? Promise.resolve([])
      : database.query<GrantRow>(
          `SELECT ${owner} AS Owner, ${target} AS Target, Permission FROM ${table} WHERE ${owner} IN (${marks(ids)})`,
          ids,
        );
  const [members, monitors, groups, roles, roleMonitors, roleGroups] = await Promise.all([
    readGroups(database, schema),
    rows("Monitors_Permissions", "UserId", "MonitorId", userIds),
    rows("Groups_Permissions", "UserId", "GroupId", userIds),
    roleIds.length === 0 ? [] : readRoles(database, roleIds),
    rows("Role_Monitors_Permissions", "RoleId", "MonitorId", roleIds),
    rows("Role_Groups_Permissions", "RoleId", "GroupId", roleIds),
  ]);
  return users.map((user) => {
    const role = roles.find(({ Id }) => Id === user.RoleId);
    return {
      model: "tables",
      user: toGrants(user, monitors, groups, members),
      role: role ? toGrants(role, roleMonitors, roleGroups, members) : null,
    };
  });
}

function readRoles(database: Queries, ids: readonly number[]): Promise<RoleRow[]> {
  return database.query<RoleRow>(
    `SELECT Id, Events, Monitors FROM User_Roles WHERE Id IN (${marks(ids)})`,
    ids,
  );
}

/** Direct members only: ZoneMinder's group permissions do not reach into groups below. */
async function readGroups(database: Queries, schema: Schema): Promise<GroupMembers> {
  const groups = new Map<number, Set<MonitorId>>();
  if (!schema.has("Groups_Monitors")) return groups;
  const rows = await database.query<{ GroupId: number; MonitorId: number }>(
    "SELECT GroupId, MonitorId FROM Groups_Monitors",
  );
  for (const { GroupId, MonitorId } of rows) {
    const monitor = monitorId(MonitorId);
    if (monitor !== null) groups.set(GroupId, (groups.get(GroupId) ?? new Set()).add(monitor));
  }
  return groups;
}

function toGrants(
  row: UserRow | RoleRow,
  monitors: readonly GrantRow[],
  groups: readonly GrantRow[],
  members: GroupMembers,
): Grants {
  const own = (rows: readonly GrantRow[]) => rows.filter(({ Owner }) => Owner === row.Id);
  return {
    events: row.Events ?? "",
    monitors: row.Monitors ?? "",
    perMonitor: new Map(
      own(monitors).map(({ Target, Permission }) => [Target as MonitorId, Permission ?? ""]),
    ),
    perGroup: own(groups).map(({ Target, Permission }) => ({
      permission: Permission ?? "",
      monitors: members.get(Target) ?? new Set<MonitorId>(),
    })),
  };
}

function marks(values: readonly SqlValue[]): string {
  return values.map(() => "?").join();
}
