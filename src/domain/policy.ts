// Decides whether one recipient is told of one alarm, and always says why.
import type { Alarm } from "./alarm.ts";
import { maySee, type Recipient } from "./recipient.ts";

/** Why a recipient is not told. Each has its sentence in docs/troubleshooting.md. */
export type Refusal = "not-permitted" | "monitor-off" | "too-soon";

/** A test that was made, in the order it was made: its name and what came of it. */
interface Step {
  readonly test: "permission" | "list" | "interval";
  readonly passed: boolean;
}

export type Verdict = { readonly trace: readonly Step[] } & (
  | { readonly send: true }
  | { readonly send: false; readonly reason: Refusal }
);

// Nearly every verdict is one of these four: shared, so that telling 9,000 sockets allocates nothing.
const passed = {
  permission: step("permission", true),
  list: step("list", true),
  interval: step("interval", true),
};
const SEND: Verdict = { send: true, trace: [passed.permission, passed.list, passed.interval] };
const NOT_PERMITTED: Verdict = { send: false, reason: "not-permitted", trace: [step("permission", false)] };
const MONITOR_OFF: Verdict = {
  send: false,
  reason: "monitor-off",
  trace: [passed.permission, step("list", false)],
};
const TOO_SOON: Verdict = {
  send: false,
  reason: "too-soon",
  trace: [passed.permission, passed.list, step("interval", false)],
};

/**
 * Permission first, so that no list or interval can widen it; then the recipient's own list, then its interval
 * (told when `now - last told >= interval`, as the original has it). Pure; `now` in ms since 1970.
 */
export function decide(alarm: Alarm, recipient: Recipient, now: number): Verdict {
  const monitor = alarm.monitor.id;
  if (!maySee(recipient.rights, monitor)) return NOT_PERMITTED;
  if (recipient.monitors !== "all" && !recipient.monitors.has(monitor)) return MONITOR_OFF;
  const interval = recipient.intervals.get(monitor);
  if (interval !== undefined) {
    const last = recipient.lastTold.get(monitor);
    // A moment in the future means that the clock was set back: nobody knows how long ago it was.
    if (last !== undefined && last <= now && now - last < interval * 1000) return TOO_SOON;
  }
  return SEND;
}

function step(test: Step["test"], passedTest: boolean): Step {
  return { test, passed: passedTest };
}
