// What an administrator has ordered for single monitors: tell always, as usual, or never; for good or for a while.
import type { MonitorId } from "./monitor.ts";

/**
 * `forced`: told although lists and intervals speak against it, never beyond what somebody may see. `muted`: nobody is
 * told of its alarms.
 */
export type MonitorControl = "forced" | "default" | "muted";

/** An order for one monitor. `until` in ms since 1970; null: until it is taken back. */
export interface Order {
  readonly control: "forced" | "muted";
  readonly until: number | null;
}

/** Monitors without an order are told as usual. */
export type ControlState = ReadonlyMap<MonitorId, Order>;

/** Whoever asks about many monitors at rest gets the same one. */
export const NO_ORDERS: ControlState = new Map();

/** What holds for the monitor at that moment. Pure; `now` in ms since 1970. */
export function controlOf(state: ControlState, monitor: MonitorId, now: number): MonitorControl {
  const order = state.get(monitor);
  if (order === undefined || isOver(order, now)) return "default";
  return order.control;
}

/** The state with one order for all these monitors, `null` to take theirs back; orders that are over are left out. */
export function withOrder(
  state: ControlState,
  monitors: readonly MonitorId[],
  order: Order | null,
  now: number,
): ControlState {
  const next = new Map([...state].filter(([, each]) => !isOver(each, now)));
  for (const monitor of monitors) {
    if (order === null) next.delete(monitor);
    else next.set(monitor, order);
  }
  return next;
}

function isOver({ until }: Order, now: number): boolean {
  return until !== null && until <= now;
}
