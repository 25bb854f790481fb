// Reads one rule: its keys, their values, and what is wrong with them.
import type { AnyRule, Rule, RuleChannel } from "../domain/rules.ts";
import { readPattern } from "./cause-pattern.ts";
import type { Remark } from "./raw-file.ts";
import { readTimes } from "./rule-times.ts";
import { nearest } from "./words.ts";
import type { TreeEntry, TreeNode } from "./yaml-tree.ts";

export interface RuleSink {
  readonly warnings: Remark[];
  readonly problems: Remark[];
  readonly onTooSlow: ((rule: string) => void) | undefined;
}

/** The rule, or a mark that one stood here which could not be read; why is among the problems then. */
export function readRule(node: TreeNode, owner: string, sink: RuleSink): AnyRule {
  const written = new Map(node.entries().map((entry) => [entry.key, entry]));
  const comment = written.get("comment")?.node.text ?? "";
  const name = comment === "" ? owner : `${owner} (${shortened(comment)})`;
  const problems: Remark[] = [];
  const reading: Reading = { name, owner, line: node.line, written, problems, sink };
  if (node.kind !== "map")
    problems.push({ line: node.line, text: `${owner}: expected keys such as "action: mute"` });
  else remarkKeys(reading);
  const rule: Rule = {
    name,
    ...readEffect(reading),
    window: readWindow(reading),
    days: readDays(reading),
    cause: readCause(reading),
    channels: readChannels(reading),
    devices: readDevices(reading),
  };
  sink.problems.push(...problems);
  return problems.length === 0 ? rule : { name, effect: "unreadable", line: node.line };
}

interface Reading {
  readonly name: string;
  /** The same without the comment. */
  readonly owner: string;
  readonly line: number;
  readonly written: ReadonlyMap<string, TreeEntry>;
  readonly problems: Remark[];
  readonly sink: RuleSink;
}

const KEYS = [
  "action",
  "from",
  "to",
  "time_format",
  "daysofweek",
  "cause_has",
  "channels",
  "devices",
  "cooldown",
] as const;
type Key = (typeof KEYS)[number];

/** Keys that mean something elsewhere in the file. */
const MISPLACED: Readonly<Record<string, string>> = {
  groups: "rules of a group stand below notifications, groups, its name, rules",
  group: "rules of a group stand below notifications, groups, its name, rules",
  monitors: "rules of a monitor stand below notifications, monitors, its number, rules",
  monitor: "rules of a monitor stand below notifications, monitors, its number, rules",
};

/** Comments of any name were always welcome; a typing error would make the rule hold where it should not. */
function remarkKeys({ owner, written, problems, sink }: Reading): void {
  for (const { key, line } of written.values()) {
    if (KEYS.some((known) => known === key) || /^_?comment/i.test(key)) continue;
    const shown = JSON.stringify(key.slice(0, 64));
    const meant = nearest(key, KEYS);
    const misplaced = Object.hasOwn(MISPLACED, key) ? MISPLACED[key] : undefined;
    if (misplaced !== undefined)
      problems.push({ line, text: `${owner}: ${shown} is no key of a rule; ${misplaced}` });
    else if (meant !== null)
      problems.push({ line, text: `${owner}: ${shown} is not known; did you mean ${meant}?` });
    else sink.warnings.push({ line, text: `${owner}: ${shown} is not known and means nothing` });
  }
}

function readEffect(reading: Reading): Pick<Rule, "effect" | "cooldown"> {
  const cooldown = readCooldown(reading);
  const action = textAt(reading, "action")?.trim().toLowerCase() ?? null;
  const effect = action === null ? "tell" : Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (effect === undefined)
    fail(reading, "action", `expected mute, critical_notify or notify, got ${quoted(action)}`);
  else if (action === null && cooldown === 0)
    fail(reading, "action", "it is missing: expected mute, critical_notify or notify");
  else if (effect === "mute" && cooldown > 0)
    fail(reading, "cooldown", "it means nothing to a rule that mutes; take one of the two away");
  return { effect: effect ?? "tell", cooldown };
}

const ACTIONS: Readonly<Record<string, Rule["effect"]>> = {
  mute: "mute",
  critical_notify: "critical",
  // For an exception from what stands further down, or for all monitors.
  notify: "tell",
};

/** A day. */
const LONGEST_COOLDOWN = 86_400;

function readCooldown(reading: Reading): number {
  const text = textAt(reading, "cooldown");
  if (text === null) return 0;
  const seconds = /^\s*\d{1,6}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= LONGEST_COOLDOWN) return seconds;
  fail(reading, "cooldown", `expected seconds from 0 to ${LONGEST_COOLDOWN}, got ${quoted(text)}`);
  return 0;
}

