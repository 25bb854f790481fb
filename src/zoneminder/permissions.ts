// Decides which monitors a ZoneMinder user may see, from the rows that say so. Pure; the SQL is in rights.ts.
import type { MonitorId } from "../domain/monitor.ts";
import type { Rights } from "../domain/recipient.ts";

/** What the rows of one user, or of one role, say. Permissions are ZoneMinder's words: Inherit, None, View, Edit, Create. */
export interface Grants {
  /** The area permissions, columns `Events` and `Monitors`. */
  readonly events: string;
  readonly monitors: string;
  /** Monitors_Permissions or Role_Monitors_Permissions. */
  readonly perMonitor: ReadonlyMap<MonitorId, string>;
  /** Groups_Permissions or Role_Groups_Permissions, each with the monitors of its group. */
  readonly perGroup: readonly { readonly permission: string; readonly monitors: ReadonlySet<MonitorId> }[];
}

export type UserGrants =
  /** Up to 1.37.26: a comma-separated list on the user, empty for all. */
  | { readonly model: "list"; readonly events: string; readonly monitorIds: string }
  /** From 1.37.27: tables; from 1.37.78 a role behind them. */
  | { readonly model: "tables"; readonly user: Grants; readonly role: Grants | null };

/** "all" only where nothing is held back, else those of the existing monitors that the user may see. */
export function rightsFrom(grants: UserGrants, existing: readonly MonitorId[]): Rights {
  if (grants.model === "list") return fromList(grants.events, grants.monitorIds, existing);
  const { user, role } = grants;
  if (!isAllowed(areaPermission(user.events, role?.events))) return new Set();
  const fallback = isAllowed(areaPermission(user.monitors, role?.monitors));
  const scopes = role ? [user, role] : [user];
  if (fallback && !scopes.some(holdsBack)) return "all";
  return new Set(existing.filter((monitor) => decide(scopes, monitor) ?? fallback));
}

// Up to 1.36 the area "Monitors" has no say in what alarms a user may see; "Events" and the list have.
function fromList(events: string, monitorIds: string, existing: readonly MonitorId[]): Rights {
  if (!isAllowed(events)) return new Set();
  if (monitorIds.trim() === "") return "all";
  const listed = new Set(monitorIds.split(",").map((text) => Number(text.trim())));
  return new Set(existing.filter((monitor) => listed.has(monitor)));
}

/** The user's own, or the role's when the user's is None (1.38). */
function areaPermission(own: string, role: string | undefined): string {
  return own === "None" && role !== undefined ? role : own;
}

/** The first scope that has an opinion decides: its row for the monitor, else its rows for the monitor's groups. */
function decide(scopes: readonly Grants[], monitor: MonitorId): boolean | undefined {
  for (const { perMonitor, perGroup } of scopes) {
    const own = perMonitor.get(monitor);
    if (own !== undefined && own !== "Inherit") return isAllowed(own);
    const groups = perGroup
      .filter(({ permission, monitors }) => permission !== "Inherit" && monitors.has(monitor))
      .map(({ permission }) => isAllowed(permission));
    if (groups.length > 0) return !groups.includes(false);
  }
  return undefined;
}

function holdsBack({ perMonitor, perGroup }: Grants): boolean {
  const permissions = [...perMonitor.values(), ...perGroup.map(({ permission }) => permission)];
  return permissions.some((permission) => permission !== "Inherit" && !isAllowed(permission));
}

/** Any word that is not known to allow denies: an empty enum after an upgrade must not open anything. */
function isAllowed(permission: string): boolean {
  return permission === "View" || permission === "Edit" || permission === "Create";
}
