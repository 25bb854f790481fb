// ZoneMinder's own table of phones, `Notifications` (1.39.2 and later): its enabled rows, and what became of them.
import type { TablePhone } from "../domain/table-phone.ts";
import type { Queries } from "./database.ts";
import type { SchemaSource } from "./schema.ts";

export interface Notifications {
  /** Enabled rows of phones; null where ZoneMinder has no such table. Throws while the database is away. */
  read(): Promise<readonly TablePhone[] | null>;
  /** Whether ZoneMinder asks for a login at all. */
  asksForLogin(): Promise<boolean>;
  noteDelivered(token: string, badge: number, at: number): Promise<void>;
  /** Google said that the token is dead: the row goes. */
  remove(token: string): Promise<void>;
}

/** Far more phones than anybody has; a table filled by mistake must not fill the memory. */
const MOST_ROWS = 10_000;

export function createNotifications(deps: {
  readonly database: Queries;
  readonly schema: SchemaSource;
}): Notifications {
  const { database, schema } = deps;
  return {
    async read() {
      const known = await schema();
      if (!known.has("Notifications")) return null;
      const profile = known.has("Notifications", "Profile") ? "n.Profile" : "NULL";
      const rows = await database.query<Row>(
        "SELECT n.Token, n.Platform, n.MonitorList, n.`Interval` AS Seconds, n.AppVersion, " +
          `${profile} AS Profile, n.BadgeCount, UNIX_TIMESTAMP(n.LastNotifiedAt) AS Told, u.Username ` +
          "FROM Notifications n LEFT JOIN Users u ON u.Id = n.UserId " +
          "WHERE n.PushState = 'enabled' AND n.Platform IN ('android', 'ios') AND n.Token <> '' " +
          `ORDER BY n.Id LIMIT ${MOST_ROWS}`,
      );
      return rows.map(rowFrom);
    },
    async asksForLogin() {
      const value = (await schema()).setting("ZM_OPT_USE_AUTH");
      return value !== "0" && value !== "";
    },
    async noteDelivered(token, badge, at) {
      await database.query(
        "UPDATE Notifications SET BadgeCount = ?, LastNotifiedAt = FROM_UNIXTIME(?) WHERE Token = ?",
        [badge, Math.floor(at / 1000), token],
      );
    },
    async remove(token) {
      await database.query("DELETE FROM Notifications WHERE Token = ?", [token]);
    },
  };
}

interface Row {
  readonly Token: string;
  readonly Platform: "android" | "ios";
  readonly MonitorList: string | null;
  readonly Seconds: number | string;
  readonly AppVersion: string | null;
  readonly Profile: string | null;
  readonly BadgeCount: number | string | null;
  readonly Told: number | string | null;
  readonly Username: string | null;
}

function rowFrom(row: Row): TablePhone {
  return {
    token: row.Token,
    platform: row.Platform,
    monitorList: row.MonitorList ?? "",
    interval: Math.max(0, Number(row.Seconds) || 0),
    appVersion: row.AppVersion || "unknown",
    profile: row.Profile || null,
    badge: Math.max(0, Number(row.BadgeCount) || 0),
    lastNotifiedAt: row.Told === null ? null : Number(row.Told) * 1000,
    user: row.Username,
  };
}
