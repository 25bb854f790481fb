// Rules of the operator: which alarms are muted, made critical or told less often. Pure; the first match decides.
import type { MonitorId } from "./monitor.ts";
import type { ChannelName } from "./notice.ts";
import { lookAt, type RuleWindow } from "./rule-window.ts";

/** How a recipient is reached: a socket ("web"), or one of the durable channels. */
export type RuleChannel = ChannelName | "web";

/** A regular expression over causes. "too-slow": the search was given up, and the rule does not match. */
export interface CausePattern {
  /** As it was written. */
  readonly source: string;
  search(cause: string): "found" | "not-found" | "too-slow";
}

/** A rule. null: that is not asked, and every alarm or recipient passes. */
export interface Rule {
  /** "monitors 4, rule 2 (comment)" */
  readonly name: string;
  readonly effect: "mute" | "critical" | "tell";
  readonly window: RuleWindow | null;
  /** 0 is Sunday. */
  readonly days: ReadonlySet<number> | null;
  readonly cause: CausePattern | null;
  readonly channels: ReadonlySet<RuleChannel> | null;
  /** User names, or the last ten characters of tokens (at least six). */
  readonly devices: readonly string[] | null;
  /** For so many seconds after an alarm it let through, the rule mutes those of the same monitor; 0: never. */
  readonly cooldown: number;
}

/** A rule that could not be read: nobody knows what it would have decided, so nothing after it counts. */
interface UnreadableRule {
  readonly name: string;
  readonly effect: "unreadable";
  readonly line: number;
}

export type AnyRule = Rule | UnreadableRule;

export interface RuleSet {
  readonly monitors: ReadonlyMap<number, readonly AnyRule[]>;
  /** By number or by name in lower case, in the order of the file. */
  readonly groups: ReadonlyMap<string, readonly AnyRule[]>;
  /** For every monitor. */
  readonly all: readonly AnyRule[];
}

/** What is known of an alarm. */
export interface RuleQuestion {
  readonly monitor: MonitorId;
  /** Numbers and names of the ZoneMinder groups that the monitor is in. */
  readonly groups: readonly string[];
  /** The final one, after hook and detection. */
  readonly cause: string;
  /** When the alarm was seen, ms since 1970. */
  readonly at: number;
  /** When the rule of that name last let an alarm of this monitor through (rule-cooldowns.ts); absent: never. */
  readonly lastToldAt?: (rule: string) => number | null;
}

/** Whom the alarm would be told to. A rule for a channel or a device passes over recipients it knows nothing of. */
export interface RuleRecipient {
  readonly channel?: RuleChannel;
  readonly device?: { readonly user: string | null; readonly token: string | null };
}

export interface RuleDecision {
  /** "none": told as usual. */
  readonly outcome: "none" | "mute" | "critical" | "cooldown";
  /** The rule that decided, "monitors 4, rule 2 (comment)"; null when none did. */
  readonly rule: string | null;
  /** Every test that was made, in sentences. */
  readonly why: readonly string[];
  /** True when the rule wants to know of it when the alarm was told: it counts a cooldown from then. */
  readonly hasCooldown: boolean;
}

export const NO_RULES: RuleSet = { monitors: new Map(), groups: new Map(), all: [] };

/** The decision about one alarm and one recipient. */
export function decideByRules(rules: RuleSet, question: RuleQuestion & RuleRecipient): RuleDecision {
  return rulesFor(rules, question)(question);
}

/**
 * Looks at an alarm once and gives the decision for each recipient. Those between whom no rule that matches makes a
 * difference get one and the same object: thousands of recipients cost nothing. A cooldown is looked at as well only
 * once for all of them.
 * The rules of the monitor come first, then those of its groups, then those for all monitors.
 */
export function rulesFor(rules: RuleSet, question: RuleQuestion): (to?: RuleRecipient) => RuleDecision {
  const tested: Tested[] = [];
  for (const rule of rulesOf(rules, question)) {
    const test = testAlarm(rule, question);
    tested.push(test);
    if (test.holds && !isForSome(test.rule)) break;
  }
  const known = new Map<string, RuleDecision>();
  const keyOf = keyFor(tested.flatMap(({ holds, rule }) => (holds && isForSome(rule) ? [rule] : [])));
  return (to = {}) => {
    const key = keyOf(to);
    const decision = known.get(key) ?? settle(tested, question, to);
    known.set(key, decision);
    return decision;
  };
}

/** Recipients with the same key get the same decision: what no rule asks for is left out of it. */
function keyFor(rules: readonly AnyRule[]): (to: RuleRecipient) => string {
  if (rules.length === 0) return () => "";
  const isForDevices = rules.some((rule) => rule.effect !== "unreadable" && rule.devices !== null);
  if (!isForDevices) return ({ channel }) => channel ?? "";
  return ({ channel, device }) => JSON.stringify([channel, device?.user, device?.token]);
}

interface Tested {
  readonly rule: AnyRule;
  readonly holds: boolean;
  readonly tests: readonly string[];
}

function rulesOf({ monitors, groups, all }: RuleSet, question: RuleQuestion): readonly AnyRule[] {
  const own = new Set(question.groups.map((group) => group.toLowerCase()));
  return [
    ...(monitors.get(question.monitor) ?? []),
    ...[...groups].filter(([name]) => own.has(name)).flatMap(([, list]) => list),
    ...all,
  ];
}

