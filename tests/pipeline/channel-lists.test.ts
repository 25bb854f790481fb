import { describe, expect, it } from "vitest";
import type { HookNote, HookOutcome } from "../../src/domain/hook.ts";
import { type ChannelQuestion, channelAnswer, type ListOptions } from "../../src/pipeline/channel-lists.ts";
import { anAlarm } from "../support/builders.ts";

const switches = { send_event_start_notification: true, send_event_end_notification: true };
const lists: ListOptions = {
  event_start_notify_on_hook_success: ["web", "fcm"],
  event_start_notify_on_hook_fail: ["mqtt"],
  event_end_notify_on_hook_success: ["api"],
  event_end_notify_on_hook_fail: ["all"],
  event_end_notify_if_start_success: true,
};
const hook = (result: number, note: HookNote = "ran"): HookOutcome => ({
  result,
  text: "x",
  json: null,
  note,
});
const question = (change: Partial<ChannelQuestion>): ChannelQuestion => ({
  alarm: anAlarm(),
  channel: "web",
  atStart: undefined,
  isFirstStep: false,
  isOldDialect: false,
  ...change,
});
const started = (answer: HookOutcome) => anAlarm({ hook: answer });
const ended = (answer?: HookOutcome) => anAlarm({ phase: "ended", ...(answer && { hook: answer }) });

/** web, fcm, mqtt, script */
function row(change: Partial<ChannelQuestion>, options = lists, flags = switches): readonly string[] {
  return (["web", "fcm", "mqtt", "script"] as const).map((channel) =>
    channelAnswer(question({ ...change, channel }), flags, options),
  );
}

const everybody = ["allowed", "allowed", "allowed", "allowed"];

describe("channel lists", () => {
  it.each<[string, Partial<ChannelQuestion>, readonly string[]]>([
    ["a start without a hook", {}, everybody],
    ["a start after yes", { alarm: started(hook(0)) }, ["allowed", "allowed", "off", "off"]],
    [
      "a start after no",
      { alarm: started(hook(1)) },
      ["hook-said-no", "hook-said-no", "allowed", "hook-said-no"],
    ],
    ["a start whose hook took too long", { alarm: started(hook(1, "timed-out")) }, everybody],
    ["a start whose hook was dropped", { alarm: started(hook(1, "dropped")) }, everybody],
    [
      "a start with unreadable JSON",
      { alarm: started(hook(0, "bad-json")) },
      ["allowed", "allowed", "off", "off"],
    ],
    [
      "a start of an exempt monitor",
      { alarm: started(hook(0, "skipped")) },
      ["allowed", "allowed", "off", "off"],
    ],
    ["the first of two steps", { isFirstStep: true }, ["allowed", "allowed", "allowed", "off"]],
    ["an end without a hook", { alarm: ended() }, everybody],
    ["an end after yes", { alarm: ended(hook(0)) }, ["off", "off", "off", "allowed"]],
    ["an end after no", { alarm: ended(hook(1)) }, everybody],
    [
      "an end whose start the hook denied",
      { alarm: ended(), atStart: hook(1) },
      Array(4).fill("hook-said-no"),
    ],
    ["an end whose start was not looked at", { alarm: ended(), atStart: hook(1, "dropped") }, everybody],
    ["old: a start after yes", { alarm: started(hook(0)), isOldDialect: true }, everybody],
    ["old: a start after no", { alarm: started(hook(1)), isOldDialect: true }, Array(4).fill("hook-said-no")],
  ])("for %s", (_, change, expected) => expect(row(change)).toEqual(expected));

  it("are empty as compiled: a hook that says yes then tells nobody, as in the original", () => {
    const none = { ...lists, event_start_notify_on_hook_success: [] };
    expect(row({ alarm: started(hook(0)) }, none)).toEqual(Array(4).fill("off"));
  });

  it("that are not set leave alarms of exempt monitors to everybody", () => {
    const none = { ...lists, event_start_notify_on_hook_success: [] };
    expect(row({ alarm: started(hook(0, "skipped")) }, none)).toEqual(everybody);
  });

  it("with the word none name nobody", () => {
    const none: ListOptions = { ...lists, event_start_notify_on_hook_success: ["none"] };
    expect(row({ alarm: started(hook(0)) }, none)).toEqual(Array(4).fill("off"));
  });

  it("do not keep back the end where event_end_notify_if_start_success is off", () => {
    const both = { ...lists, event_end_notify_if_start_success: false };
    expect(row({ alarm: ended(), atStart: hook(1) }, both)).toEqual(everybody);
  });

  it("stand below the switches; a push script ignores the one for starts", () => {
    const off = { send_event_start_notification: false, send_event_end_notification: false };
    expect(row({}, lists, off)).toEqual(["off", "off", "off", "allowed"]);
    expect(row({ alarm: ended() }, lists, off)).toEqual(Array(4).fill("off"));
  });
});