function readWindow(reading: Reading): Rule["window"] {
  const [from, to, format] = [textAt(reading, "from"), textAt(reading, "to"), textAt(reading, "time_format")];
  if (from === null && to === null) return null;
  const read = readTimes({ from, to, format });
  if (read.ok) return read.window;
  fail(reading, read.key, read.text);
  return null;
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** The original looks whether the text contains the English short name, so that "Monday" means Mon as well. */
function readDays(reading: Reading): Rule["days"] {
  const words = textsAt(reading, "daysofweek");
  if (words === null) return null;
  const text = words.join(",").toLowerCase();
  const days = new Set(DAYS.flatMap((name, day) => (text.includes(name) ? [day] : [])));
  if (days.size === 0) {
    fail(reading, "daysofweek", `expected names such as Mon,Tue,Sat, got ${quoted(text)}`);
    return null;
  }
  if (/[a-z]\s*(-|to|\.\.)\s*(sun|mon|tue|wed|thu|fri|sat)/.test(text))
    warn(reading, "daysofweek", `${quoted(text)} is no range: only the days that are named count`);
  else {
    const other = text
      .split(/[^\p{L}]+/u)
      .find((word) => word !== "" && !DAYS.some((name) => word.includes(name)));
    if (other !== undefined) warn(reading, "daysofweek", `${quoted(other)} is no day`);
  }
  return days;
}

function readCause(reading: Reading): Rule["cause"] {
  const text = textAt(reading, "cause_has");
  if (text === null || text === "") return null;
  const { name, sink } = reading;
  const read = readPattern(text, () => sink.onTooSlow?.(name));
  if (read.ok) return read.pattern;
  fail(reading, "cause_has", read.text);
  return null;
}

const CHANNELS: Readonly<Record<string, RuleChannel>> = {
  web: "web",
  fcm: "fcm",
  mqtt: "mqtt",
  api: "script",
};

function readChannels(reading: Reading): Rule["channels"] {
  const words = textsAt(reading, "channels")?.map((word) => word.toLowerCase());
  if (words === undefined || words.includes("all")) return null;
  const wrong = words.find((word) => !Object.hasOwn(CHANNELS, word));
  if (wrong !== undefined || words.length === 0) {
    fail(reading, "channels", `expected some of web, fcm, mqtt, api, got ${quoted(wrong ?? "")}`);
    return null;
  }
  return new Set(words.flatMap((word) => CHANNELS[word] ?? []));
}

function readDevices(reading: Reading): Rule["devices"] {
  const words = textsAt(reading, "devices")?.map((word) => word.replace(/^\.+/, ""));
  if (words === undefined) return null;
  if (words.length > 0 && words.every((word) => word !== "")) return words;
  fail(reading, "devices", "expected user names, or the last ten characters of tokens");
  return null;
}

/** The text of a key; null when it is not there, or empty of everything. */
function textAt(reading: Reading, key: Key): string | null {
  const node = reading.written.get(key)?.node;
  if (node === undefined || node.kind === "nothing") return null;
  if (node.kind === "text") return node.text;
  fail(reading, key, "expected a text, not a list or more keys");
  return null;
}

/** A list, or a text with commas. */
function textsAt(reading: Reading, key: Key): readonly string[] | null {
  const node = reading.written.get(key)?.node;
  if (node?.kind !== "list") {
    const text = textAt(reading, key);
    return text === null ? null : text.split(",").map((word) => word.trim());
  }
  const items = node.items();
  if (items.every(({ kind }) => kind === "text")) return items.map(({ text }) => text.trim());
  fail(reading, key, "expected a list of words");
  return null;
}

function fail(reading: Reading, key: Key, text: string): void {
  const line = reading.written.get(key)?.line ?? reading.line;
  reading.problems.push({ line, text: `${reading.owner}: ${key}: ${text}` });
}

function warn(reading: Reading, key: Key, text: string): void {
  const line = reading.written.get(key)?.line ?? reading.line;
  reading.sink.warnings.push({ line, text: `${reading.owner}: ${key}: ${text}` });
}

function quoted(text: string | null): string {
  return JSON.stringify((text ?? "").slice(0, LONGEST_SHOWN));
}

function shortened(comment: string): string {
  const line = comment.replace(/\s+/g, " ").trim();
  return line.length > LONGEST_SHOWN ? `${line.slice(0, LONGEST_SHOWN - 3)}...` : line;
}

/** A name in a log line. */
const LONGEST_SHOWN = 60;
