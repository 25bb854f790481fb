// Section "hook": scripts that look at an alarm before it is told.
import { z } from "zod";
import { channelList, flag, monitorList, number, optionalText } from "../fields.ts";

export const hook = z
  .strictObject({
    hook_script: optionalText({
      about: "Script run for each alarm, under the name versions 3 and 4 gave it.",
      since: "3.0",
      guarded: "a program",
    }),
    use_hook_description: flag(false, {
      about: "Whether the text the script returns becomes part of the alarm's text.",
      since: "3.0",
    }),
    keep_frame_match_type: flag(true, {
      about: "Whether that text keeps the mark [a] or [s] of the frame in which something was found.",
      since: "3.0",
    }),
    hook_pass_image_path: flag(false, {
      about: "Whether scripts are given the folder of the event.",
      since: "3.3",
    }),
    event_start_hook: optionalText({
      about: "Script run when an event starts.",
      since: "5.0",
      guarded: "a program",
      example: "/var/lib/zmeventnotification/bin/zm_event_start.sh",
    }),
    event_end_hook: optionalText({
      about: "Script run when an event ends.",
      since: "5.0",
      guarded: "a program",
      example: "/var/lib/zmeventnotification/bin/zm_event_end.sh",
    }),
    event_start_notify_on_hook_success: channelList({
      about: "Who is told of a start when the script says yes; nobody as long as it is not set.",
      since: "5.0",
      example: "[all]",
    }),
    event_start_notify_on_hook_fail: channelList({
      about: "Who is told of a start when the script says no.",
      since: "5.0",
      example: "[none]",
    }),
    event_end_notify_on_hook_success: channelList({
      about: "Who is told of an end when the script says yes.",
      since: "5.0",
      example: "[fcm, web, api]",
    }),
    event_end_notify_on_hook_fail: channelList({
      about: "Who is told of an end when the script says no.",
      since: "5.0",
      example: "[none]",
    }),
    event_end_notify_if_start_success: flag(true, {
      about: "Whether an end is told only when the script said yes to the start.",
      since: "5.0",
    }),
    hook_skip_monitors: monitorList({
      about: "Monitors for which no script is run; their alarms are told at once.",
      since: "5.11",
      example: "[3, 7]",
    }),
    event_start_hook_notify_userscript: optionalText({
      about: "Script of yours that is told when an event starts.",
      since: "5.14",
      guarded: "a program",
    }),
    event_end_hook_notify_userscript: optionalText({
      about: "Script of yours that is told when an event ends.",
      since: "5.14",
      guarded: "a program",
    }),
    max_parallel_hooks: number(
      0,
      { min: 0, max: 1000 },
      {
        about: "How many scripts may run at once; 0 means twice the number of processor cores. Others wait.",
        since: "6.1.20",
      },
    ),
    timeout: number(
      60,
      { min: 1, max: 3600 },
      {
        about:
          "Seconds a script has. Then it is ended with its children, and the alarm is told as if there were no script. Detection takes seconds; nobody wants to hear of an alarm a minute late.",
        since: "8",
      },
    ),
    max_waiting: number(
      200,
      { min: 0, max: 10_000 },
      {
        about:
          "How many alarms may wait for their script. Those beyond it are told as if there were no script. A few hundred bytes each; a site whose cameras all start at once is below it.",
        since: "8",
      },
    ),
    max_wait: number(
      30,
      { min: 1, max: 3600 },
      {
        about: "Seconds an alarm may wait for the turn of its script before it is told without.",
        since: "8",
      },
    ),
    notify_first: flag(false, {
      about:
        "Whether people are told before the script has answered, and the same notification is updated when it has.",
      since: "8",
    }),
    tag_detected_objects: flag(false, {
      about: "Whether what was detected becomes a tag of the event in ZoneMinder.",
      since: "7.0.0",
    }),
  })
  .describe("Scripts that look at an alarm before it is told.");
