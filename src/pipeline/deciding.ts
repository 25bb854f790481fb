// Decides about the recipients of durable channels, alarm by alarm, in slices: the scan must go on meanwhile.
import type { Alarm } from "../domain/alarm.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import { type DurableRecipient, type Notice, noticeId, recipientFor } from "../domain/notice.ts";
import { decide } from "../domain/policy.ts";
import type { Clock } from "../lib/clock.ts";
import type { DurableRecipients, Outbox } from "./ports.ts";

export interface Deciding {
  /** Decides the first slice before it returns; the order of alarms holds. */
  add(alarms: readonly Undecided[]): void;
}

interface Undecided {
  readonly alarm: Alarm;
  /** The newest of its monitor when asked: an alarm may be over by the time its slice comes. */
  readonly mark: () => ToldMark;
  /** Set when nobody shall be told. */
  readonly withheld: Decision["withheld"];
}

/** A thousand recipients take about a millisecond; two hundred cameras at once must not stop the scan. */
const SLICE_MS = 5;

export interface DecidingDeps {
  readonly recipients: DurableRecipients;
  readonly outbox: Outbox;
  readonly clock: Clock;
}

export function createDeciding({ recipients, outbox, clock }: DecidingDeps): Deciding {
  const waiting: Undecided[] = [];
  let running = false;

  return {
    add(alarms) {
      waiting.push(...alarms);
      if (!running) slice();
    },
  };

  function slice(): void {
    const end = clock.monotonic() + SLICE_MS;
    const decisions: Decision[] = [];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      decisions.push(decided(next));
      if (clock.monotonic() >= end) break;
    }
    if (decisions.length > 0) outbox.put(decisions);
    running = waiting.length > 0;
    if (running) setImmediate(slice);
  }

  function decided({ alarm, mark, withheld }: Undecided): Decision {
    const everybody =
      withheld === null ? recipients.all().map((recipient) => recipientFor(recipient, alarm)) : [];
    const now = clock.now();
    const verdicts = everybody.map((recipient) => ({
      recipient,
      verdict: decide(alarm, recipient.preferences, now),
    }));
    const notices: Notice[] = [];
    for (const { recipient, verdict } of verdicts)
      if (verdict.send) notices.push(noticeFor(alarm, recipient, now));
    return { alarm, notices, verdicts, withheld, mark: mark() };
  }

  function noticeFor(alarm: Alarm, recipient: DurableRecipient, now: number): Notice {
    const { id, channel, preferences } = recipient;
    const monitor = alarm.monitor.id;
    // Only an interval ever reads it back.
    if (preferences.intervals.has(monitor)) preferences.lastTold.set(monitor, now);
    const expiresAt = now + recipients.expiresAfterMs(recipient);
    return { id: noticeId(alarm, id), channel, recipient: id, alarm, createdAt: now, expiresAt };
  }
}
