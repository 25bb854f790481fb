// `zmes rules test`: one alarm that may never have been, and every test the rules make of it.
import type { MonitorId } from "../../domain/monitor.ts";
import { type RuleDecision, type RuleRecipient, type RuleSet, rulesFor } from "../../domain/rules.ts";
import { openHistory } from "../../store/history-file.ts";
import { CHANNELS, type RulesOptions } from "./options.ts";

/** The lines that are printed. */
export function testRules(rules: RuleSet, options: RulesOptions): readonly string[] {
  const { at, monitor, groups, cause, remark } = options;
  const tell = rulesFor(rules, { monitor: Number(monitor) as MonitorId, groups, cause, at });
  const decision = tell(recipientOf(options));
  const channels = byChannel(tell, options);
  const within = groups.length === 0 ? "" : ` (groups ${groups.join(", ")})`;
  return [
    `Monitor ${monitor}${within}, ${momentOf(at)}, cause ${JSON.stringify(cause)}`,
    ...(remark === null ? [] : [remark]),
    ...decision.why.map((line) => `  ${line}`),
    ...(channels.length > 0 ? channels : [`Decision: ${described(decision)}.`]),
  ];
}

/** What the running server saw last; none where there is no server yet, or it does not know the monitor. */
export function groupsOf(monitor: number, path: string): readonly string[] {
  try {
    const history = openHistory(path, { write: false });
    try {
      const known = history.fact("monitors") as { monitors?: { id?: unknown; groups?: unknown }[] } | null;
      const groups = known?.monitors?.find(({ id }) => id === monitor)?.groups;
      return Array.isArray(groups) ? groups.map(String) : [];
    } finally {
      history.close();
    }
  } catch {
    return []; // the rules can be asked without the server's memory
  }
}

const OUTCOMES: Readonly<Record<RuleDecision["outcome"], string>> = {
  none: "told",
  mute: "muted",
  critical: "told as critical",
  cooldown: "muted for the rest of a cooldown",
};

function recipientOf({ channel, device }: RulesOptions): RuleRecipient {
  return {
    ...(channel !== null && { channel }),
    ...(device !== null && { device: { user: device, token: device } }),
  };
}

/** Where nobody said which channel and it matters: each of them. */
function byChannel(tell: (to: RuleRecipient) => RuleDecision, options: RulesOptions): readonly string[] {
  if (options.channel !== null) return [];
  const found = Object.entries(CHANNELS).map(([word, channel]) => {
    return { word, decision: tell({ ...recipientOf(options), channel }) };
  });
  if (found.every(({ decision }) => decision.rule === found[0]?.decision.rule)) return [];
  return found.map(({ word, decision }) => `On channel ${word}: ${described(decision)}.`);
}

function described({ outcome, rule }: RuleDecision): string {
  return `${OUTCOMES[outcome]}${rule === null ? "" : `, by ${rule}`}`;
}

function momentOf(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${date.toLocaleDateString("en", { weekday: "long" })} ${day} ${time}`;
}
