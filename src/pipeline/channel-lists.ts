// Which channels carry a beginning, an update or an end: the two switches and the four lists of the configuration.
import type { Alarm } from "../domain/alarm.ts";
import { type HookOutcome, hasAnswered, saysYes } from "../domain/hook.ts";
import type { Circumstances } from "../domain/policy.ts";
import type { RuleChannel } from "../domain/rules.ts";

/** The word that lists have for a channel. */
type Word = "all" | "none" | "fcm" | "web" | "mqtt" | "api";

/** Keys of the section "customize". */
export interface SwitchOptions {
  readonly send_event_start_notification: boolean;
  readonly send_event_end_notification: boolean;
}

/** Keys of the section "hook". */
export interface ListOptions {
  readonly event_start_notify_on_hook_success: readonly Word[];
  readonly event_start_notify_on_hook_fail: readonly Word[];
  readonly event_end_notify_on_hook_success: readonly Word[];
  readonly event_end_notify_on_hook_fail: readonly Word[];
  readonly event_end_notify_if_start_success: boolean;
}

export interface ChannelQuestion {
  readonly alarm: Alarm;
  readonly channel: RuleChannel;
  /** What the hook said of the beginning, for an end. */
  readonly atStart: HookOutcome | undefined;
  /** True when people are told before the hook has answered. */
  readonly isFirstStep: boolean;
  /** A configuration of versions 1.5 to 4: the exit code decides for everybody, and there are no lists. */
  readonly isOldDialect: boolean;
}

/**
 * Without a hook, or without its answer (time over, dropped), every channel carries what the switches allow. A script
 * for push (`api`) ignores the switch for beginnings, as the original has it.
 */
export function channelAnswer(
  question: ChannelQuestion,
  switches: SwitchOptions,
  options: ListOptions,
): Circumstances["channel"] {
  const { alarm, channel, atStart } = question;
  const isEnd = alarm.phase === "ended";
  if (isEnd && !switches.send_event_end_notification) return "off";
  if (!isEnd && !switches.send_event_start_notification && channel !== "script") return "off";
  if (isEnd && options.event_end_notify_if_start_success && hasAnswered(atStart) && !saysYes(atStart))
    return "hook-said-no";
  const lists = listsFor(question, options);
  if (question.isFirstStep) {
    return carries(lists.success, channel) || carries(lists.fail, channel) ? "allowed" : "off";
  }
  if (alarm.hook?.note === "skipped")
    return lists.success.length === 0 || carries(lists.success, channel) ? "allowed" : "off";
  if (!hasAnswered(alarm.hook)) return "allowed";
  if (saysYes(alarm.hook)) return carries(lists.success, channel) ? "allowed" : "off";
  return carries(lists.fail, channel) ? "allowed" : "hook-said-no";
}

interface Lists {
  readonly success: readonly Word[];
  readonly fail: readonly Word[];
}

function listsFor({ alarm, isOldDialect }: ChannelQuestion, options: ListOptions): Lists {
  if (isOldDialect) return { success: ["all"], fail: ["none"] };
  if (alarm.phase === "ended")
    return {
      success: options.event_end_notify_on_hook_success,
      fail: options.event_end_notify_on_hook_fail,
    };
  return {
    success: options.event_start_notify_on_hook_success,
    fail: options.event_start_notify_on_hook_fail,
  };
}

function carries(list: readonly Word[], channel: RuleChannel): boolean {
  return list.includes("all") || list.includes(WORDS[channel]);
}

const WORDS: Readonly<Record<RuleChannel, Word>> = { web: "web", fcm: "fcm", mqtt: "mqtt", script: "api" };
