// Section "customize": what is told of an alarm, and how often.
import { z } from "zod";
import { flag, number, optionalText } from "../fields.ts";

export const customize = z
  .strictObject({
    verbose: flag(false, {
      about: "Whether the log is also shown on the console.",
      since: "1.0",
      live: true,
    }),
    console_logs: flag(false, {
      about: "The same as verbose, under its later name.",
      since: "3.7",
      live: true,
    }),
    es_debug_level: number(
      5,
      { min: 0, max: 9 },
      {
        about: "How much the original logged.",
        since: "5.13",
        obsolete: "logging.level decides, and ZoneMinder's own logging options",
      },
    ),
    event_check_interval: number(
      5,
      { min: 0, max: 86_400 },
      {
        about: "Seconds between two looks for new events.",
        since: "1.0",
        obsolete: "ZoneMinder is watched all the time; zoneminder.scan_interval_ms sets how often",
      },
    ),
    monitor_reload_interval: number(
      300,
      { min: 1, max: 86_400 },
      {
        about:
          "Seconds between two readings of the list of monitors. New and removed cameras are noticed at once besides.",
        since: "1.0",
        live: true,
      },
    ),
    read_alarm_cause: flag(false, {
      about: "Whether the cause of an alarm is read.",
      since: "1.0",
      obsolete: "the cause is always read",
    }),
    tag_alarm_event_id: flag(false, {
      about: "Whether the title of a push message names the event.",
      since: "1.0",
      live: true,
    }),
    use_custom_notification_sound: flag(false, {
      about: "Whether the phone plays its own sound.",
      since: "1.0",
      obsolete: "no version acted on it",
    }),
    picture_url: optionalText(
      {
        about:
          "Address of the picture of an alarm at ZoneMinder's portal. EVENTID and BESTMATCH are filled in. With pictures.public_url only its fid and width count.",
        since: "2.0",
        example: "https://portal.example.org/zm/index.php?view=image&eid=EVENTID&fid=BESTMATCH&width=600",
      },
      "url",
    ),
    include_picture: flag(false, {
      about: "Whether a message carries a picture.",
      since: "2.0",
    }),
    picture_portal_username: optionalText({
      about:
        "User name for fetching pictures from ZoneMinder. It leaves this machine only with pictures.allow_credentials_in_url; pictures.public_url needs none.",
      since: "4.4",
      guarded: "a user",
      example: '"!ZM_USER"',
    }),
    picture_portal_password: optionalText({
      about: "The password to it.",
      since: "4.4",
      secret: true,
      example: '"!ZM_PASSWORD"',
    }),
    use_hooks: flag(false, { about: "Whether hooks are run.", since: "5.4" }),
    send_event_end_notification: flag(false, {
      about: "Whether the end of an alarm is told.",
      since: "5.4",
      live: true,
    }),
    send_event_start_notification: flag(true, {
      about: "Whether the start of an alarm is told.",
      since: "6.0.6",
      live: true,
    }),
    es_rules: optionalText(
      {
        about:
          "File with rules that mute monitors at certain times; see rules.md. It is read again when it changes.",
        since: "6.0.0",
        live: true,
      },
      "file",
    ),
    notify_each_alarm: flag(true, {
      about: "Whether several alarms inside one continuous event are each told. With no, only the first is.",
      since: "8",
      live: true,
    }),
    repeat_cooldown: number(
      60,
      { min: 0, max: 86_400 },
      {
        about:
          "Least number of seconds between two alarms told inside the same event. A busy street would otherwise ring all day.",
        since: "8",
        live: true,
      },
    ),
  })
  .describe("What is told of an alarm, and how often.");
