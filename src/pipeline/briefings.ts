// Gathers what speaks for and against telling an alarm: orders of the administrator, rules, channel lists.
import type { Alarm } from "../domain/alarm.ts";
import type { Addressee, Briefing, Refusals } from "../domain/briefing.ts";
import type { MonitorControl } from "../domain/control.ts";
import { type HookOutcome, hasAnswered } from "../domain/hook.ts";
import type { MonitorId } from "../domain/monitor.ts";
import type { Circumstances } from "../domain/policy.ts";
import { createRuleCooldowns } from "../domain/rule-cooldowns.ts";
import { NO_RULES, type RuleChannel, type RuleDecision, type RuleSet, rulesFor } from "../domain/rules.ts";
import type { Clock } from "../lib/clock.ts";
import { channelAnswer, type ListOptions, type SwitchOptions } from "./channel-lists.ts";

export interface BriefingDeps {
  readonly options: SwitchOptions;
  readonly hook: ListOptions;
  /** A configuration of versions 1.5 to 4. */
  readonly isOldDialect: boolean;
  /** Orders of the control interface; absent: there are none. */
  readonly control?: { of(monitor: MonitorId, now: number): MonitorControl };
  /** The rules in force; absent: there are none. */
  readonly rules?: { current(): RuleSet };
  readonly clock: Clock;
}

/** An alarm that is to be told, and what is known of it. */
export interface Subject {
  readonly alarm: Alarm;
  readonly refusals: Refusals | null;
  /** What the hook said of the beginning, for an end. */
  readonly atStart: HookOutcome | undefined;
  /** True when people are told before the hook has answered. */
  readonly isFirstStep: boolean;
}

export interface Briefed {
  readonly briefing: Briefing;
  /** In sentences, for the history. */
  readonly found: readonly string[];
}

/** Builds the one that knows; it remembers only when rules with a cooldown last let something through. */
export function createBriefings(deps: BriefingDeps): (subject: Subject) => Briefed {
  const { options, hook, control, rules, clock, isOldDialect } = deps;
  const cooldowns = createRuleCooldowns();

  return (subject) => {
    const { alarm, refusals } = subject;
    const { monitor, cause, seenAt } = alarm;
    const order = alarm.muted ? "muted" : (control?.of(monitor.id, clock.now()) ?? "default");
    const decideRule = rulesFor(rules?.current() ?? NO_RULES, {
      monitor: monitor.id,
      groups: monitor.groups ?? [],
      cause,
      at: seenAt,
      // A cooldown counts beginnings, which may come with the update: the end of what was told is told.
      ...(alarm.phase !== "ended" && { lastToldAt: cooldowns.of(monitor.id) }),
    });
    const answers = new Map<RuleChannel, Circumstances["channel"]>();
    const known = new Map<RuleDecision, Map<RuleChannel, Circumstances>>();

    const answerFor = (channel: RuleChannel): Circumstances["channel"] => {
      const before = answers.get(channel);
      if (before !== undefined) return before;
      const answer = channelAnswer({ ...subject, channel, isOldDialect }, options, hook);
      answers.set(channel, answer);
      return answer;
    };
    const ruleFor = (to: Addressee): RuleDecision => decideRule({ channel: to.channel, device: to });
    const circumstances = (to: Addressee): Circumstances => {
      const rule = ruleFor(to);
      const byChannel = known.get(rule) ?? new Map<RuleChannel, Circumstances>();
      known.set(rule, byChannel);
      const before = byChannel.get(to.channel);
      if (before !== undefined) return before;
      const fresh = { control: order, rule, channel: answerFor(to.channel) };
      byChannel.set(to.channel, fresh);
      return fresh;
    };
    const onTold = (to: Addressee): void => {
      if (alarm.phase !== "ended") cooldowns.told(monitor.id, ruleFor(to), seenAt);
    };
    const found = [
      ...(alarm.hook === undefined ? [] : [aboutHook(alarm.hook)]),
      ...(subject.isFirstStep ? ["hook: asked, people are told before it answers (hook.notify_first)"] : []),
      ...aboutOrder(alarm, order),
      ...aboutRule(decideRule({})),
    ];
    return { briefing: { alarm, refusals, circumstances, onTold }, found };
  };
}

const NOTES: Readonly<Record<HookOutcome["note"], string>> = {
  ran: "",
  "bad-json": "; its JSON could not be read and is left out",
  "timed-out": "took longer than hook.timeout and was ended; told as if there were no hook",
  dropped:
    "did not run (too many were waiting, for too long, or it could not be started); told as if there were none",
  failed: "the detector could not look; told as if there were none",
  skipped: "not run for this monitor (hook.hook_skip_monitors)",
};

function aboutHook(hook: HookOutcome): string {
  if (!hasAnswered(hook)) return `hook: ${NOTES[hook.note]}${hook.text === "" ? "" : `: ${hook.text}`}`;
  const said = hook.result === 0 ? "said yes" : `said no (${hook.result})`;
  return `hook: ${said}${hook.text === "" ? "" : `: ${hook.text}`}${NOTES[hook.note]}`;
}

function aboutOrder({ monitor, muted, phase }: Alarm, order: MonitorControl): readonly string[] {
  if (order === "default") return [];
  const when = muted && phase !== "started" ? "was muted when it began" : `is ${order}`;
  return [`control: monitor ${monitor.id} ${when}`];
}

function aboutRule({ outcome, rule }: RuleDecision): readonly string[] {
  if (rule === null) return [];
  const does = { none: "tell", mute: "mute", critical: "tell as critical", cooldown: "too soon again" };
  return [`rules: ${rule} decides: ${does[outcome]}`];
}
