// Section "fcm": phones, reached through Google's Firebase Cloud Messaging.
import { z } from "zod";
import { choice, flag, number, optionalNumber, optionalText, text } from "../fields.ts";

export const fcm = z
  .strictObject({
    enable: flag(true, { about: "Whether phones are told by push.", since: "1.0" }),
    api_key: optionalText({
      about: "Server key of the legacy interface.",
      since: "1.0",
      secret: true,
      obsolete: "Google stopped accepting legacy keys in 2024; use fcm_service_account_file",
    }),
    token_file: text(
      "/var/lib/zmeventnotification/push/tokens.txt",
      { about: "File that keeps the registered phones.", since: "1.0" },
      "file",
    ),
    date_format: text("%I:%M %p, %d-%b", {
      about: "How the time is written in a push message (strftime, local time).",
      since: "5.4",
      live: true,
    }),
    use_fcmv1: flag(true, {
      about: "Whether the original used the newer interface of FCM.",
      since: "6.0.0",
      obsolete: "only the newer interface exists any more",
    }),
    replace_push_messages: flag(false, {
      about: "Whether a new push message replaces the one before it on the phone.",
      since: "6.0.5",
      live: true,
    }),
    fcm_android_priority: choice(["high", "normal"], "high", {
      about: "Priority of push messages on Android.",
      since: "6.1.12",
      live: true,
    }),
    fcm_android_ttl: optionalNumber(
      { min: 0, max: 2_419_200 },
      {
        about:
          "Seconds for which Google keeps a message for an Android phone that is away; four weeks when not set.",
        since: "6.1.12",
        live: true,
        example: "3600",
      },
    ),
    fcm_log_raw_message: flag(false, {
      about: "Whether the push proxy may log whole messages.",
      since: "6.1.25",
      live: true,
    }),
    fcm_log_message_id: text("NONE", {
      about: "An id by which the push proxy marks messages in its log.",
      since: "6.1.25",
      live: true,
    }),
    fcm_v1_key: optionalText({
      about: "Key of the push proxy.",
      since: "6.1.25",
      secret: true,
      example: '"!FCM_V1_KEY"',
    }),
    fcm_v1_url: optionalText({ about: "Address of the push proxy.", since: "6.1.26" }, "url"),
    fcm_service_account_file: optionalText(
      {
        about: "Key file of a service account of your own Firebase project; messages then need no proxy.",
        since: "7.0.0",
        example: "/etc/zm/firebase.json",
      },
      "file",
    ),
    include_profile_in_push: flag(false, {
      about: "Whether a push message names the profile of the app it is meant for.",
      since: "7.0.14",
      live: true,
    }),
    expires_after: number(
      3600,
      { min: 10, max: 604_800 },
      {
        about:
          "Seconds for which a push message is worth sending. After an outage, motion of more than an hour ago is noise.",
        since: "8",
      },
    ),
    monthly_cap: optionalNumber(
      { min: 1, max: 10_000_000 },
      {
        about:
          "Most push messages to one phone in a calendar month. What is held back is in `zmes why`, the count in `zmes devices`.",
        since: "8",
        live: true,
        example: "8000",
      },
    ),
    use_zm_notifications: flag(false, {
      about:
        "Whether phones in ZoneMinder's own table Notifications (1.39.2 and later) are told as well. Leave it off while ZoneMinder's detector pushes to them.",
      since: "8",
    }),
  })
  .describe("Phones, reached through Google's Firebase Cloud Messaging.");
