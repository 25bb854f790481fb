import { describe, expect, it } from "vitest";
import {
  type FcmContent,
  type FcmMessageOptions,
  toFcmMessage,
  toRelayMessage,
} from "../../../src/channels/fcm/message.ts";
import { aMonitor, anAlarm, eid, mid } from "../../support/builders.ts";
import { faultIn } from "../../support/fcm-reference.ts";

const seenAt = new Date(2026, 1, 1, 22, 5).getTime();
const alarm = anAlarm({ monitor: aMonitor({ id: mid(3), name: "Garáž" }), eventId: eid(5060), seenAt });

function options(change: Partial<FcmMessageOptions> = {}): FcmMessageOptions {
  return {
    date_format: "%I:%M %p, %d-%b",
    replace_push_messages: false,
    fcm_android_priority: "high",
    fcm_android_ttl: null,
    fcm_log_raw_message: false,
    fcm_log_message_id: "NONE",
    include_profile_in_push: false,
    tag_alarm_event_id: false,
    ...change,
  };
}

function content(
  change: Partial<Omit<FcmContent, "device">> & { device?: Partial<FcmContent["device"]> } = {},
): FcmContent {
  const device = {
    token: "abc:27a387",
    platform: "android" as const,
    app: "zmninja-ng" as const,
    appVersion: "1.1.14",
    profile: "Home",
    ...change.device,
  };
  return { alarm, badge: 4, picture: null, ...change, device };
}

const forIos = { device: { platform: "ios" as const } };
const picture = "https://cameras.example.org/p/abc";
const words = (given: FcmContent, change: Partial<FcmMessageOptions> = {}) =>
  toFcmMessage(given, options(change)).message.notification as { title: string; body: string };

describe("a message straight to Google", () => {
  it("for Android is exactly this", () => {
    expect(toFcmMessage(content(), options({ fcm_android_ttl: 600 }))).toEqual({
      message: {
        token: "abc:27a387",
        notification: { title: "Garáž Alarm", body: "Motion All at 10:05 PM, 01-Feb" },
        data: {
          mid: "3",
          eid: "5060",
          monitorName: "Garáž",
          cause: "Motion All",
          notification_foreground: "true",
        },
        android: {
          priority: "HIGH",
          ttl: "600s",
          notification: {
            icon: "ic_stat_notification",
            sound: "default",
            tag: "3:5060:1",
            channel_id: "zmninja-ng",
          },
        },
      },
    });
  });

  it("for iOS is exactly this, with a picture its extension can show", () => {
    expect(toFcmMessage(content({ ...forIos, picture }), options())).toEqual({
      message: {
        token: "abc:27a387",
        notification: { title: "Garáž Alarm", body: "Motion All at 10:05 PM, 01-Feb", image: picture },
        data: {
          mid: "3",
          eid: "5060",
          monitorName: "Garáž",
          cause: "Motion All",
          notification_foreground: "true",
          image_url_jpg: picture,
        },
        apns: {
          headers: { "apns-priority": "10", "apns-push-type": "alert", "apns-collapse-id": "3:5060:1" },
          payload: {
            aps: {
              alert: { title: "Garáž Alarm", body: "Motion All at 10:05 PM, 01-Feb" },
              badge: 4,
              sound: "default",
              "thread-id": "zmninja_alarm",
              "mutable-content": 1,
            },
          },
          fcm_options: { image: picture },
        },
      },
    });
  });

  it.each(["android", "ios", "unknown"] as const)(
    "for %s has no field that Google does not know",
    (platform) => {
      const every = options({
        fcm_android_ttl: 60,
        include_profile_in_push: true,
        tag_alarm_event_id: true,
        fcm_log_raw_message: true,
      });
      expect(faultIn(toFcmMessage(content({ picture, device: { platform } }), every))).toBeNull();
    },
  );

  it("that a rule calls critical has the highest priority, and is let through a focus on iOS", () => {
    const critical = { alarm: { ...alarm, critical: true } };
    const forAndroid = toFcmMessage(content(critical), options({ fcm_android_priority: "normal" }));
    expect(forAndroid.message).toMatchObject({
      android: { priority: "HIGH" },
      data: { notification_type: "critical" },
    });
    const forPhone = toFcmMessage(content({ ...critical, ...forIos }), options());
    expect(forPhone.message).toMatchObject({
      apns: { payload: { aps: { "interruption-level": "time-sensitive" } } },
    });
    expect(faultIn(forPhone)).toBe(faultIn(toFcmMessage(content(forIos), options())));
  });

  it("stays within Google's 4096 bytes however long names and causes are", () => {
    const long = anAlarm({ monitor: aMonitor({ name: "Ž".repeat(500) }), cause: "Š".repeat(5000) });
    const all = options({ include_profile_in_push: true });
    for (const platform of ["android", "ios"] as const) {
      const device = { platform, profile: "P".repeat(128), token: "t".repeat(200) };
      expect(faultIn(toFcmMessage(content({ alarm: long, picture, device }), all))).toBeNull();
    }
  });

  it("goes to the channel the app made: zmninja for the old one, none when nothing is known", () => {
    const channelOf = (device: Partial<FcmContent["device"]>) =>
      JSON.stringify(toFcmMessage(content({ device }), options())).match(/"channel_id":"([^"]*)"/)?.[1];
    expect(channelOf({ app: "zmninja" })).toBe("zmninja");
    expect(channelOf({ app: "unknown", appVersion: "1.6.9" })).toBe("zmninja");
    expect(channelOf({ app: "unknown", appVersion: "unknown" })).toBeUndefined();
  });

  it("replaces the message before it when that is asked for, otherwise only a repeat of itself", () => {
    const text = JSON.stringify(toFcmMessage(content(), options({ replace_push_messages: true })));
    expect(text).toContain('"tag":"zmninjapush"');
    const ios = JSON.stringify(toFcmMessage(content(forIos), options({ replace_push_messages: true })));
    expect(ios).toContain('"apns-collapse-id":"zmninjapush"');
  });
});

