// Decides about the recipients of durable channels, alarm by alarm, in slices: the scan must go on meanwhile.
import type { Alarm } from "../domain/alarm.ts";
import { type Briefing, decideFor, isFirstHeard } from "../domain/briefing.ts";
import type { Decision, ToldMark } from "../domain/decision.ts";
import { type DurableRecipient, type Notice, noticeId, recipientFor } from "../domain/notice.ts";
import type { RuleChannel } from "../domain/rules.ts";
import type { Clock } from "../lib/clock.ts";
import type { DurableRecipients, Outbox } from "./ports.ts";

export interface Deciding {
  /** Decides the first slice before it returns; the order of alarms holds. */
  add(alarms: readonly Undecided[]): void;
}

interface Undecided {
  readonly briefing: Briefing;
  /** What was found out about the alarm itself, in sentences. */
  readonly found: readonly string[];
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

  function decided({ briefing, found, mark, withheld }: Undecided): Decision {
    const { alarm } = briefing;
    const everybody = withheld === null ? recipients.all().filter((each) => takes(each, briefing)) : [];
    const now = clock.now();
    const notices: Notice[] = [];
    const verdicts = everybody.map((each) => {
      const recipient = recipientFor(each, alarm);
      const to = {
        channel: recipient.channel satisfies RuleChannel,
        user: null,
        token: null,
        ...each.device,
      };
      const isBeginning = alarm.phase === "started" || isFirstHeard(briefing, recipient.id);
      const verdict = decideFor(briefing, recipient.id, to, recipient.preferences, now);
      if (verdict.send) {
        if (isBeginning) noteTold(recipient, alarm, now);
        notices.push(noticeFor(verdict.critical ? { ...alarm, critical: true } : alarm, recipient, now));
      }
      return { recipient, verdict };
    });
    return { alarm, notices, verdicts, withheld, mark: mark(), found };
  }

  function noticeFor(alarm: Alarm, recipient: DurableRecipient, now: number): Notice {
    const { id, channel } = recipient;
    const expiresAt = now + recipients.expiresAfterMs(recipient);
    return { id: noticeId(alarm, id), channel, recipient: id, alarm, createdAt: now, expiresAt };
  }
}

function takes(recipient: DurableRecipient, briefing: Briefing): boolean {
  const { alarm } = briefing;
  if (alarm.phase !== "updated" || recipient.takesUpdates === true) return true;
  return isFirstHeard(briefing, recipientFor(recipient, alarm).id);
}

/** Only an interval ever reads it back, and it counts beginnings. */
function noteTold({ preferences }: DurableRecipient, { monitor }: Alarm, now: number): void {
  if (preferences.intervals.has(monitor.id)) preferences.lastTold.set(monitor.id, now);
}
