// `zmes rules replay`: what the rules of now would have made of past alarms, where that differs from what happened.
import { moment } from "../../delivery/history.ts";
import type { AlarmRecord, DeliveryRecord } from "../../domain/history.ts";
import { createRuleCooldowns } from "../../domain/rule-cooldowns.ts";
import { type RuleDecision, type RuleRecipient, type RuleSet, rulesFor } from "../../domain/rules.ts";

/** The lines that are printed. The records are in the order in which the alarms came. */
export function replayRules(rules: RuleSet, records: readonly AlarmRecord[]): readonly string[] {
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined) return ["No past alarm is known."];
  const cooldowns = createRuleCooldowns();
  const changed = records.flatMap((record) => {
    const changes = changesOf(rules, record, cooldowns);
    return changes.length === 0 ? [] : [[heading(record), ...changes.map((line) => `  ${line}`)]];
  });
  const span = `${moment(first.alarm.seenAt)} to ${moment(last.alarm.seenAt)}`;
  return [
    ...changed.flat(),
    `${records.length} ${records.length === 1 ? "alarm" : "alarms"} from ${span}: ${changed.length} would be told otherwise.`,
  ];
}

/** One recipient of an alarm, or all sockets together, and what happened then. */
interface Told {
  readonly who: string;
  readonly to: RuleRecipient;
  readonly before: "told" | "muted";
}

function changesOf(
  rules: RuleSet,
  record: AlarmRecord,
  cooldowns: ReturnType<typeof createRuleCooldowns>,
): readonly string[] {
  const { monitor, cause, seenAt } = record.alarm;
  const decide = rulesFor(rules, {
    monitor: monitor.id,
    groups: monitor.groups ?? [],
    cause,
    at: seenAt,
    lastToldAt: cooldowns.of(monitor.id),
  });
  const lines = new Map<string, string[]>();
  for (const { who, to, before } of recipientsOf(record)) {
    const decision = decide(to);
    const isTold = decision.outcome === "none" || decision.outcome === "critical";
    if (isTold) cooldowns.told(monitor.id, decision, seenAt);
    const change = changeBetween(before, decision);
    if (change !== null) lines.set(change, [...(lines.get(change) ?? []), who]);
  }
  return [...lines].map(([change, who]) => `${who.join(", ")}: ${change}`);
}

function changeBetween(before: Told["before"], { outcome, rule }: RuleDecision): string | null {
  const by = rule === null ? "no rule matches" : rule;
  const isMuted = outcome === "mute" || outcome === "cooldown";
  if (isMuted)
    return before === "muted" ? null : `would be muted (${by}${outcome === "cooldown" ? ", cooldown" : ""})`;
  const how = outcome === "critical" ? " as critical" : "";
  if (before === "muted") return `would be told${how} (${by})`;
  return outcome === "critical" ? `would be told as critical (${by})` : null;
}

/** Only those whom rules have a say about: who was refused for another reason is refused still. */
function recipientsOf({ withheld, sockets, deliveries }: AlarmRecord): readonly Told[] {
  if (withheld !== null) return [];
  const told: Told[] = [];
  if (sockets !== null && sockets.told > 0)
    told.push({ who: `${sockets.told} on sockets`, to: { channel: "web" }, before: "told" });
  const muted = (sockets?.refused as Readonly<Record<string, number>> | undefined)?.[BY_RULE] ?? 0;
  if (muted > 0) told.push({ who: `${muted} on sockets`, to: { channel: "web" }, before: "muted" });
  for (const each of deliveries) {
    const reason: string | null = each.reason;
    if (each.state === "refused" && reason !== BY_RULE) continue;
    told.push({
      who: each.label,
      to: recipientOf(each),
      before: each.state === "refused" ? "muted" : "told",
    });
  }
  return told;
}

/** How a refusal by a rule is called in the history. */
const BY_RULE = "rule";

/** Of a phone the history keeps the end of its token, not its user. */
function recipientOf({ channel, label }: DeliveryRecord): RuleRecipient {
  const token = /\.\.\.(\S+)$/.exec(label)?.[1] ?? null;
  return { channel, device: { user: null, token } };
}

function heading({ alarm }: AlarmRecord): string {
  const event = alarm.eventId === null ? "no event" : `event ${alarm.eventId}`;
  const cause = alarm.cause === "" ? "" : `, ${alarm.cause}`;
  return `${moment(alarm.seenAt)} ${event}, ${alarm.monitor.name} (monitor ${alarm.monitor.id})${cause}`;
}