function isForSome(rule: AnyRule): boolean {
  return rule.effect !== "unreadable" && (rule.channels !== null || rule.devices !== null);
}

/** The tests that are the same for every recipient, up to the first that fails. */
function testAlarm(rule: AnyRule, { at, cause }: RuleQuestion): Tested {
  if (rule.effect === "unreadable")
    return { rule, holds: true, tests: [`it could not be read (line ${rule.line})`] };
  const tests: string[] = [];
  const answer = (question: string, holds: boolean, found: string) => {
    tests.push(`${question}: ${holds ? "yes" : "no"} (${found})`);
    return holds;
  };
  const { holds: isInside, weekday } =
    rule.window === null ? { holds: true, weekday: new Date(at).getDay() } : lookAt(rule.window, at);
  const holds =
    (rule.window === null || answer(`time ${rule.window.words}`, isInside, timeOfDay(at))) &&
    (rule.days === null || answer(`days ${dayNames(rule.days)}`, rule.days.has(weekday), dayName(weekday))) &&
    (rule.cause === null || searchCause(rule.cause, cause, answer));
  return { rule, holds, tests };
}

function searchCause(
  { source, search }: CausePattern,
  cause: string,
  answer: (question: string, holds: boolean, found: string) => boolean,
): boolean {
  const result = search(cause);
  const found = result === "too-slow" ? "the search took too long and was given up" : JSON.stringify(cause);
  return answer(`cause has /${source}/`, result === "found", found);
}

/** Finds the first rule that matches, the recipient's part included. */
function settle(tested: readonly Tested[], question: RuleQuestion, to: RuleRecipient): RuleDecision {
  const why: string[] = [];
  for (const { rule, holds, tests } of tested) {
    const all = holds ? [...tests, ...testRecipient(rule, to)] : tests;
    const matches = holds && isMeant(rule, to);
    why.push(`${rule.name}: ${all.length === 0 ? "it asks for nothing" : all.join("; ")}`);
    if (matches) return decided(rule, question, why);
  }
  why.push(tested.length === 0 ? "there is no rule for this monitor" : "no rule matches");
  return { outcome: "none", rule: null, why, hasCooldown: false };
}

function decided(rule: AnyRule, { at, lastToldAt }: RuleQuestion, why: string[]): RuleDecision {
  const { name: rule_, effect } = rule;
  const give = (outcome: RuleDecision["outcome"], words: string, hasCooldown = false): RuleDecision => {
    return { outcome, rule: rule_, why: [...why, `${rule_} decides: ${words}`], hasCooldown };
  };
  if (effect === "unreadable") return give("none", "told, and the rules after it do not count");
  if (effect === "mute") return give("mute", "muted");
  const { cooldown } = rule;
  if (cooldown > 0) {
    const last = lastToldAt?.(rule_) ?? null;
    // Equal: the same alarm, told to somebody else. Later: the clock was set back, and nobody knows how long ago.
    if (last !== null && last < at && at - last < cooldown * 1000)
      return give("cooldown", `muted, ${seconds(at - last)} of its cooldown of ${cooldown} s are over`, true);
  }
  const words = effect === "critical" ? "told as critical" : "told";
  return give(effect === "critical" ? "critical" : "none", words, cooldown > 0);
}

function isMeant(rule: AnyRule, { channel, device }: RuleRecipient): boolean {
  if (rule.effect === "unreadable") return true;
  if (rule.channels !== null && (channel === undefined || !rule.channels.has(channel))) return false;
  return (
    rule.devices === null || (device !== undefined && rule.devices.some((entry) => names(entry, device)))
  );
}

/** Tokens are compared by their ends: logs show six characters, `zmes devices` ten, and some write all of it. */
function names(entry: string, { user, token }: NonNullable<RuleRecipient["device"]>): boolean {
  if (user !== null && entry.toLowerCase() === user.toLowerCase()) return true;
  if (token === null || entry.length < SHORTEST_END || token.length < SHORTEST_END) return false;
  return token.endsWith(entry) || entry.endsWith(token);
}

/** The end of a token as the log shows it. */
const SHORTEST_END = 6;

function testRecipient(rule: AnyRule, { channel, device }: RuleRecipient): readonly string[] {
  if (rule.effect === "unreadable") return [];
  const tests: string[] = [];
  const { channels, devices } = rule;
  if (channels !== null) {
    const holds = channel !== undefined && channels.has(channel);
    tests.push(`channels ${[...channels].join(",")}: ${holds ? "yes" : "no"} (${channel ?? "not known"})`);
    if (!holds) return tests;
  }
  if (devices !== null) {
    const holds = isMeant({ ...rule, channels: null }, device === undefined ? {} : { device });
    tests.push(`devices ${devices.map(shownDevice).join(",")}: ${holds ? "yes" : "no"}`);
  }
  return tests;
}

/** Somebody may have written a whole token, and whoever has it can send messages to the phone. */
function shownDevice(entry: string): string {
  return entry.length > LONGEST_SHOWN ? `...${entry.slice(-10)}` : entry;
}

/** Longer than the user names of ZoneMinder (Users.Username, varchar(32) up to 1.36). */
const LONGEST_SHOWN = 32;

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

function dayName(weekday: number): string {
  return DAYS[weekday] ?? "";
}

function dayNames(days: ReadonlySet<number>): string {
  return DAYS.filter((_, day) => days.has(day)).join(",");
}

function timeOfDay(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  return `it is ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)} s`;
}