describe("the words of a message", () => {
  it("name the event when that is asked for, and there is one", () => {
    expect(words(content(), { tag_alarm_event_id: true }).title).toBe("Garáž Alarm (5060)");
    const none = content({ alarm: anAlarm({ eventId: null }) });
    expect(words(none, { tag_alarm_event_id: true }).title).toBe("Garage Alarm");
  });

  it("say that the alarm is over", () => {
    const over = content({ alarm: { ...alarm, phase: "ended" } });
    expect(words(over)).toEqual({ title: "Ended:Garáž Alarm", body: "Motion All ended at 10:05 PM, 01-Feb" });
  });

  it("say that the alarm is told late", () => {
    const late = content({ alarm: { ...alarm, late: true } });
    expect(words(late).body).toBe("Motion All at 10:05 PM, 01-Feb (late)");
  });

  it("are whole where ZoneMinder gives no cause", () => {
    expect(words(content({ alarm: { ...alarm, cause: "" } })).body).toBe("Alarm at 10:05 PM, 01-Feb");
  });

  it("show the profile on Android behind the text and on iOS below the title, when asked for", () => {
    const asked = { include_profile_in_push: true };
    expect(words(content(), asked).body).toBe("Motion All at 10:05 PM, 01-Feb — Home");
    const ios = JSON.stringify(toFcmMessage(content(forIos), options(asked)));
    expect(ios).toContain('"subtitle":"Home"');
    expect(ios).toContain('"profile":"Home"');
    expect(words(content(forIos), asked).body).not.toContain("Home");
    expect(
      JSON.stringify(toFcmMessage(content({ device: { profile: null } }), options(asked))),
    ).not.toContain("profile");
  });

  it("keep the profile to themselves when nobody asked", () => {
    expect(JSON.stringify(toFcmMessage(content(), options()))).not.toContain("Home");
  });
});

describe("a message through the push proxy", () => {
  it("for Android is exactly this", () => {
    const given = options({ fcm_android_ttl: 600, fcm_log_raw_message: true, fcm_log_message_id: "me" });
    expect(toRelayMessage(content({ picture, device: { app: "zmninja" } }), given)).toEqual({
      token: "abc:27a387",
      title: "Garáž Alarm",
      body: "Motion All at 10:05 PM, 01-Feb",
      sound: "default",
      badge: 4,
      log_message_id: "me",
      log_raw_message: "yes",
      data: {
        mid: "3",
        eid: "5060",
        monitorName: "Garáž",
        cause: "Motion All",
        notification_foreground: "true",
      },
      image_url: picture,
      android: {
        icon: "ic_stat_notification",
        priority: "high",
        ttl: 600,
        tag: "3:5060:1",
        channel: "zmninja",
      },
    });
  });

  it("for iOS is exactly this, and carries the picture where the old app's extension looks", () => {
    const given = options({ include_profile_in_push: true });
    expect(toRelayMessage(content({ ...forIos, picture }), given)).toMatchObject({
      badge: 4,
      image_url: picture,
      data: { image_url_jpg: picture, profile: "Home" },
      ios: {
        thread_id: "zmninja_alarm",
        headers: { "apns-priority": "10", "apns-push-type": "alert", "apns-collapse-id": "3:5060:1" },
        subtitle: "Home",
      },
    });
    expect(toRelayMessage(content(forIos), given)).not.toHaveProperty("android");
  });

  it("for a phone of unknown kind has no block of a platform", () => {
    const message = toRelayMessage(content({ device: { platform: "unknown" } }), options());
    expect(message).not.toHaveProperty("android");
    expect(message).not.toHaveProperty("ios");
  });
});
