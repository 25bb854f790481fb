// Turns decisions and notices into rows of the file and back.
import type { Alarm } from "../domain/alarm.ts";
import type { Decision } from "../domain/decision.ts";
import { type ChannelName, type Notice, noticeId, type RecipientId } from "../domain/notice.ts";
import type { Verdict } from "../domain/policy.ts";
import type { DecisionRow, PendingRow } from "./messages.ts";

/** A pending notice that was read back. */
export interface StoredNotice {
  readonly row: number;
  readonly notice: Notice;
  readonly attempts: number;
  readonly dueAt: number;
}

export function decisionRow({ alarm, notices, verdicts, withheld, found = [] }: Decision): DecisionRow {
  const traces = new Map<Verdict, string>();
  let next = 0;
  return {
    key: alarm.id,
    phase: alarm.phase,
    event: alarm.eventId,
    seenAt: alarm.seenAt,
    alarm: JSON.stringify(alarm),
    withheld,
    found: found.length === 0 ? null : JSON.stringify(found),
    deliveries: verdicts.map(({ recipient, verdict }) => {
      const notice = verdict.send ? notices[next++] : undefined;
      return {
        channel: recipient.channel,
        recipient: recipient.id,
        label: recipient.label,
        trace: traceOf(verdict, traces),
        reason: verdict.send ? null : verdict.reason,
        at: notice?.createdAt ?? alarm.seenAt,
        expiresAt: notice?.expiresAt ?? alarm.seenAt,
      };
    }),
  };
}

export function storedNotice(channel: ChannelName, recipient: RecipientId, row: PendingRow): StoredNotice {
  // Written by decisionRow.
  const shared = JSON.parse(row.alarm) as Alarm;
  const trace = JSON.parse(row.trace) as Verdict["trace"];
  const alarm = trace.some(({ critical }) => critical) ? { ...shared, critical: true } : shared;
  const { createdAt, expiresAt, attempts, dueAt } = row;
  const id = noticeId(alarm, recipient);
  return {
    row: row.id,
    notice: { id, channel, recipient, alarm, createdAt, expiresAt },
    attempts,
    dueAt,
  };
}

/** Verdicts are shared among recipients: a thousand of them have a handful of traces. */
function traceOf(verdict: Verdict, traces: Map<Verdict, string>): string {
  const known = traces.get(verdict);
  if (known !== undefined) return known;
  const text = JSON.stringify(verdict.trace);
  traces.set(verdict, text);
  return text;
}
