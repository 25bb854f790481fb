// Section "mqtt": the broker that alarms are published to.
import { z } from "zod";
import { flag, number, optionalText, text } from "../fields.ts";

const MQTT = "MQTT comes with a later release";

export const mqtt = z
  .strictObject({
    enable: flag(false, { about: "Whether alarms are published by MQTT.", since: "1.1", waitsFor: MQTT }),
    server: text(
      "127.0.0.1",
      { about: "The broker, as host or host:port.", since: "1.1", waitsFor: MQTT },
      "url",
    ),
    username: optionalText({
      about: "User name at the broker.",
      since: "1.2",
      waitsFor: MQTT,
      example: '"!MQTT_USERNAME"',
    }),
    password: optionalText({
      about: "Password at the broker.",
      since: "1.2",
      waitsFor: MQTT,
      secret: true,
      example: '"!MQTT_PASSWORD"',
    }),
    topic: text("zoneminder", { about: "First part of the topics.", since: "5.15", waitsFor: MQTT }),
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
      waitsFor: MQTT,
    }),
    tls_ca: optionalText(
      {
        about: "Certificate of the authority that signed the broker's certificate.",
        since: "5.16.0",
        waitsFor: MQTT,
      },
      "file",
    ),
    tls_cert: optionalText(
      { about: "Certificate that we show to the broker.", since: "5.16.0", waitsFor: MQTT },
      "file",
    ),
    tls_key: optionalText(
      { about: "Private key of that certificate.", since: "5.16.0", waitsFor: MQTT },
      "file",
    ),
    tls_insecure: flag(false, {
      about: "Whether the broker's certificate is believed unchecked.",
      since: "5.16.0",
      waitsFor: MQTT,
    }),
  })
  .describe("The broker that alarms are published to.");
