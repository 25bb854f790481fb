// ZoneMinder's side of the daemon without a database: so many monitors, and users who are who they say.
import type { ZoneMinder } from "../src/daemon.ts";
import type { MonitorId } from "../src/domain/monitor.ts";
import type { Rights } from "../src/domain/recipient.ts";

export interface SimulationOptions {
  readonly mapPath: string;
  readonly monitors: number;
}

/**
 * Logins cost nothing here; the bench `logins` measures the real ones. A user named "some-N" may see monitor 1, the
 * one that raises alarms where clients are counted, and every Nth; all others may see everything.
 */
export function simulatedZoneMinder({ mapPath, monitors }: SimulationOptions): ZoneMinder {
  return {
    mapPath,
    part: { name: "zoneminder", start: async () => undefined, stop: async () => undefined },
    loadMonitors: async () => ({
      monitors: range(monitors).map((id) => ({
        id,
        name: `Camera ${id}`,
        recording: "on-motion",
        closesEventOnAlarm: false,
      })),
      version: { major: 1, minor: 38, patch: 4 },
    }),
    logins: {
      login: async ({ user }) => ({ outcome: "accepted", user, rights: rightsOf(user, monitors) }),
      rightsOf: async (users) => new Map(users.map((user) => [user, rightsOf(user, monitors)])),
    },
    events: { notes: async () => null, isOpen: async () => null },
    missedAlarms: async () => [],
    onAvailable: () => undefined,
  };
}

function rightsOf(user: string, monitors: number): Rights {
  const step = /^some-(\d+)$/.exec(user)?.[1];
  if (step === undefined) return "all";
  return new Set(range(monitors).filter((id) => id === 1 || id % Number(step) === 0));
}

function range(count: number): MonitorId[] {
  return Array.from({ length: count }, (_, index) => (index + 1) as MonitorId);
}
