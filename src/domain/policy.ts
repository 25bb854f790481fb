// Decides whether one recipient is told of one alarm, and always says why.
import type { Alarm } from "./alarm.ts";
import type { MonitorControl } from "./control.ts";
import { type LastKnownRights, maySee, type Recipient } from "./recipient.ts";
import type { RuleDecision } from "./rules.ts";

/** Why a recipient is not told. Each has its sentence in docs/troubleshooting.md. */
export type Refusal =
  | "not-permitted"
  | "muted"
  | "rule"
  | "channel-off"
  | "hook-said-no"
  | "monitor-off"
  | "too-soon";

/** Every refusal, in the order in which it is tested. */
export const REFUSALS = [
  "not-permitted",
  "muted",
  "rule",
  "channel-off",
  "hook-said-no",
  "monitor-off",
  "too-soon",
] as const satisfies readonly Refusal[];

/** A test that was made, in the order it was made: its name and what came of it. */
interface Step {
  /** "start": whether the beginning of the alarm was told. */
  readonly test: "permission" | "control" | "rule" | "channel" | "list" | "interval" | "start";
  readonly passed: boolean;
  /** Which rule it was. */
  readonly by?: string;
  readonly critical?: true;
  /** Nobody could say yet: it is tested again before anything is sent. */
  readonly open?: true;
}

export type Verdict = { readonly trace: readonly Step[] } & (
  | { readonly send: true; readonly critical?: true }
  | { readonly send: false; readonly reason: Refusal }
);

/** What holds for one recipient. The same object for many recipients: verdicts are shared along with it. */
export interface Circumstances {
  readonly control: MonitorControl;
  /** null: no rule decided. */
  readonly rule: Pick<RuleDecision, "outcome" | "rule"> | null;
  /** Whether the channel may carry this: "off" by a switch or list, "hook-said-no" because of the hook's answer. */
  readonly channel: "allowed" | "off" | "hook-said-no";
}

export const NOTHING_SPECIAL: Circumstances = { control: "default", rule: null, channel: "allowed" };

/**
 * Permission first, so that nothing can widen it; what is not known yet is left open. Then orders, rules and channel lists; then the recipient's own list
 * and its interval (told when `now - last told >= interval`, as the original has it), which `forced` overrides. An
 * interval counts beginnings only. Pure; `now` in ms since 1970.
 */
export function decide(
  alarm: Alarm,
  recipient: Recipient<LastKnownRights>,
  now: number,
  circumstances: Circumstances = NOTHING_SPECIAL,
): Verdict {
  const monitor = alarm.monitor.id;
  const { rights } = recipient;
  if (rights !== "unknown" && !maySee(rights, monitor)) return NOT_PERMITTED;
  const verdicts = verdictsUnder(circumstances);
  if (verdicts.refusal !== null) return verdicts.refusal;
  const told = rights === "unknown" ? verdicts.held : verdicts.send;
  if (circumstances.control === "forced") return told;
  if (recipient.monitors !== "all" && !recipient.monitors.has(monitor)) return verdicts.monitorOff;
  const interval = recipient.intervals.get(monitor);
  if (interval !== undefined && alarm.phase === "started") {
    const last = recipient.lastTold.get(monitor);
    // A moment in the future means that the clock was set back: nobody knows how long ago it was.
    if (last !== undefined && last <= now && now - last < interval * 1000) return verdicts.tooSoon;
  }
  return told;
}

const PERMITTED: Step = { test: "permission", passed: true };
const OPEN: Step = { test: "permission", passed: true, open: true };
const NOT_PERMITTED: Verdict = {
  send: false,
  reason: "not-permitted",
  trace: [{ test: "permission", passed: false }],
};

/** What can come of given circumstances: shared, so that telling 9,000 sockets allocates nothing. */
interface Verdicts {
  /** Set when nobody is told under them. */
  readonly refusal: Verdict | null;
  readonly send: Verdict;
  /** Sent as soon as it is known to be permitted. */
  readonly held: Verdict;
  readonly monitorOff: Verdict;
  readonly tooSoon: Verdict;
}

const known = new WeakMap<Circumstances, Verdicts>();

function verdictsUnder(circumstances: Circumstances): Verdicts {
  const before = known.get(circumstances);
  if (before !== undefined) return before;
  const verdicts = build(circumstances);
  known.set(circumstances, verdicts);
  return verdicts;
}

function build({ control, rule, channel }: Circumstances): Verdicts {
  const trace: Step[] = [PERMITTED];
  const critical = rule?.outcome === "critical" ? { critical: true as const } : {};
  let reason: Refusal | null = null;
  if (control !== "default") trace.push({ test: "control", passed: control === "forced" });
  if (control === "muted") reason = "muted";
  if (reason === null && rule !== null && rule.rule !== null) {
    const passed = rule.outcome === "none" || rule.outcome === "critical";
    trace.push({ test: "rule", passed, by: rule.rule, ...critical });
    if (!passed) reason = "rule";
  }
  if (reason === null && channel !== "allowed") {
    trace.push({ test: "channel", passed: false });
    reason = channel === "off" ? "channel-off" : "hook-said-no";
  }
  const list: Step = { test: "list", passed: true };
  const own: Step[] = control === "forced" ? [] : [list, { test: "interval", passed: true }];
  return {
    refusal: reason === null ? null : { send: false, reason, trace },
    send: { send: true, trace: [...trace, ...own], ...critical },
    held: { send: true, trace: [OPEN, ...trace.slice(1), ...own], ...critical },
    monitorOff: { send: false, reason: "monitor-off", trace: [...trace, { test: "list", passed: false }] },
    tooSoon: {
      send: false,
      reason: "too-soon",
      trace: [...trace, list, { test: "interval", passed: false }],
    },
  };
}
