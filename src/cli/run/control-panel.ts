// What the commands of escontrol do to the running server.
import { findEditable } from "../../config/kept-settings.ts";
import { controlOf } from "../../domain/control.ts";
import type { MonitorId } from "../../domain/monitor.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ControlPanel } from "../../server/control-panel.ts";
import type { Control } from "../../store/overrides.ts";
import type { LiveConfig } from "./live-config.ts";

export interface ControlPanelDeps {
  readonly control: Control;
  readonly live: LiveConfig;
  /** The monitors there are now. */
  readonly monitors: () => readonly MonitorId[];
  readonly restart: () => void;
  readonly clock: Clock;
}

export function createControlPanel({
  control,
  live,
  monitors,
  restart,
  clock,
}: ControlPanelDeps): ControlPanel {
  return {
    read: () => JSON.stringify(everything()),
    order(wanted, whom, minutes) {
      const until = minutes === null ? null : clock.now() + Math.ceil(minutes * 60_000);
      return control.order(whom ?? monitors(), { control: wanted, until });
    },
    edit: live.edit,
    async reset() {
      await control.reset();
      live.reload("reset by escontrol");
    },
    restart,
  };

  /** What is kept but may not be, from a file made by hand, is nobody's business: it might be a password. */
  function overridesShown() {
    const all = [...control.settings()];
    return Object.fromEntries(
      all.map(([name, text]) => [name, findEditable(name).found ? text : "(not used)"]),
    );
  }

  /** `notifications` as in the original: 1 tell always, 0 as usual, -1 never. */
  function everything() {
    const now = clock.now();
    const orders = control.orders();
    const notifications: Record<string, number> = {};
    const until: Record<string, string> = {};
    for (const monitor of [...new Set([...monitors(), ...orders.keys()])].toSorted((a, b) => a - b)) {
      notifications[monitor] = NUMBERS[controlOf(orders, monitor, now)];
      const end = orders.get(monitor)?.until ?? null;
      if (end !== null && end > now) until[monitor] = new Date(end).toISOString();
    }
    return { notifications, until, overrides: overridesShown(), ...live.shown() };
  }
}

const NUMBERS = { forced: 1, default: 0, muted: -1 } as const;
