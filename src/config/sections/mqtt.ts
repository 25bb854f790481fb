// Section "mqtt": the broker that alarms are published to.
import { z } from "zod";
import { choice, flag, number, optionalText, text } from "../fields.ts";

export const mqtt = z
  .strictObject({
    enable: flag(false, { about: "Whether alarms are published by MQTT.", since: "1.1" }),
    server: text(
      "127.0.0.1",
      {
        about:
          "The broker: host, host:port, or a URL with mqtt://, mqtts://, ws:// or wss://. An authority or a certificate given below means TLS.",
        since: "1.1",
      },
      "url",
    ),
    username: optionalText({
      about: "User name at the broker.",
      since: "1.2",
      guarded: "a user",
      example: '"!MQTT_USERNAME"',
    }),
    password: optionalText({
      about: "Password at the broker.",
      since: "1.2",
      secret: true,
      example: '"!MQTT_PASSWORD"',
    }),
    topic: text("zoneminder", { about: "First part of the topics.", since: "5.15" }),
    tick_interval: number(
      15,
      { min: 0, max: 86_400 },
      {
        about: "Seconds between two signs of life to the broker.",
        since: "5.4",
        obsolete: "the connection keeps itself alive",
      },
    ),
    retain: flag(false, {
      about: "Whether the broker keeps the last alarm of each monitor.",
      since: "5.13",
    }),
    tls_ca: optionalText(
      {
        about: "Certificate of the authority that signed the broker's certificate.",
        since: "5.16.0",
      },
      "file",
    ),
    tls_cert: optionalText({ about: "Certificate that we show to the broker.", since: "5.16.0" }, "file"),
    tls_key: optionalText({ about: "Private key of that certificate.", since: "5.16.0" }, "file"),
    tls_insecure: flag(false, {
      about: "Whether the broker's certificate is believed unchecked.",
      since: "5.16.0",
      guarded: "authentication",
    }),
    protocol: choice(["3.1.1", "5"], "3.1.1", {
      about: "Version of MQTT. With 5, messages carry their id as a user property as well.",
      since: "8",
    }),
    server_name: optionalText({
      about:
        "Name of this server in our own topics, in the client id and in Home Assistant; the host's name if not set. Servers that share a broker need different ones.",
      since: "8",
      example: "garden",
    }),
    expires_after: number(
      3600,
      { min: 1, max: 604_800 },
      { about: "Seconds after which an alarm that waits for the broker is given up.", since: "8" },
    ),
    home_assistant: flag(true, {
      about: "Whether the cameras announce themselves to Home Assistant.",
      since: "8",
    }),
    home_assistant_prefix: text("homeassistant", {
      about: "First part of the topics where Home Assistant looks for devices.",
      since: "8",
    }),
    commands: choice(["auto", "yes", "no"], "auto", {
      about:
        "Whether cameras can be muted by MQTT. With auto, only where the broker lets nobody in without a login.",
      since: "8",
      guarded: "authentication",
    }),
    pictures: choice(["auto", "yes", "no"], "auto", {
      about:
        "Whether the last picture of each camera is published. With auto, only where the broker lets nobody in without a login.",
      since: "8",
      guarded: "authentication",
    }),
  })
  .describe("The broker that alarms are published to.");
