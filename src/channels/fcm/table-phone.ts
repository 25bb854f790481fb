// One row of ZoneMinder's table Notifications as a device.
import { type Device, tokenEnd } from "../../domain/device.ts";
import type { MonitorId } from "../../domain/monitor.ts";
import type { RecipientId } from "../../domain/notice.ts";
import { parseFilter } from "../../domain/recipient.ts";
import type { TablePhone } from "../../domain/table-phone.ts";

/** Changes in place as rows and pushes come. */
export type TableDevice = { -readonly [Key in keyof Device]: Device[Key] };

/** The row as a device. */
export function tableDevice(row: TablePhone, id: RecipientId): TableDevice {
  const { monitors } = parseFilter(row.monitorList, "");
  return {
    id,
    label: `phone ...${tokenEnd(row.token, 6)}`,
    token: row.token,
    platform: row.platform,
    monlist: row.monitorList,
    intlist: "",
    filter: { monitors, intervals: forEveryMonitor(row.interval) },
    pushState: "enabled",
    appVersion: row.appVersion,
    // No other app fills that table.
    app: "zmninja-ng",
    profile: row.profile,
    owner: row.user,
    adoptedUntil: null,
    badge: row.badge,
    invocations: { count: 0, at: 0, year: 0 },
    lastTold: lastOfAll(row.lastNotifiedAt),
    lastSuccess: row.lastNotifiedAt,
    lastError: null,
  };
}

/** The table has one interval for a phone; policy asks for that of a monitor. */
function forEveryMonitor(seconds: number): ReadonlyMap<MonitorId, number> {
  const intervals = new Map<MonitorId, number>();
  return seconds <= 0 ? intervals : Object.assign(intervals, { get: () => seconds, has: () => true });
}

/** One moment for all monitors, as the table has it: whichever monitor was told last counts. */
function lastOfAll(moment: number | null): Map<MonitorId, number> {
  const told = new Map<MonitorId, number>();
  let latest = moment ?? undefined;
  return Object.assign(told, {
    get: () => latest,
    has: () => latest !== undefined,
    set: (_monitor: MonitorId, at: number) => {
      latest = at;
      return told;
    },
  });
}
