// Section "fcm": phones, reached through Google's Firebase Cloud Messaging.
import { z } from "zod";
import { choice, flag, optionalNumber, optionalText, text } from "../fields.ts";

const FCM = "push to phones comes with a later release";

export const fcm = z
  .strictObject({
    enable: flag(true, { about: "Whether phones are told by push.", since: "1.0", waitsFor: FCM }),
    api_key: optionalText({
      about: "Server key of the legacy interface.",
      since: "1.0",
      secret: true,
      obsolete: "Google stopped accepting legacy keys in 2024; use fcm_service_account_file",
    }),
    token_file: text(
      "/var/lib/zmeventnotification/push/tokens.txt",
      { about: "File that keeps the registered phones.", since: "1.0", waitsFor: FCM },
      "file",
    ),
    date_format: text("%I:%M %p, %d-%b", {
      about: "How the time is written in a push message (strftime, local time).",
      since: "5.4",
      waitsFor: FCM,
    }),
    use_fcmv1: flag(true, {
      about: "Whether the original used the newer interface of FCM.",
      since: "6.0.0",
      obsolete: "only the newer interface exists any more",
    }),
    replace_push_messages: flag(false, {
      about: "Whether a new push message replaces the one before it on the phone.",
      since: "6.0.5",
      waitsFor: FCM,
    }),
    fcm_android_priority: choice(["high", "normal"], "high", {
      about: "Priority of push messages on Android.",
      since: "6.1.12",
      waitsFor: FCM,
    }),
    fcm_android_ttl: optionalNumber(
      { min: 0, max: 2_419_200 },
      {
        about: "Seconds for which Google keeps a message for an Android phone that is away.",
        since: "6.1.12",
        waitsFor: FCM,
        example: "3600",
      },
    ),
    fcm_log_raw_message: flag(false, {
      about: "Whether the push proxy may log whole messages.",
      since: "6.1.25",
      waitsFor: FCM,
    }),
    fcm_log_message_id: text("NONE", {
      about: "An id by which the push proxy marks messages in its log.",
      since: "6.1.25",
      waitsFor: FCM,
    }),
    fcm_v1_key: optionalText({
      about: "Key of the push proxy.",
      since: "6.1.25",
      waitsFor: FCM,
      secret: true,
      example: '"!FCM_V1_KEY"',
    }),
    fcm_v1_url: optionalText({ about: "Address of the push proxy.", since: "6.1.26", waitsFor: FCM }, "url"),
    fcm_service_account_file: optionalText(
      {
        about: "Key file of a service account of your own Firebase project; messages then need no proxy.",
        since: "7.0.0",
        waitsFor: FCM,
        example: "/etc/zm/firebase.json",
      },
      "file",
    ),
    include_profile_in_push: flag(false, {
      about: "Whether a push message names the profile of the app it is meant for.",
      since: "7.0.14",
      waitsFor: FCM,
    }),
  })
  .describe("Phones, reached through Google's Firebase Cloud Messaging.");
